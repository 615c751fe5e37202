// What the conformance kit is given: every example of every registered component.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/registry.h"
#include "pushforward/testing/subject.h"

namespace pushforward {

/// One example of a component; the registry must outlive it. Throws SpecError if the example itself is not valid.
testing::Subject make_subject(const Registry& registry, const RegisteredComponent& component, const Example& example);

}  // namespace pushforward
