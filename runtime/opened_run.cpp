#include "opened_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
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

/// Takes the folders of plugins that are no longer there out of a run's spec, unless the caller names others, and
/// returns them: the plugins themselves may be found elsewhere.
std::vector<std::string> leave_out_lost_folders(SpecNode& root, const std::vector<std::string>& overrides) {
  std::vector<std::string> lost;
  SpecNode* folders = root.find("plugins");
  const auto of_plugins = [](const std::string& override) { return override.starts_with("plugins"); };
  if (!folders || !folders->is_list() || std::any_of(overrides.begin(), overrides.end(), of_plugins)) return lost;
  std::erase_if(folders->items, [&](const SpecNode& item) {
    const bool is_lost =
        item.is_scalar() && std::filesystem::path(item.text).is_absolute() && !std::filesystem::is_directory(item.text);
    if (is_lost) lost.push_back(item.text);
    return is_lost;
  });
  return lost;
}

/// What there is to say of each plugin that the run was made with and that is not among the libraries.
std::string missing_plugins(const Registry& registry, const std::vector<UsedPlugin>& used,
                            const std::vector<std::string>& lost_folders) {
  std::string text;
  for (const UsedPlugin& plugin : used)
    if (!registry.libraries().empty() && !find_plugin(registry, plugin.name))
      text += fmt::format(
          "\nthe run was made with the plugin {} {}, which is not there; give its folder with --plugin-path or "
          "in the variable PUSHFORWARD_PLUGIN_PATH",
          plugin.name, plugin.version);
  if (text.empty()) return text;
  for (const std::string& folder : lost_folders)
    text += fmt::format("\nthe folder of plugins '{}', which the run names, is not there any more", folder);
  return text;
}

/// The plugins that are there, but are others than those that the run was made with.
std::vector<std::string> changed_plugins(const Registry& registry, const std::vector<UsedPlugin>& used) {
  std::vector<std::string> changed;
  for (const UsedPlugin& plugin : used)
    if (const LoadedLibrary* loaded = find_plugin(registry, plugin.name); loaded && loaded->checksum != plugin.checksum)
      changed.push_back(fmt::format(
          "the plugin {} is not the one that the run was made with: its checksum is {} ({}), the run has {} ({}); name "
          "the folder of that one with --plugin-path, or fit again",
          plugin.name, loaded->checksum, loaded->version, plugin.checksum, plugin.version));
  return changed;
}

}  // namespace

OpenedRun::OpenedRun(const std::string& run, const std::vector<std::string>& overrides,
                     const std::function<void(Registry&, const std::vector<std::string>&)>& load_plugins,
                     const std::function<void(const std::string&)>& warn)
    : checkpoint(Checkpoint::read(RunFolder::checkpoint_of(run))) {
  const std::string name = RunFolder::checkpoint_of(run).string();
  SpecNode root = parse_spec_text(checkpoint.spec(), name);
  const std::vector<UsedPlugin> used = used_plugins(root);
  const std::vector<std::string> lost = leave_out_lost_folders(root, overrides);
  load_plugins(registry, plugin_folders(root, overrides));
  const std::vector<std::string> changed = changed_plugins(registry, used);
  try {
    spec = resolve_spec(registry, std::move(root), overrides);
  } catch (const SpecError& error) {
    std::string more = missing_plugins(registry, used, lost);
    for (const std::string& text : changed) more += "\n" + text;
    if (more.empty()) throw;
    throw SpecError(error.what() + more);
  }
  for (const std::string& text : changed) warn(text);
}

}  // namespace pushforward
