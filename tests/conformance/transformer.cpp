// Every check of the conformance kit on every example of every registered transformer.
#include "support/conformance.h"

TEST_CASE("every registered transformer conforms") { pushforward::test::check_kind("transformer"); }
