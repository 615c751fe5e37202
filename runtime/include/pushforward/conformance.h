// The conformance kit on a plugin, in a test of one's own: link pushforward::conformance.
//
//   #include "pushforward/conformance.h"
//   #include "pushforward/testing/count_allocations.h"  // in one source: counts what a hot path allocates
//
//   const auto results = pushforward::testing::check_plugin("build/lib/pushforward/plugins/gompertz.so");
//   if (!pushforward::testing::passed(results)) std::cerr << to_text(results, false, true);
//
// `pushforward check` does the same from a shell, with each example in a process of its own.
#pragma once

#include "pushforward/testing/checks.h"

namespace pushforward::testing {

struct PluginOptions {
  Options checks = {};
  std::string component = {};  // KIND/NAME: only this one
  std::string example = {};    // only examples of this name
  /// Searched for the components that examples are composed of, before PUSHFORWARD_PLUGIN_PATH and the installation's
  /// own folder.
  std::vector<std::string> plugin_folders = {};
};

/// Checks every example of every component that the library registers, in this process and thread, in their order; a
/// component without an example, and an example that is not valid, is a failed check. What a component throws is a
/// finding; what ends the process ends it.
///
/// Throws PluginError if the library is refused, or if nothing in it is chosen; SpecError if a check's name is unknown.
PUSHFORWARD_EXPORT std::vector<CheckResult> check_plugin(const std::string& library, const PluginOptions& options = {});

}  // namespace pushforward::testing
