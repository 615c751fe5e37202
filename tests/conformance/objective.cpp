// Every check of the conformance kit on every example of every registered objective.
#include "support/conformance.h"

TEST_CASE("every registered objective conforms") { pushforward::test::check_kind("objective"); }
