// Whole columns, moved: views, concatenation, permutation, reshaping.
#include "operation_loops.h"

namespace pushforward {

namespace {

using detail::copy;
using detail::extents;

/// Consecutive numbers of a block, read column by column.
template <class T>
class Reading {
 public:
  explicit Reading(Block<T> block) : block_(block) {}
  T* place() const { return block_.column(column_) + row_; }
  Index left_in_column() const { return block_.rows - row_; }
  void advance(Index count) {
    row_ += count;
    if (row_ < block_.rows) return;
    row_ = 0;
    ++column_;
  }

 private:
  Block<T> block_;
  Index row_ = 0, column_ = 0;
};

/// to = from (or +=), number by number in the order of the columns; the shapes may differ, the sizes do not.
template <class T>
void copy_in_reading_order(Block<T> to, bool add, Block<const T> from) {
  Reading<T> target(to);
  Reading<const T> source(from);
  for (Index left = to.size(); left > 0;) {
    const Index count = std::min(target.left_in_column(), source.left_in_column());
    detail::map_run(
        target.place(), add, count, [](const simd::Batch<T>& x) { return x; }, detail::Run<T>{source.place()});
    target.advance(count);
    source.advance(count);
    left -= count;
  }
}

/// to = transpose of from (or +=), in tiles that fit the first cache.
template <class T>
void copy_transposed(Block<T> to, bool add, Block<const T> from) {
  constexpr Index kTile = 32;
  for (Index j0 = 0; j0 < from.columns; j0 += kTile)
    for (Index i0 = 0; i0 < from.rows; i0 += kTile) {
      const Index j1 = std::min(j0 + kTile, from.columns), i1 = std::min(i0 + kTile, from.rows);
      for (Index i = i0; i < i1; ++i) {
        T* out = to.column(i);
        for (Index j = j0; j < j1; ++j) out[j] = add ? out[j] + from(i, j) : from(i, j);
      }
    }
}

}  // namespace

template <class T>
Var<T> columns(Var<T> x, Index first, Index count) {
  return x.tape().view(x, first, count);
}

template <class T>
Var<T> concatenate(std::span<const Var<T>> parts) {
  if (parts.empty()) throw ShapeError("concatenate: no parts");
  if (parts.size() == 1) return parts[0];
  Index total = 0;
  for (const Var<T>& part : parts) {
    if (part.rows() != parts[0].rows()) detail::shape_error("concatenate", parts[0], part, "rows must be equal");
    total += part.columns();
  }
  Tape<T>& tape = parts[0].tape();
  const Var<T> y = tape.make(parts[0].rows(), total);
  Index first = 0;
  for (const Var<T>& part : parts) {
    copy(y.data().middle_columns(first, part.columns()), false, part.value());
    first += part.columns();
  }
  const int count = static_cast<int>(parts.size());
  const Var<T> outputs[] = {y};
  tape.primitive(
      "concatenate", parts, std::span<const Var<T>>(outputs),
      [count](Vjp<T>& v) {
        Index at = 0;
        for (int i = 0; i < count; ++i) {
          const Index width = v.value(i).columns;
          const Block<const T> g = v.adjoint(0).middle_columns(at, width);
          at += width;
          if (!v.wants(i)) continue;
          bool fresh;
          const Block<T> gradient = v.gradient(i, fresh);
          copy(gradient, !fresh, g);
        }
      },
      [count](Jvp<T>& j) {
        Var<T>* tangents = j.tape().template scratch<Var<T>>(count);
        for (int i = 0; i < count; ++i)
          tangents[i] = j.has_tangent(i) ? j.tangent(i) : j.tape().full(j.input(i).rows(), j.input(i).columns(), T(0));
        j.set(0, concatenate(std::span<const Var<T>>(tangents, static_cast<std::size_t>(count))));
      });
  return y;
}

template <class T>
Var<T> permute(Var<T> x, std::span<const Index> indices) {
  for (const Index index : indices)
    if (index < 0 || index >= x.columns())
      throw ShapeError("permute: index " + std::to_string(index) + " into a block of " + extents(x) +
                       ": indices must be 0 to " + std::to_string(x.columns() - 1));
  const Index count = static_cast<Index>(indices.size());
  const Var<T> y = x.tape().make(x.rows(), count);
  for (Index j = 0; j < count; ++j)
    copy(y.data().middle_columns(j, 1), false, x.value().middle_columns(indices[static_cast<std::size_t>(j)], 1));
  x.tape().primitive(
      "permute", {x}, {y},
      [indices, count](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        // The first column that goes to a place overwrites it, if nothing was there; places that none goes to are zero.
        bool* filled = v.tape().template scratch<bool>(gradient.columns);
        std::fill_n(filled, gradient.columns, !fresh);
        for (Index j = 0; j < count; ++j) {
          const Index k = indices[static_cast<std::size_t>(j)];
          copy(gradient.middle_columns(k, 1), filled[k], v.adjoint(0).middle_columns(j, 1));
          filled[k] = true;
        }
        for (Index k = 0; k < gradient.columns; ++k)
          if (!filled[k]) std::fill_n(gradient.column(k), gradient.rows, T(0));
      },
      [indices](Jvp<T>& j) { j.set(0, permute(j.tangent(0), indices)); });
  return y;
}

template <class T>
Var<T> repeat_rows(Var<T> x, Index rows) {
  if (x.rows() != 1 || rows < 0)
    throw ShapeError("repeat_rows: " + extents(x) + " to " + std::to_string(rows) + " rows: only one row can be");
  return detail::broadcast_to("repeat_rows", x, rows, x.columns());
}

template <class T>
Var<T> reshape(Var<T> x, Index rows, Index columns) {
  if (rows < 0 || columns < 0 || rows * columns != x.value().size())
    throw ShapeError("reshape: " + extents(x) + " to " + extents(rows, columns) + ": sizes must be equal");
  const Var<T> y = x.tape().make(rows, columns);
  copy_in_reading_order(y.data(), false, x.value());
  x.tape().primitive(
      "reshape", {x}, {y},
      [](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        copy_in_reading_order(gradient, !fresh, v.adjoint(0));
      },
      [](Jvp<T>& j) { j.set(0, reshape(j.tangent(0), j.output(0).rows(), j.output(0).columns())); });
  return y;
}

template <class T>
Var<T> transpose(Var<T> x) {
  const Var<T> y = x.tape().make(x.columns(), x.rows());
  copy_transposed(y.data(), false, x.value());
  x.tape().primitive(
      "transpose", {x}, {y},
      [](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        copy_transposed(gradient, !fresh, v.adjoint(0));
      },
      [](Jvp<T>& j) { j.set(0, transpose(j.tangent(0))); });
  return y;
}

#define PUSHFORWARD_INSTANTIATE(T)                         \
  template Var<T> columns(Var<T>, Index, Index);           \
  template Var<T> concatenate(std::span<const Var<T>>);    \
  template Var<T> permute(Var<T>, std::span<const Index>); \
  template Var<T> repeat_rows(Var<T>, Index);              \
  template Var<T> reshape(Var<T>, Index, Index);           \
  template Var<T> transpose(Var<T>);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
