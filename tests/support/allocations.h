// Counts heap allocations: include in one source of a test's program, as it replaces operator new.
#pragma once

#include "pushforward/testing/count_allocations.h"

namespace pushforward::test {

/// Allocations of this program since its start.
inline std::int64_t allocations() { return testing::AllocationCount::program.load(); }

}  // namespace pushforward::test
