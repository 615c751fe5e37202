// Every check of the conformance kit on every example of every registered target.
#include "support/conformance.h"

TEST_CASE("every registered target conforms") { pushforward::test::check_kind("target"); }
