// The conformance kit on many examples, each in a process of its own.
#pragma once

#include <chrono>
#include <vector>

#include "checked_example.h"
#include "console.h"
#include "pushforward/registry/registry.h"
#include "pushforward/testing/checks.h"

namespace pushforward {

struct CheckSettings {
  std::vector<std::string> only;    // ids or numbers of checks; empty: all
  int workers = 1;                  // examples at once
  bool in_process = false;          // for debuggers: what ends the process ends all
  std::chrono::seconds timeout{0};  // of one check; 0: none. Not in_process
};

/// Results of all examples, in their order; they do not depend on the workers. Whatever a component does, its death
/// included, is a failed check of it, unless `in_process` is set.
std::vector<testing::CheckResult> check_examples(const Registry& registry, const std::vector<CheckedExample>& examples,
                                                 const CheckSettings& settings, Console& console);

}  // namespace pushforward
