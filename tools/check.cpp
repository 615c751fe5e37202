// check: runs the conformance kit on the components of a plugin, or on all of them.
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "command.h"
#include "components.h"
#include "number_format.h"
#include "program.h"
#include "pushforward/nearest.h"
#include "pushforward/testing/checks.h"
#include "specs.h"
#include "subjects.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;
using testing::CheckResult;

struct Selected {
  const RegisteredComponent* component;
  const Example* example;  // none: the component has no example, which is a failure
};

/// KIND/NAME of --component; empty parts if it was not given.
std::pair<std::string, std::string> component_option(const Arguments& arguments) {
  if (!arguments.given("component")) return {};
  const std::string text = arguments.text("component");
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos)
    throw UsageError(fmt::format("option '--component' is '{}'; it must be KIND/NAME, as in transformer/affine", text));
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::vector<const RegisteredComponent*> selected_components(const Registry& registry, const Arguments& arguments) {
  const auto [kind, name] = component_option(arguments);
  if (!kind.empty()) return {&named_component(registry, kind, name)};
  std::vector<const RegisteredComponent*> components = registry.components();
  if (arguments.given("all")) return components;
  const std::string library = std::filesystem::canonical(arguments.positional(0)).string();
  std::erase_if(components, [&](const RegisteredComponent* c) { return c->library != library; });
  return components;
}

std::vector<Selected> select(const Registry& registry, const Arguments& arguments) {
  std::vector<Selected> selected;
  std::vector<std::string> names;
  const std::vector<const RegisteredComponent*> components = selected_components(registry, arguments);
  for (const RegisteredComponent* component : components) {
    // A kind of somebody's own has no checks.
    if (testing::checks_of(component->info->kind).empty()) continue;
    if (component->info->example_count == 0 && !arguments.given("example")) selected.push_back({component, nullptr});
    for (std::size_t i = 0; i < component->info->example_count; ++i) {
      const Example& example = component->info->examples[i];
      names.emplace_back(example.name);
      if (!arguments.given("example") || arguments.text("example") == example.name)
        selected.push_back({component, &example});
    }
  }
  if (selected.empty() && arguments.given("example")) {
    const std::string near = nearest(arguments.text("example"), names);
    throw UsageError(fmt::format(
        "there is no example '{}'{}", arguments.text("example"),
        near.empty() ? fmt::format("; there are {}", fmt::join(names, ", ")) : "; did you mean '" + near + "'?"));
  }
  if (selected.empty())
    throw PluginError("there is nothing to check: the plugin registers no component of a kind that has checks");
  return selected;
}

void check_names(const Arguments& arguments) {
  std::vector<std::string> ids;
  for (const testing::CheckInfo& info : testing::kChecks) ids.emplace_back(info.id);
  for (const std::string& name : arguments.texts("check")) {
    if (testing::find_check(name)) continue;
    const std::string near = nearest(name, ids);
    throw UsageError(fmt::format(
        "there is no check '{}'{}", name,
        near.empty() ? fmt::format("; there are {}", fmt::join(ids, ", ")) : "; did you mean '" + near + "'?"));
  }
}

Json as_json(const testing::Row& row) {
  return {{"where", row.where},     {"sample", row.sample},         {"entry", row.entry},    {"analytic", row.analytic},
          {"numeric", row.numeric}, {"difference", row.difference}, {"allowed", row.allowed}};
}

Json as_json(const CheckResult& result) {
  const char* const status[] = {"passed", "failed", "not_applicable"};
  Json object = {{"check", result.check},         {"number", result.number},
                 {"title", result.title},         {"subject", result.subject},
                 {"precision", result.precision}, {"status", status[static_cast<std::size_t>(result.status)]},
                 {"measured", result.measured},   {"allowed", result.allowed},
                 {"compared", result.compared},   {"findings", result.findings},
                 {"note", result.note},           {"command", result.command},
                 {"worst", Json::array()}};
  for (const testing::Row& row : result.worst) object["worst"].push_back(as_json(row));
  return object;
}

std::string as_json(const std::vector<CheckResult>& results) {
  Json object = {{"passed", testing::passed(results)}, {"checks", results.size()}, {"results", Json::array()}};
  for (const CheckResult& result : results) object["results"].push_back(as_json(result));
  return object.dump(2) + "\n";
}

/// What the shell reads as this one word.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

/// The command of a result, with the plugin and the folders that were given.
std::string repeated_command(const std::string& command, const Arguments& arguments) {
  constexpr std::string_view kStart = "pushforward check";
  std::string more;
  if (arguments.positionals() > 0) more += " " + shell_word(arguments.positional(0));
  for (const std::string& folder : arguments.texts("plugin-path")) more += " --plugin-path " + shell_word(folder);
  return std::string(kStart) + more + command.substr(kStart.size());
}

/// Never throws for what a plugin does.
std::vector<CheckResult> results_of(const Registry& registry, const Selected& selected,
                                    const testing::Options& options) {
  const ComponentInfo& info = *selected.component->info;
  if (!selected.example)
    return {testing::unchecked(info.kind, info.name, "(none)",
                               "the component has no example, so nothing of it is checked; add one to its table")};
  const auto unchecked = [&](const std::string& what) {
    return std::vector<CheckResult>{
        testing::unchecked(info.kind, info.name, selected.example->name, "the example cannot be read: " + what)};
  };
  std::optional<testing::Subject> subject;
  try {
    subject = make_subject(registry, *selected.component, *selected.example);
  } catch (const std::exception& e) {
    return unchecked(e.what());
  }
  try {
    return testing::check(*subject, options);
  } catch (const SpecError& e) {
    return unchecked(e.what());
  }
}

/// Results of all that was selected, in its order, made by as many workers as wanted: each example is checked by one,
/// so results do not depend on their number.
std::vector<CheckResult> run(const Registry& registry, const std::vector<Selected>& selected,
                             const testing::Options& options, int threads, Console& console) {
  std::vector<std::vector<CheckResult>> found(selected.size());
  std::atomic<std::size_t> next = 0;
  std::size_t done = 0;
  std::mutex speaking;
  const auto work = [&] {
    for (std::size_t i = next++; i < selected.size(); i = next++) {
      const auto& [component, example] = selected[i];
      found[i] = results_of(registry, selected[i], options);
      const std::size_t failed = testing::failures(found[i]).size();
      const std::lock_guard<std::mutex> lock(speaking);
      console.note("[{}/{}] {}/{}, example {}: {}", ++done, selected.size(), component->info->kind,
                   component->info->name, example ? example->name : "(none)",
                   failed ? counted(static_cast<std::int64_t>(failed), "check") + " FAILED" : "passed");
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int k = 1; k < std::min(threads, static_cast<int>(selected.size())); ++k) workers.emplace_back(work);
    work();
  }
  std::vector<CheckResult> results;
  for (std::vector<CheckResult>& some : found) std::move(some.begin(), some.end(), std::back_inserter(results));
  return results;
}

int check(const Arguments& arguments, Console& console) {
  const bool all = arguments.given("all"), file = arguments.positionals() > 0;
  if (all && file) throw UsageError("give either PLUGIN.so or --all");
  if (!all && !file && !arguments.given("component"))
    throw UsageError("PLUGIN.so is missing; --all checks every component there is");
  check_names(arguments);
  Registry registry;
  if (file) {
    require_path(arguments.positional(0), "plugin");
    registry.add_library(arguments.positional(0));
  }
  load_components(registry, arguments, console);

  const testing::Options options{.only = arguments.texts("check")};
  std::vector<CheckResult> results = run(registry, select(registry, arguments), options, arguments.threads(), console);
  for (CheckResult& result : results) result.command = repeated_command(result.command, arguments);
  const bool coloured = console.coloured_results() && !arguments.given("output");
  console.result(console.json ? as_json(results) : testing::to_text(results, coloured));
  return testing::passed(results) ? kSuccess : kRunFailed;
}

}  // namespace

const Command& check_command() {
  static const Command kCommand = {
      .name = "check",
      .summary = "run the conformance kit on a plugin, or on everything",
      .description =
          "Checks every example of the components of a plugin: round trips, log-determinants against numeric "
          "Jacobians, gradients of both directions, declared structure, padding, threads, save and load, and what the "
          "other kinds promise. Prints what was measured and what is allowed, and of what failed the worst entries and "
          "the command that repeats it. Exit code 1 if anything failed; a component without an example fails.",
      .positionals = {{"PLUGIN.so", "the plugin; with --all or --component it is left out", false}},
      .options = {{"all", nullptr, "every component of every plugin that is found"},
                  {"component", "KIND/NAME", "only this component: transformer/affine"},
                  {"example", "NAME", "only this example"},
                  {"check", "ID", "only this check, by its name or number: round_trip, 1", 0, true}},
      .examples = {"pushforward check build/lib/pushforward/plugins/transformers_affine.so",
                   "pushforward check --all --check round_trip",
                   "pushforward check --component transformer/affine --example softplus"},
      .run = &check,
  };
  return kCommand;
}

}  // namespace pushforward
