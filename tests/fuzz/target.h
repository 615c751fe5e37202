// A fuzz target: one reader of files of others, given any bytes.
//
// Each tests/fuzz/NAME.cpp is one. It reads the bytes, lets the toolkit's own errors go (they are what a bad file gets)
// and throws whatever else it finds wrong: what leaves LLVMFuzzerTestOneInput is a bug. Two programs are made of it:
//
//   fuzz_NAME            with driver.cpp, by any compiler: seeded random damage of the seeds; part of ctest
//   fuzz_NAME_coverage   with libFuzzer, guided by coverage: see CMakeLists.txt
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/edits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace pushforward::test {

/// Whole files that the reader takes, for a start, and what its texts are made of.
struct Seeds {
  std::vector<std::string> files;
  std::span<const std::string_view> tokens = {};
  bool lines = true;  // texts, not bytes
};
Seeds seeds();

/// Set by a target when the input was a valid one. The driver counts them, and damages them further.
inline bool input_was_accepted = false;

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// For what a target demands of a reader beside not crashing.
inline void require(bool holds, const std::string& otherwise) {
  if (!holds) throw std::logic_error(otherwise);
}

}  // namespace pushforward::test
