// Witnesses: components that live in a test program and use every door of the interfaces. They conform like any other.
#pragma once

#include "support/conformance.h"

namespace pushforward::test {

/// Registers the table beside the built plugins and runs every check on every example of its components.
template <std::size_t N>
void check_component(const ComponentInfo (&table)[N]) {
  const std::unique_ptr<Registry> registry = load_plugins(table);
  for (const ComponentInfo& info : table) {
    if (testing::checks_of(info.kind).empty()) continue;  // kinds that have no checks
    for (std::size_t i = 0; i < info.example_count; ++i) {
      CAPTURE(info.kind, info.name, info.examples[i].name);
      check_example(*registry, *registry->find(info.kind, info.name), info.examples[i]);
    }
  }
}

}  // namespace pushforward::test
