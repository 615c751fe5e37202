// A run opened: its checkpoint read, the plugins loaded, its spec resolved.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "loaded_run.h"
#include "pushforward/registry/spec.h"

namespace pushforward {

/// A checkpoint and what is needed to build it; the registry owns the plugins' code and must outlive the rest.
struct OpenedRun {
  /// `run`: a run's folder, or a checkpoint. `load_plugins` fills the registry, given the folders that the spec names.
  /// `overrides` are those of `resolve_spec`. Throws what reading and resolving throw; what is missing with a plugin
  /// says its name and version. A folder of plugins that the run names and that is gone stops nothing: its plugins may
  /// be found elsewhere. `warn` hears of plugins that are not those that the run was made with.
  OpenedRun(const std::string& run, const std::vector<std::string>& overrides,
            const std::function<void(Registry&, const std::vector<std::string>&)>& load_plugins,
            const std::function<void(const std::string&)>& warn);
  Registry registry;
  Checkpoint checkpoint;
  ResolvedSpec spec;
};

}  // namespace pushforward
