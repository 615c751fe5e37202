// Every check of the conformance kit on every example of every registered preprocess.
#include "support/conformance.h"

TEST_CASE("every registered preprocess conforms") { pushforward::test::check_kind("preprocess"); }
