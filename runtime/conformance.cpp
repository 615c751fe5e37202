#include "pushforward/conformance.h"

#include <filesystem>

#include "pushforward/registry/subjects.h"

namespace pushforward::testing {
namespace {

std::vector<CheckResult> check_example(const Registry& registry, const RegisteredComponent& component,
                                       const Example& example, const Options& options) {
  try {
    return check(make_subject(registry, component, example), options);
  } catch (const SpecError& e) {
    return {unchecked(component.info->kind, component.info->name, example.name,
                      std::string("the example cannot be read: ") + e.what())};
  }
}

}  // namespace

std::vector<CheckResult> check_plugin(const std::string& library, const PluginOptions& options) {
  for (const std::string& name : options.checks.only)
    if (!find_check(name)) throw SpecError("there is no check '" + name + "'");
  Registry registry;
  registry.add_library(library);
  registry.add_standard_folders(options.plugin_folders);
  const std::string file = std::filesystem::canonical(library).string();
  std::vector<CheckResult> results;
  bool any = false;
  for (const RegisteredComponent* component : registry.components()) {
    const ComponentInfo& info = *component->info;
    const std::string name = std::string(info.kind) + "/" + info.name;
    if (component->library != file || checks_of(info.kind).empty()) continue;
    if (!options.component.empty() && options.component != name) continue;
    if (info.example_count == 0 && options.example.empty()) {
      any = true;
      results.push_back(unchecked(info.kind, info.name, "(none)",
                                  "the component has no example, so nothing of it is checked; add one to its table"));
    }
    for (std::size_t i = 0; i < info.example_count; ++i) {
      if (!options.example.empty() && options.example != info.examples[i].name) continue;
      any = true;
      for (CheckResult& result : check_example(registry, *component, info.examples[i], options.checks))
        results.push_back(std::move(result));
    }
  }
  if (!any)
    throw PluginError(library + ": there is nothing to check: no component of a kind that has checks" +
                      (options.component.empty() ? "" : ", named '" + options.component + "'") +
                      (options.example.empty() ? "" : ", with an example '" + options.example + "'"));
  return results;
}

}  // namespace pushforward::testing
