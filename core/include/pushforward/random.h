// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
//
// A draw is a pure function of (seed; row, step, component, draw): no state, no thread, no order. Row r of a batch
// gets the same numbers however the batch is cut into shards.
#pragma once

#include <array>

#include "pushforward/block.h"

namespace pushforward {

/// One block of Philox4x32-10; equal to Random123's.
PUSHFORWARD_EXPORT std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                           std::array<std::uint32_t, 2> key);

/// Identifies the component that draws; handed out in building order.
struct ComponentId {
  std::uint32_t value = 0;
};

/// The part of the counter that a whole evaluation shares.
struct Stream {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  /// Added to every component's id: a component that is evaluated several times in one pass (tied repetitions) gets
  /// another salt each time.
  std::uint32_t salt = 0;
};

/// A source of draws for the rows `first_row` to `first_row + rows` of a batch.
///
/// Element (i, j) of a result depends on the row `first_row + i`, on j and on the keys alone. Calling twice gives the
/// same numbers; another `draw` gives others. The counter is {row, step, component, draw * 2^18 + chunk}, where a chunk is
/// the four words of which four columns are made (two in float64; 128 signs).
class PUSHFORWARD_EXPORT Draws {
 public:
  /// Throws Error unless 0 <= draw < 16383; each of the functions below, ShapeError for a row of more than 2^18 chunks.
  Draws(Stream stream, ComponentId component, Index draw, Index first_row);

  /// Uniform on the open interval (0, 1), never 0 or 1: the odd multiples of 2^-24, in float64 of 2^-53.
  template <class T>
  void uniform(Block<T> out) const;
  /// Standard normal, by Box and Muller.
  template <class T>
  void normal(Block<T> out) const;
  /// +1 or -1 with equal probability (Rademacher).
  template <class T>
  void sign(Block<T> out) const;
  /// Raw words: four for each row, `out[4 * i + w]`, for chunk c of the counter.
  void words(std::uint32_t* out, Index rows, std::uint32_t chunk) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t step_, component_, draw_, first_row_;
};

extern template void Draws::uniform<float>(Block<float>) const;
extern template void Draws::uniform<double>(Block<double>) const;
extern template void Draws::normal<float>(Block<float>) const;
extern template void Draws::normal<double>(Block<double>) const;
extern template void Draws::sign<float>(Block<float>) const;
extern template void Draws::sign<double>(Block<double>) const;

/// A permutation of 0..n-1, a function of the keys alone (Fisher-Yates).
PUSHFORWARD_EXPORT void random_permutation(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, Index n,
                                           Index* out);

}  // namespace pushforward
