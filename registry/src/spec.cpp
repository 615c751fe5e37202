#include "pushforward/registry/spec.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "overrides.h"
#include "scalars.h"
#include "section_rules.h"
#include "validation.h"

namespace pushforward {

namespace {

/// Libraries of all components in a resolved tree. Names of fields and of components share the tree, so a field that
/// is called like a component counts, too: one plugin too many in a note does no harm, one too few would.
void libraries_in(const Registry& registry, const SpecNode& node, std::set<std::string>& libraries) {
  for (const SpecNode& item : node.items) libraries_in(registry, item, libraries);
  for (const SpecNode::Entry& entry : node.entries) {
    for (const std::string& kind : registry.kinds())
      if (const RegisteredComponent* found = registry.find(kind, entry.key)) libraries.insert(found->library);
    libraries_in(registry, entry.value, libraries);
  }
}

SpecNode provenance(const Registry& registry, const SpecNode& root) {
  std::set<std::string> used;
  libraries_in(registry, root, used);
  SpecNode plugins = SpecNode::list();
  std::vector<std::string> lines;
  for (const LoadedLibrary& library : registry.libraries())
    if (used.contains(library.library)) lines.push_back(library.name + " " + library.version + " " + library.checksum);
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) plugins.items.push_back(SpecNode::scalar(line));
  SpecNode node = SpecNode::map();
  SpecNode version = SpecNode::scalar(PUSHFORWARD_VERSION);
  version.quoted = true;
  node.set("version", std::move(version));
  node.set("plugins", std::move(plugins));
  return node;
}

}  // namespace

std::string ResolvedSpec::to_yaml(const Registry& registry) const {
  SpecNode written = root;
  std::erase_if(written.entries, [](const SpecNode::Entry& entry) { return entry.key == "provenance"; });
  SpecNode note = provenance(registry, written);
  written.set("provenance", std::move(note));
  return write_spec(written);
}

ResolvedSpec resolve_spec(const Registry& registry, SpecNode root, const std::vector<std::string>& overrides) {
  Problems problems;
  ResolvedSpec spec;
  spec.source = root.position.file;
  apply_overrides(registry, root, overrides, problems);
  spec.root = Validator(registry, problems).spec(root);
  check_section_rules(spec.root, root, problems);
  problems.raise();
  spec.seed = static_cast<std::uint64_t>(*parse_integer(spec.root.find("seed")->text));
  spec.float64 = spec.root.find("precision")->text == "float64";
  for (SpecNode& folder : spec.root.find("plugins")->items) folder.text = absolute_path(folder);
  return spec;
}

SpecNode resolve_component(const Registry& registry, const std::string& kind, const SpecNode& node) {
  Problems problems;
  SpecNode resolved = Validator(registry, problems).component(kind, node, kind);
  problems.raise();
  return resolved;
}

std::vector<std::string> plugin_folders(const SpecNode& root, const std::vector<std::string>& overrides) {
  // The other overrides name components, which are not known before the folders are searched.
  std::vector<std::string> of_plugins;
  std::copy_if(overrides.begin(), overrides.end(), std::back_inserter(of_plugins), [](const std::string& override) {
    return override.starts_with("plugins=") || override.starts_with("plugins[");
  });
  SpecNode written = root;
  Problems left_to_resolve_spec, missing;
  apply_overrides(Registry(), written, of_plugins, left_to_resolve_spec);
  std::vector<std::string> folders;
  const SpecNode* given = written.find("plugins");
  if (!given || !given->is_list()) return folders;
  for (std::size_t i = 0; i < given->items.size(); ++i) {
    const SpecNode& item = given->items[i];
    if (!item.is_scalar()) continue;
    const std::string place = "plugins[" + std::to_string(i) + "]";
    if (item.text.empty()) {
      missing.add(item.position, place + " is empty; give a folder, or remove it");
      continue;
    }
    folders.push_back(absolute_path(item));
    if (!std::filesystem::is_directory(folders.back()))
      missing.add(item.position,
                  place + " is '" + item.text + "', but there is no folder '" + folders.back() + "'; check the path");
  }
  missing.raise();
  return folders;
}

}  // namespace pushforward
