#include "specs.h"

#include "io/path_hint.h"

namespace pushforward {
namespace {

ResolvedSpec resolve(Registry& registry, SpecNode root, const Arguments& arguments) {
  registry.add_standard_folders(arguments.texts("plugin-path"), plugin_folders(root, arguments.texts("set")));
  return resolve_spec(registry, std::move(root), arguments.texts("set"));
}

}  // namespace

ResolvedSpec load_spec(Registry& registry, const std::filesystem::path& file, const Arguments& arguments) {
  require_path(file, "spec");
  if (std::filesystem::is_directory(file))
    throw SpecError(fmt::format("'{}' is a folder; a spec is a YAML file", file.string()));
  return resolve(registry, parse_spec_file(file.string()), arguments);
}

OpenedRun open_run(const std::string& run, const Arguments& arguments, Console& console) {
  const auto load = [&](Registry& registry, const std::vector<std::string>& folders) {
    registry.add_standard_folders(arguments.texts("plugin-path"), folders);
  };
  return OpenedRun(run, arguments.texts("set"), load, [&](const std::string& text) { console.warn("{}", text); });
}

}  // namespace pushforward
