// Specs: whatever a text holds, it is valid or is refused at a place in it.
#include <algorithm>
#include <filesystem>

#include "fuzz/target.h"
#include "support/components.h"
#include "support/spec_refusals.h"
#include "support/temporary_folder.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

Seeds pushforward::test::seeds() { return {.files = spec_seeds(), .tokens = spec_tokens()}; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input_was_accepted = accepts_or_refuses(plugins(), text_of(data, size));
  return 0;
}
