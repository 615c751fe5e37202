// The conformance kit on the examples of registered components: what `pushforward check` and authors' own tests share.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/registry.h"
#include "pushforward/testing/checks.h"

namespace pushforward {

struct CheckedExample {
  const RegisteredComponent* component;
  const Example* example;  // none: the component has no example, which is a failure
};

/// The examples of a component, or those of one name; none if its kind, perhaps somebody's own, has no checks. A
/// component without an example is there once, unless a name is asked for.
std::vector<CheckedExample> examples_to_check(const RegisteredComponent& component, const std::string* only = nullptr);

/// The checks of one example. Never throws for what a plugin does: what cannot be made of an example is a failed check.
std::vector<testing::CheckResult> check_example(const Registry& registry, const CheckedExample& checked,
                                                const testing::Options& options);

/// A failed check of an example; see testing::unchecked.
testing::CheckResult failure_of(const CheckedExample& checked, const std::string& finding,
                                const std::string& check = "fields", const std::string& precision = "float64");

}  // namespace pushforward
