// From the command line to a registry and a resolved spec.
#pragma once

#include <filesystem>
#include <string>

#include "command.h"
#include "io/path_hint.h"
#include "pushforward/registry/spec.h"

namespace pushforward {

/// Reads a spec, loads the plugins that it and the command line name, applies `--set` and validates. Throws SpecError.
ResolvedSpec load_spec(Registry& registry, const std::filesystem::path& file, const Arguments& arguments);
/// The same for a spec's text, `name` standing for the file.
ResolvedSpec load_spec_text(Registry& registry, const std::string& text, const std::string& name,
                            const Arguments& arguments);

/// Calls `f.template operator()<float>()` or `<double>`, as the spec's precision says.
template <class F>
int with_precision(bool float64, F&& f) {
  return float64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace pushforward
