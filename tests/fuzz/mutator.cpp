// Mutations for libFuzzer: half of them its own, half of them those of the driver (support/edits.h), which know lines,
// words, keys and the reader's tokens.
#include <random>

#include "fuzz/target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t longest);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
  using namespace pushforward::test;
  std::mt19937_64 random(seed);
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, longest);
  static const Seeds from = seeds();
  const Material material{.seeds = from.files, .tokens = from.tokens, .lines = from.lines};
  const std::string input = edited(text_of(data, size), random_edits(random), material);
  size = std::min(input.size(), longest);
  std::memcpy(data, input.data(), size);
  return size;
}
