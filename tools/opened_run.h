// What a command does first with its argument RUN: reads the checkpoint, loads the plugins, resolves the spec.
#pragma once

#include "command.h"
#include "loaded_run.h"
#include "pushforward/registry/spec.h"

namespace pushforward {

/// A checkpoint and what is needed to build it; the registry owns the plugins' code and must outlive the rest.
struct OpenedRun {
  /// Warns of plugins that are not those that the run was made with. Throws what reading and resolving throw; what is
  /// missing with a plugin says its name and version.
  OpenedRun(const std::string& run, const Arguments& arguments, Console& console);
  Registry registry;
  Checkpoint checkpoint;
  ResolvedSpec spec;
};

}  // namespace pushforward
