// check: runs the conformance kit on the components of a plugin, or on all of them.
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "check_results.h"
#include "checking.h"
#include "command.h"
#include "components.h"
#include "json_number.h"
#include "program.h"
#include "pushforward/nearest.h"
#include "shell_word.h"
#include "specs.h"
#include "templates.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;
using testing::CheckResult;

constexpr std::int64_t kLongest = 1'000'000;  // seconds

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

/// Why nothing of a plugin can be checked: a kind of somebody's own, or one that is misspelt.
std::string unchecked_kinds(const std::vector<const RegisteredComponent*>& components) {
  if (components.empty()) return "the plugin registers no component";
  const std::string kind = components.front()->info->kind, near = nearest(kind, template_kinds());
  return fmt::format("there are no checks for the kind '{}' of '{}'; {}", kind, components.front()->info->name,
                     near.empty() ? fmt::format("there are some for {}", fmt::join(template_kinds(), ", "))
                                  : "did you mean '" + near + "'?");
}

std::vector<CheckedExample> select(const Registry& registry, const Arguments& arguments) {
  std::vector<CheckedExample> selected;
  std::vector<std::string> names;
  const std::string only = arguments.text("example");
  const std::vector<const RegisteredComponent*> components = selected_components(registry, arguments);
  for (const RegisteredComponent* component : components) {
    for (const CheckedExample& all : examples_to_check(*component))
      if (all.example) names.emplace_back(all.example->name);
    for (const CheckedExample& example : examples_to_check(*component, arguments.given("example") ? &only : nullptr))
      selected.push_back(example);
  }
  if (selected.empty() && arguments.given("example")) {
    const std::string near = nearest(arguments.text("example"), names);
    throw UsageError(fmt::format(
        "there is no example '{}'{}", arguments.text("example"),
        near.empty() ? fmt::format("; there are {}", fmt::join(names, ", ")) : "; did you mean '" + near + "'?"));
  }
  if (selected.empty()) throw PluginError("there is nothing to check: " + unchecked_kinds(components));
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

std::string as_json(const std::vector<CheckResult>& results) {
  Json object = {{"passed", testing::passed(results)}, {"checks", results.size()}, {"results", Json::array()}};
  for (const CheckResult& result : results) object["results"].push_back(to_json(result));
  return json_text(object);
}

/// The command of a result, with the plugin and the folders that were given.
std::string repeated_command(const std::string& command, const Arguments& arguments) {
  constexpr std::string_view kStart = "pushforward check";
  std::string more;
  if (arguments.positionals() > 0) more += " " + shell_word(arguments.positional(0));
  for (const std::string& folder : arguments.texts("plugin-path")) more += " --plugin-path " + shell_word(folder);
  return std::string(kStart) + more + command.substr(kStart.size());
}

/// Whatever bytes a plugin's messages hold, a terminal can show them.
void make_showable(CheckResult& result) {
  for (std::string* text : {&result.subject, &result.note, &result.command}) *text = shown_text(*text);
  for (std::string& finding : result.findings) finding = shown_text(finding);
  for (testing::Row& row : result.worst) row.entry = shown_text(row.entry);
}

int check(const Arguments& arguments, Console& console) {
  const bool all = arguments.given("all"), file = arguments.positionals() > 0;
  if (all && file) throw UsageError("give either PLUGIN.so or --all");
  if (!all && !file && !arguments.given("component"))
    throw UsageError("PLUGIN.so is missing; --all checks every component there is");
  check_names(arguments);
  const bool in_process = arguments.given("in-process");
  const std::chrono::seconds timeout(arguments.integer("timeout", 0, 1, kLongest));
  if (in_process && arguments.given("timeout"))
    throw UsageError("option '--timeout' ends a process; it cannot be given with '--in-process'");
  Registry registry;
  if (file) {
    require_path(arguments.positional(0), "plugin");
    registry.add_library(arguments.positional(0));
  }
  load_components(registry, arguments, console);

  const CheckSettings settings{
      .only = arguments.texts("check"), .workers = arguments.threads(), .in_process = in_process, .timeout = timeout};
  std::vector<CheckResult> results = check_examples(registry, select(registry, arguments), settings, console);
  for (CheckResult& result : results) {
    result.command = repeated_command(result.command, arguments);
    make_showable(result);
  }
  const bool coloured = console.coloured_results() && !arguments.given("output");
  console.result(console.json ? as_json(results) : testing::to_text(results, coloured, arguments.given("failures")));
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
          "the command that repeats it. Exit code 1 if anything failed; a component without an example fails.\n\n"
          "Each example is checked in a process of its own: a crash or an exit is a failed check, and the other "
          "examples are checked all the same. What a component prints goes to stderr.",
      .positionals = {{"PLUGIN.so", "the plugin; with --all or --component it is left out", false}},
      .options = {{"all", nullptr, "every component of every plugin that is found"},
                  {"component", "KIND/NAME", "only this component: transformer/affine"},
                  {"example", "NAME", "only this example"},
                  {"check", "ID", "only this check, by its name or number: round_trip, 1", 0, true},
                  {"failures", nullptr, "show the checks that failed alone; all are counted"},
                  {"timeout", "SECONDS", "end a check that takes longer, which fails it; none by default"},
                  {"in-process", nullptr, "everything in this process, for a debugger: a crash ends it"}},
      .examples = {"pushforward check build/lib/pushforward/plugins/transformers_affine.so",
                   "pushforward check --all --check round_trip",
                   "pushforward check --component transformer/affine --example softplus"},
      .run = &check,
  };
  return kCommand;
}

}  // namespace pushforward
