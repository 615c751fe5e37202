// The conformance kit on registered components, as Catch2 assertions.
#pragma once

#include <catch2/catch.hpp>

#include "pushforward/testing/checks.h"
#include "pushforward/testing/count_allocations.h"
#include "pushforward/registry/subjects.h"
#include "support/components.h"

namespace pushforward::test {

/// Every check on one example, in both precisions. A failure prints the kit's table.
inline void check_example(const Registry& registry, const RegisteredComponent& component, const Example& example) {
  const testing::Subject subject = make_subject(registry, component, example);
  for (const testing::CheckResult& result : testing::check(subject)) {
    INFO(testing::to_text(result));
    CHECK(result.status != testing::Status::failed);
  }
}

/// Every example of every registered component of a kind.
inline void check_kind(const std::string& kind) {
  REQUIRE(!testing::checks_of(kind).empty());
  // A library that does not load would go unchecked.
  for (const LibraryFailure& failure : plugins().failures()) FAIL_CHECK(failure.library << ": " << failure.reason);
  REQUIRE(!plugins().components().empty());
  for (const RegisteredComponent* component : plugins().components(kind)) {
    if (component->info->example_count == 0) FAIL_CHECK(kind << ' ' << component->info->name << " has no example");
    for (std::size_t i = 0; i < component->info->example_count; ++i) {
      const Example& example = component->info->examples[i];
      DYNAMIC_SECTION(component->info->name << ", example " << example.name) {
        check_example(plugins(), *component, example);
      }
    }
  }
}

}  // namespace pushforward::test
