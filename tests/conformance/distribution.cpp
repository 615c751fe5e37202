// Every check of the conformance kit on every example of every registered distribution.
#include "support/conformance.h"

TEST_CASE("every registered distribution conforms") { pushforward::test::check_kind("distribution"); }
