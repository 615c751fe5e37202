// version: what this program is and how it was built.
#include "json_number.h"
#include "pushforward/version.h"

#include <nlohmann/json.hpp>

#include "command.h"
#include "program.h"
#include "pushforward/plugin.h"
#include "text_table.h"

namespace pushforward {
namespace {

std::string cpu_features() {
  std::string names;
  for (std::size_t i = 0; i < std::size(kCpuFeatureNames); ++i)
    if (compiled_cpu_features() >> i & 1) names += (names.empty() ? "" : " ") + std::string(kCpuFeatureNames[i]);
  return names;
}

int version(const Arguments&, Console& console) {
  if (console.json) {
    const nlohmann::ordered_json object = {
        {"version", PUSHFORWARD_VERSION}, {"plugin_api", kPluginApi}, {"abi", kAbi}, {"cpu_features", cpu_features()}};
    console.result(json_text(object));
    return kSuccess;
  }
  TextTable table({{}, {}});
  table.add({"plugin interface", fmt::format("{}", kPluginApi)});
  table.add({"built as", kAbi});
  table.add({"built for", cpu_features()});
  console.result(fmt::format("pushforward {}\n{}", PUSHFORWARD_VERSION, table.to_text(console.width(), 2)));
  return kSuccess;
}

}  // namespace

const Command& version_command() {
  static const Command kCommand = {
      .name = "version",
      .summary = "print the version, and what plugins must have been built like",
      .description = "Prints the version of the program and everything that a plugin must agree with to be loaded.",
      .positionals = {},
      .options = {},
      .examples = {"pushforward version", "pushforward version --format json"},
      .run = &version,
  };
  return kCommand;
}

}  // namespace pushforward
