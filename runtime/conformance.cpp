#include "pushforward/conformance.h"

#include <filesystem>

#include "checked_example.h"

namespace pushforward::testing {

std::vector<CheckResult> check_plugin(const std::string& library, const PluginOptions& options) {
  for (const std::string& name : options.checks.only)
    if (!find_check(name)) throw SpecError("there is no check '" + name + "'");
  Registry registry;
  registry.add_library(library);
  registry.add_standard_folders(options.plugin_folders);
  const std::string file = std::filesystem::canonical(library).string();
  const std::string* example = options.example.empty() ? nullptr : &options.example;
  std::vector<CheckResult> results;
  for (const RegisteredComponent* component : registry.components()) {
    const std::string name = std::string(component->info->kind) + "/" + component->info->name;
    if (component->library != file || (!options.component.empty() && options.component != name)) continue;
    for (const CheckedExample& checked : examples_to_check(*component, example))
      for (CheckResult& result : check_example(registry, checked, options.checks)) results.push_back(std::move(result));
  }
  if (results.empty())
    throw PluginError(library + ": there is nothing to check: no component of a kind that has checks" +
                      (options.component.empty() ? "" : ", named '" + options.component + "'") +
                      (options.example.empty() ? "" : ", with an example '" + options.example + "'"));
  return results;
}

}  // namespace pushforward::testing
