// What kernels over rows share: loops over padded and compact blocks, gradients that are overwritten or added,
// scratch memory on the tape.
#pragma once

#include <algorithm>

#include "pushforward/kernel_scalars.h"
#include "pushforward/tape.h"

namespace pushforward {

/// Scratch on a tape's arena, given back at the end of the scope. Costs no heap allocation in steady state.
template <class T>
class Workspace {
 public:
  explicit Workspace(Tape<T>& tape) : tape_(tape), mark_(tape.mark()) {}
  ~Workspace() { tape_.rewind(mark_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  /// `count` uninitialised objects, 64-byte aligned.
  template <class U>
  U* array(Index count) {
    return tape_.template scratch<U>(std::max<Index>(count, 1));
  }

 private:
  Tape<T>& tape_;
  typename Tape<T>::Mark mark_;
};

/// Where a kernel leaves the gradient of one input: the first writer overwrites, later ones add.
template <class T>
class Gradient {
  using B = simd::Batch<T>;

 public:
  Gradient() = default;
  /// Of input i of an operation. `may_overwrite` is false where inputs share memory.
  Gradient(const Vjp<T>& v, int i, bool may_overwrite) : wanted_(v.wants(i)) {
    if (!wanted_) return;
    block_ = may_overwrite ? v.gradient(i, fresh_) : v.gradient(i);
  }
  bool wanted() const { return wanted_; }
  /// Rows i to i + count of column j.
  void add(const B& g, Index j, Index i, Index count) const {
    if (!wanted_) return;
    T* p = block_.column(j) + i;
    if (fresh_)
      simd::store(p, g, count);
    else
      simd::store(p, simd::load(p, count) + g, count);
  }
  void add(const B& g, Index j, Index i, const simd::Lanes<T>& lanes) const {
    if (!wanted_) return;
    T* p = block_.column(j) + i;
    lanes.store(p, fresh_ ? g : lanes.load(p) + g);
  }
  /// The only row of column j.
  void add_one(T g, Index j) const {
    if (!wanted_) return;
    T& p = *block_.column(j);
    p = fresh_ ? g : p + g;
  }

 private:
  Block<T> block_;
  bool wanted_ = false;
  bool fresh_ = false;
};

/// Rows whose log_dets are added up at a time, in double, before they are rounded to T once.
inline constexpr Index kRowChunk = 256;

/// Maps every element of x and sums the logarithms over columns. `column(j)` returns the kernel of column j:
/// kernel(first row, rows from there, x, y, log_slope).
template <class T, class Column>
void map_rows(Block<const T> x, Block<T> value, Block<T> log_det, Column&& column) {
  using B = simd::Batch<T>;
  alignas(64) double sums[kRowChunk];
  for (Index first = 0; first < x.rows; first += kRowChunk) {
    const Index last = std::min(x.rows, first + kRowChunk);
    for (Index i = first; i < last; ++i) sums[i - first] = 0;
    const Index whole = round_up(last - first, simd::kLanes<T>);
    for (Index i = last - first; i < whole; ++i) sums[i] = 0;
    for (Index j = 0; j < x.columns; ++j) {
      auto&& kernel = column(j);
      for (Index i = first; i < last; i += simd::kLanes<T>) {
        const Index lanes = x.rows - i;
        B y, log_slope;
        kernel(i, lanes, simd::load(x.column(j) + i, lanes), y, log_slope);
        simd::store(value.column(j) + i, y, lanes);
        simd::accumulate(sums + (i - first), log_slope);
      }
    }
    for (Index i = first; i < last; ++i) log_det.data[i] = static_cast<T>(sums[i - first]);
  }
}

/// Memory for a ReverseStack that grows until a recording fits.
template <class T>
class RecordingRoom {
  using B = simd::Batch<T>;

 public:
  explicit RecordingRoom(Workspace<T>& work) : work_(work) { grow(256); }
  /// Runs `record(stack)`, again with more memory if the stack was full.
  template <class Record>
  void run(Record&& record) {
    for (;;) {
      simd::ReverseStack<B> stack(entries_, adjoints_, capacity_);
      record(stack);
      if (!stack.full()) return;
      grow(capacity_ * 4);
    }
  }

 private:
  void grow(std::int32_t capacity) {
    capacity_ = capacity;
    entries_ = work_.template array<typename simd::ReverseStack<B>::Entry>(capacity);
    adjoints_ = work_.template array<B>(capacity);
  }
  Workspace<T>& work_;
  typename simd::ReverseStack<B>::Entry* entries_ = nullptr;
  B* adjoints_ = nullptr;
  std::int32_t capacity_ = 0;
};

}  // namespace pushforward
