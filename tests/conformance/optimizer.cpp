// Every check of the conformance kit on every example of every registered optimizer.
#include "support/conformance.h"

TEST_CASE("every registered optimizer conforms") { pushforward::test::check_kind("optimizer"); }
