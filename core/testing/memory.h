// Blocks as interfaces want them, filled from plain arrays.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "pushforward/testing/runner.h"

namespace pushforward::testing {

/// Owns a block whose columns start on 64 bytes. One row is compact, unless the stride is widened.
template <class T>
class Memory {
 public:
  Memory(Index rows, Index columns, double padding, Index extra_stride = 0) {
    const Index stride =
        rows == 1 && extra_stride == 0 ? 1 : round_up(rows, kPadding) + round_up(extra_stride, kPadding);
    memory_.assign(static_cast<std::size_t>(stride * columns) + kPadding, static_cast<T>(padding));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    block_ = {reinterpret_cast<T*>((address + 63) / 64 * 64), rows, columns, stride};
  }
  Memory(const Array& a, double padding, Index extra_stride) : Memory(a.rows, a.columns, padding, extra_stride) {
    for (Index j = 0; j < a.columns; ++j)
      for (Index i = 0; i < a.rows; ++i) block_(i, j) = static_cast<T>(a(i, j));
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  Block<T> block() const { return block_; }
  void fill(double value) {
    for (Index j = 0; j < block_.columns; ++j) std::fill_n(block_.column(j), block_.rows, static_cast<T>(value));
  }

 private:
  std::vector<T> memory_;
  Block<T> block_;
};

template <class T>
Array to_array(Block<const T> block) {
  Array a(block.rows, block.columns);
  for (Index j = 0; j < block.columns; ++j)
    for (Index i = 0; i < block.rows; ++i) a(i, j) = static_cast<double>(block(i, j));
  return a;
}

/// Leaves the tape with memory of both its arenas that holds NaN, as it is after other work.
template <class T>
void fill_with_nan(Tape<T>& tape, Index count) {
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  const bool recording = tape.recording();
  tape.set_recording(true);
  const Var<T> leaf = tape.leaf(tape.full(count, 1, kNaN).value());
  const Var<T> out = tape.full(count, 1, kNaN);
  tape.primitive(
      "fill_with_nan", {leaf}, {out},
      [](Vjp<T>& v) {
        const Block<T> g = v.gradient(0);
        std::fill_n(g.data, g.rows, std::numeric_limits<T>::quiet_NaN());
      },
      no_tangent);
  tape.backward(out, out.value());
  tape.set_recording(recording);
  tape.reset();
}

}  // namespace pushforward::testing
