// From the command line to a registry and a resolved spec.
#pragma once

#include <filesystem>
#include <string>

#include "command.h"
#include "io/path_hint.h"
#include "opened_run.h"
#include "pushforward/registry/spec.h"

namespace pushforward {

/// Reads a spec, loads the plugins that it and the command line name, applies `--set` and validates. Throws SpecError.
ResolvedSpec load_spec(Registry& registry, const std::filesystem::path& file, const Arguments& arguments);
/// What a command does first with its argument RUN. Warns of plugins that are not those that the run was made with.
/// Throws SpecError for an override of what the run was made with: only where its files are now can be said anew.
OpenedRun open_run(const std::string& run, const Arguments& arguments, Console& console);

/// Calls `f.template operator()<float>()` or `<double>`, as the spec's precision says.
template <class F>
int with_precision(bool float64, F&& f) {
  return float64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace pushforward
