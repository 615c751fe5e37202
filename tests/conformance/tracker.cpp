// Every check of the conformance kit on every example of every registered tracker.
#include "support/conformance.h"

TEST_CASE("every registered tracker conforms") { pushforward::test::check_kind("tracker"); }
