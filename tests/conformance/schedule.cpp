// Every check of the conformance kit on every example of every registered schedule.
#include "support/conformance.h"

TEST_CASE("every registered schedule conforms") { pushforward::test::check_kind("schedule"); }
