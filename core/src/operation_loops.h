// What the operations share: one loop that maps broadcast blocks to a block, and its transpose, which adds a gradient
// summed over whatever was broadcast.
//
// Rows are the lanes. Blocks of one layout are one run of numbers, padding included; others go column by column and
// touch their own rows only.
#pragma once

#include <cstring>
#include <string>

#include "pushforward/linear_algebra.h"
#include "pushforward/operations.h"
#include "pushforward/simd.h"

namespace pushforward::detail {

// --- shapes ----------------------------------------------------------------------------------------------------------

inline std::string extents(Index rows, Index columns) { return std::to_string(rows) + " x " + std::to_string(columns); }
template <class T>
std::string extents(Var<T> x) {
  return extents(x.rows(), x.columns());
}
/// "add: 3 x 4 and 2 x 4: " and the rule.
template <class T>
[[noreturn]] void shape_error(const char* name, Var<T> a, Var<T> b, const char* rule) {
  throw ShapeError(std::string(name) + ": " + extents(a) + " and " + extents(b) + ": " + rule);
}

struct Extents {
  Index rows, columns;
};

/// The shape of the result of an operation that broadcasts.
template <class T>
Extents broadcast(const char* name, Extents shape, Var<T> b) {
  const auto fits = [](Index m, Index n) { return m == n || m == 1 || n == 1; };
  if (!fits(shape.rows, b.rows()) || !fits(shape.columns, b.columns()))
    throw ShapeError(std::string(name) + ": " + extents(shape.rows, shape.columns) + " and " + extents(b) +
                     ": extents must be equal or 1");
  return {shape.rows == 1 ? b.rows() : shape.rows, shape.columns == 1 ? b.columns() : shape.columns};
}

/// x repeated to rows x columns; x itself if it has that shape.
template <class T>
Var<T> broadcast_to(const char* name, Var<T> x, Index rows, Index columns);

// --- operands --------------------------------------------------------------------------------------------------------

/// Consecutive numbers.
template <class T>
struct Run {
  const T* p;
  simd::Batch<T> at(Index i) const { return simd::load(p + i); }
  simd::Batch<T> at(Index i, const simd::Lanes<T>& lanes) const { return lanes.load(p + i); }
};
/// One number for all.
template <class T>
struct Repeated {
  simd::Batch<T> number;
  const simd::Batch<T>& at(Index) const { return number; }
  const simd::Batch<T>& at(Index, const simd::Lanes<T>&) const { return number; }
};

/// An operand with the shape of the result.
template <class T>
struct Whole {
  Block<const T> block;
  bool has_layout(Index stride) const { return block.stride == stride; }
  template <class Use>
  void visit(bool, Index j, Index first, Use&& use) const {
    use(Run<T>{block.column(j) + first});
  }
};
/// The same, without its padding: for functions in which a lane's rounding depends on its neighbours.
template <class T>
struct RowsOnly : Whole<T> {
  bool has_layout(Index stride) const { return Whole<T>::has_layout(stride) && stride == this->block.rows; }
};
/// An operand that is broadcast to the shape of the result.
template <class T>
struct Spread {
  Block<const T> block;
  bool one_row, one_column;
  Spread(Block<const T> b, Index rows, Index columns)
      : block(b), one_row(b.rows == 1 && rows != 1), one_column(b.columns == 1 && columns != 1) {}
  bool has_layout(Index stride) const {
    return block.size() == 1 || (!one_row && !one_column && block.stride == stride);
  }
  template <class Use>
  void visit(bool flat, Index j, Index first, Use&& use) const {
    const T* p = block.column(one_column ? 0 : j);
    if (one_row || (flat && block.size() == 1))
      use(Repeated<T>{simd::Batch<T>(*p)});
    else
      use(Run<T>{p + first});
  }
};

/// Calls `use` with a cursor for each operand at rows `first` on of column j.
template <class Use>
void visit_all(bool, Index, Index, Use&& use) {
  use();
}
template <class Use, class First, class... Others>
void visit_all(bool flat, Index j, Index first, Use&& use, const First& operand, const Others&... others) {
  operand.visit(flat, j, first, [&](const auto& cursor) {
    visit_all(
        flat, j, first, [&](const auto&... cursors) { use(cursor, cursors...); }, others...);
  });
}

// --- maps ------------------------------------------------------------------------------------------------------------

/// out[i] = f(operands[i]...), or += if `add`.
template <class T, class F, class... Cursors>
void map_run(T* out, bool add, Index count, const F& f, const Cursors&... cursors) {
  using B = simd::Batch<T>;
  Index i = 0;
  for (; i + simd::kLanes<T> <= count; i += simd::kLanes<T>) {
    B y = f(cursors.at(i)...);
    if (add) y += simd::load(out + i);
    simd::store(out + i, y);
  }
  if (i < count) {
    const simd::Lanes<T> lanes(count - i);
    B y = f(cursors.at(i, lanes)...);
    if (add) y += lanes.load(out + i);
    lanes.store(out + i, y);
  }
}

/// True if blocks of this layout are one run of stride * columns numbers.
template <class T>
bool is_run(Block<T> b) {
  return b.stride == b.rows || b.stride == round_up(b.rows, kPadding);
}

/// out = f(operands...) for each element, or += if `add`.
template <class T, class F, class... Operands>
void map(Block<T> out, bool add, const F& f, const Operands&... operands) {
  const bool flat = is_run(out) && (operands.has_layout(out.stride) && ...);
  const Index columns = flat ? 1 : out.columns;
  const Index count = flat ? out.stride * out.columns : out.rows;
  if (count == 0) return;
  for (Index j = 0; j < columns; ++j)
    visit_all(
        flat, j, 0, [&](const auto&... cursors) { map_run(out.column(j), add, count, f, cursors...); }, operands...);
}

// --- sums ------------------------------------------------------------------------------------------------------------

/// A sum for each lane, in double.
template <class T>
class RowSums {
 public:
  void add(const simd::Batch<T>& v) {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4) {
      low_ += simd::Batch<double>(_mm512_cvtps_pd(_mm512_castps512_ps256(v)));
      high_ += simd::Batch<double>(_mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1))));
    } else {
      low_ += v;
    }
#else
    simd::accumulate(sums_, v);
#endif
  }
  /// Rounded to T.
  simd::Batch<T> value() const {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4)
      return simd::Batch<T>(
          _mm512_castpd_ps(_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_castps_pd(_mm512_cvtpd_ps(low_))),
                                              _mm256_castps_pd(_mm512_cvtpd_ps(high_)), 1)));
    else
      return low_;
#else
    alignas(64) T rounded[simd::kLanes<T>];
    for (Index i = 0; i < simd::kLanes<T>; ++i) rounded[i] = static_cast<T>(sums_[i]);
    return simd::load(rounded);
#endif
  }
  /// Of all lanes, always in the same order.
  double sum() const {
#ifdef __AVX512F__
    alignas(64) double sums_[simd::kLanes<double>];
    (sizeof(T) == 4 ? low_ + high_ : low_).store_aligned(sums_);
    return simd::sum_lanes<double>(sums_);
#else
    return simd::sum_lanes<T>(sums_);
#endif
  }

 private:
#ifdef __AVX512F__
  simd::Batch<double> low_ = simd::Batch<double>(0.0), high_ = simd::Batch<double>(0.0);
#else
  alignas(64) double sums_[simd::kLanes<T>] = {};
#endif
};

// --- gradients -------------------------------------------------------------------------------------------------------

/// Rows whose sums over columns are held at a time, in double.
inline constexpr Index kSumRows = 256;

/// out[i] = sums[i], or += if `add`.
template <class T>
void store_sums(T* out, bool add, const double* sums, Index count) {
  for (Index i = 0; i < count; ++i) out[i] = static_cast<T>(add ? static_cast<double>(out[i]) + sums[i] : sums[i]);
}

/// The sum of f over the rows of each column: into a 1 x K, or all of it into a 1 x 1.
template <class T, class F, class... Operands>
void add_sums_of_columns(Block<T> out, bool add, Extents shape, const F& f, const Operands&... operands) {
  alignas(64) T buffer[kSumRows];
  double sum = 0;
  for (Index j = 0; j < shape.columns; ++j) {
    for (Index first = 0; first < shape.rows; first += kSumRows) {
      const Index count = std::min(kSumRows, shape.rows - first);
      visit_all(
          false, j, first, [&](const auto&... cursors) { map_run(buffer, false, count, f, cursors...); }, operands...);
      sum += sum_in_order(buffer, count);
    }
    if (out.columns == 1 && j + 1 < shape.columns) continue;
    store_sums(out.column(out.columns == 1 ? 0 : j), add, &sum, 1);
    sum = 0;
  }
  if (shape.columns == 0 && !add && out.columns == 1) *out.data = T(0);
}

/// The sum of f over the columns of each row, into an N x 1.
template <class T, class F, class... Operands>
void add_sums_of_rows(Block<T> out, bool add, Extents shape, const F& f, const Operands&... operands) {
  alignas(64) T buffer[kSumRows];
  alignas(64) double sums[kSumRows];
  for (Index first = 0; first < shape.rows; first += kSumRows) {
    const Index count = std::min(kSumRows, shape.rows - first);
    const Index whole = round_up(count, simd::kLanes<T>);
    std::fill_n(sums, whole, 0.0);
    std::fill_n(buffer, whole, T(0));
    for (Index j = 0; j < shape.columns; ++j) {
      visit_all(
          false, j, first, [&](const auto&... cursors) { map_run(buffer, false, count, f, cursors...); }, operands...);
      for (Index i = 0; i < whole; i += simd::kLanes<T>) simd::accumulate(sums + i, simd::load(buffer + i));
    }
    store_sums(out.data + first, add, sums, count);
  }
}

/// Adds f(operands...), the derivative of a rows x columns result, to the gradient of input i: summed over the rows or
/// columns that were broadcast, in double. Each input is done with before the next is begun, because they may share
/// memory.
template <class T, class F, class... Operands>
void add_gradient(Vjp<T>& v, int i, const F& f, const Operands&... operands) {
  if (!v.wants(i)) return;
  const Extents shape{v.result(0).rows, v.result(0).columns};
  bool fresh;
  const Block<T> gradient = v.gradient(i, fresh);
  if (gradient.rows == shape.rows && gradient.columns == shape.columns)
    map(gradient, !fresh, f, operands...);
  else if (gradient.rows == shape.rows)
    add_sums_of_rows(gradient, !fresh, shape, f, operands...);
  else
    add_sums_of_columns(gradient, !fresh, shape, f, operands...);
}

/// Input i of an operation, broadcast to its result.
template <class T>
Spread<T> spread(Vjp<T>& v, int i) {
  return {v.value(i), v.result(0).rows, v.result(0).columns};
}

// --- blocks ----------------------------------------------------------------------------------------------------------

/// to = from, or += if `add`; the shapes are equal.
template <class T>
void copy(Block<T> to, bool add, Block<const T> from) {
  map(
      to, add, [](const simd::Batch<T>& x) { return x; }, Whole<T>{from});
}

}  // namespace pushforward::detail
