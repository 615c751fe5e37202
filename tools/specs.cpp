#include "specs.h"

#include <algorithm>

#include "io/path_hint.h"

namespace pushforward {
namespace {

ResolvedSpec resolve(Registry& registry, SpecNode root, const Arguments& arguments) {
  registry.add_standard_folders(arguments.texts("plugin-path"), plugin_folders(root, arguments.texts("set")));
  return resolve_spec(registry, std::move(root), arguments.texts("set"));
}

/// True for a place of a dataset's file or folder: what is there now is held to the run's checksum.
bool names_path_of_source(const Registry& registry, const std::string& place) {
  constexpr std::string_view kSource = "data.source.";
  if (!place.starts_with(kSource)) return false;
  const std::string field = place.substr(place.rfind('.') + 1);
  const auto has_path = [&](const RegisteredComponent* component) {
    const ComponentInfo& info = *component->info;
    return std::any_of(info.fields, info.fields + info.field_count,
                       [&](const Field& f) { return f.type == FieldType::path && field == f.name; });
  };
  const auto datasets = registry.components("dataset");
  return std::any_of(datasets.begin(), datasets.end(), has_path);
}

void refuse_what_belongs_to_run(const Registry& registry, const std::vector<std::string>& overrides) {
  for (const std::string& override : overrides) {
    const std::string place = override.substr(0, override.find('='));
    if (place == "plugins" || place.starts_with("plugins[") || names_path_of_source(registry, place)) continue;
    throw SpecError(
        fmt::format("--set {}: error: '{}' belongs to the run, which was fitted with what its spec says; to change it, "
                    "fit again. Of a finished run only the places of its files can be set: data.source.csv.file and "
                    "the like, and plugins",
                    override, place));
  }
}

}  // namespace

ResolvedSpec load_spec(Registry& registry, const std::filesystem::path& file, const Arguments& arguments) {
  require_path(file, "spec");
  if (std::filesystem::is_directory(file)) {
    const std::filesystem::path inside = file / "spec.yaml";
    throw SpecError(fmt::format("'{}' is a folder; a spec is a YAML file{}", file.string(),
                                std::filesystem::exists(inside)
                                    ? fmt::format("; the run that is in it has its own, '{}'", inside.string())
                                    : std::string()));
  }
  return resolve(registry, parse_spec_file(file.string()), arguments);
}

OpenedRun open_run(const std::string& run, const Arguments& arguments, Console& console) {
  const auto load = [&](Registry& registry, const std::vector<std::string>& folders) {
    registry.add_standard_folders(arguments.texts("plugin-path"), folders);
    refuse_what_belongs_to_run(registry, arguments.texts("set"));
  };
  return OpenedRun(run, arguments.texts("set"), load, [&](const std::string& text) { console.warn("{}", text); });
}

}  // namespace pushforward
