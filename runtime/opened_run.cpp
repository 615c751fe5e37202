#include "opened_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "run_folder.h"

namespace pushforward {

namespace {

/// A line of `provenance.plugins`.
struct UsedPlugin {
  std::string name, version, checksum;
};

std::vector<UsedPlugin> used_plugins(const SpecNode& root) {
  std::vector<UsedPlugin> plugins;
  const SpecNode* provenance = root.find("provenance");
  const SpecNode* list = provenance ? provenance->find("plugins") : nullptr;
  if (!list) return plugins;
  for (const SpecNode& item : list->items) {
    std::istringstream words(item.text);
    UsedPlugin plugin;
    if (words >> plugin.name >> plugin.version >> plugin.checksum) plugins.push_back(plugin);
  }
  return plugins;
}

const LoadedLibrary* find_plugin(const Registry& registry, const std::string& name) {
  const auto& all = registry.libraries();
  const auto found = std::find_if(all.begin(), all.end(), [&](const LoadedLibrary& l) { return l.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

OpenedRun::OpenedRun(const std::string& run, const std::vector<std::string>& overrides,
                     const std::function<void(Registry&, const std::vector<std::string>&)>& load_plugins,
                     const std::function<void(const std::string&)>& warn)
    : checkpoint(Checkpoint::read(RunFolder::checkpoint_of(run))) {
  const std::string name = RunFolder::checkpoint_of(run).string();
  SpecNode root = parse_spec_text(checkpoint.spec(), name);
  const std::vector<UsedPlugin> used = used_plugins(root);
  load_plugins(registry, plugin_folders(root, overrides));
  try {
    spec = resolve_spec(registry, std::move(root), overrides);
  } catch (const SpecError& error) {
    std::string missing;
    for (const UsedPlugin& plugin : used)
      if (!registry.libraries().empty() && !find_plugin(registry, plugin.name))
        missing += fmt::format(
            "\nthe run was made with the plugin {} {}, which is not there; give its folder with --plugin-path or "
            "in the variable PUSHFORWARD_PLUGIN_PATH",
            plugin.name, plugin.version);
    if (missing.empty()) throw;
    throw SpecError(error.what() + missing);
  }
  for (const UsedPlugin& plugin : used)
    if (const LoadedLibrary* loaded = find_plugin(registry, plugin.name); loaded && loaded->checksum != plugin.checksum)
      warn(fmt::format(
          "the plugin {} is not the one that the run was made with: its checksum is {} ({}), the run has {} ({}); name "
          "the folder of that one with --plugin-path, or fit again",
          plugin.name, loaded->checksum, loaded->version, plugin.checksum, plugin.version));
}

}  // namespace pushforward
