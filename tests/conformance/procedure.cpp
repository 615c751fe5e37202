// Every check of the conformance kit on every example of every registered procedure.
#include "support/conformance.h"

TEST_CASE("every registered procedure conforms") { pushforward::test::check_kind("procedure"); }
