// Every check of the conformance kit on every example of every registered dataset.
#include "support/conformance.h"

TEST_CASE("every registered dataset conforms") { pushforward::test::check_kind("dataset"); }
