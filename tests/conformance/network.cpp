// Every check of the conformance kit on every example of every registered network.
#include "support/conformance.h"

TEST_CASE("every registered network conforms") { pushforward::test::check_kind("network"); }
