// Every check of the conformance kit on every example of every registered bijector.
#include "support/conformance.h"

TEST_CASE("every registered bijector conforms") { pushforward::test::check_kind("bijector"); }
