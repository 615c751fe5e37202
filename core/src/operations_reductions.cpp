// Sums over rows and columns, and the softmax family. Sums are taken in double, rows are the lanes.
#include <limits>

#include "operation_loops.h"

namespace pushforward {

namespace {

using detail::RowSums;
using detail::Spread;
using detail::Whole;

template <class T>
using B = simd::Batch<T>;

/// body(i, lanes) for each batch of rows.
template <class T, class Body>
void for_rows(Index rows, const Body& body) {
  for (Index i = 0; i < rows; i += simd::kLanes<T>) body(i, simd::Lanes<T>(rows - i));
}

/// The columns of a group; 0 means all of them.
Index group_of(const char* name, Index columns, Index group) {
  if (group == 0) return std::max<Index>(columns, 1);
  if (group < 0 || columns % group != 0)
    throw ShapeError(std::string(name) + ": " + std::to_string(columns) + " columns in groups of " +
                     std::to_string(group) + ": the columns must be a multiple of the group");
  return group;
}

// --- plain sums ------------------------------------------------------------------------------------------------------

template <class T>
void sum_columns_of_rows(Block<T> out, Block<const T> x) {
  for_rows<T>(x.rows, [&](Index i, const simd::Lanes<T>& lanes) {
    RowSums<T> sums;
    for (Index k = 0; k < x.columns; ++k) sums.add(lanes.load(x.column(k) + i));
    lanes.store(out.data + i, sums.value());
  });
}

/// Records y, a sum of x whose gradient is that of y repeated to x's shape; `again` is the operation itself.
template <class T>
Var<T> record_sum(const char* name, Var<T> x, Var<T> y, Var<T> (*again)(Var<T>)) {
  x.tape().primitive(
      name, {x}, {y},
      [](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        detail::map(
            gradient, !fresh, [](const B<T>& g) { return g; },
            Spread<T>(v.adjoint(0), gradient.rows, gradient.columns));
      },
      [again](Jvp<T>& j) { j.set(0, again(j.tangent(0))); });
  return y;
}

// --- softmax ---------------------------------------------------------------------------------------------------------

/// What is subtracted before exponentials are taken: the largest number of a row, or 0 where that is infinite.
template <class T>
B<T> subtrahend(Block<const T> x, Index first, Index count, Index i, const simd::Lanes<T>& lanes) {
  const B<T> infinity(std::numeric_limits<T>::infinity());
  B<T> m = -infinity;
  for (Index k = first; k < first + count; ++k) {
    const B<T> v = lanes.load(x.column(k) + i);
    m = simd::select(simd::is_nan(m), m, simd::max(m, v));  // a NaN in the second operand is the result
  }
  return simd::select(simd::abs(m) == infinity, B<T>(T(0)), m);
}

template <class T>
void softmax_values(Block<T> y, Block<const T> x, Index group) {
  for (Index first = 0; first < x.columns; first += group)
    for_rows<T>(x.rows, [&](Index i, const simd::Lanes<T>& lanes) {
      const B<T> m = subtrahend(x, first, group, i, lanes);
      RowSums<T> sums;
      for (Index k = first; k < first + group; ++k) {
        const B<T> w = simd::exp(lanes.load(x.column(k) + i) - m);
        lanes.store(y.column(k) + i, w);
        sums.add(w);
      }
      const B<T> scale = B<T>(T(1)) / sums.value();
      for (Index k = first; k < first + group; ++k) lanes.store(y.column(k) + i, lanes.load(y.column(k) + i) * scale);
    });
}

/// y (g - sum y g) for each group.
template <class T>
void softmax_gradient(Block<T> gradient, bool add, Block<const T> y, Block<const T> g, Index group) {
  for (Index first = 0; first < y.columns; first += group)
    for_rows<T>(y.rows, [&](Index i, const simd::Lanes<T>& lanes) {
      RowSums<T> sums;
      for (Index k = first; k < first + group; ++k) sums.add(lanes.load(y.column(k) + i) * lanes.load(g.column(k) + i));
      const B<T> mean = sums.value();
      for (Index k = first; k < first + group; ++k) {
        T* p = gradient.column(k) + i;
        const B<T> d = lanes.load(y.column(k) + i) * (lanes.load(g.column(k) + i) - mean);
        lanes.store(p, add ? lanes.load(p) + d : d);
      }
    });
}

/// The sum of each group, in each of its columns: linear and symmetric, its own adjoint.
template <class T>
void sum_groups(Block<T> out, bool add, Block<const T> x, Index group) {
  for (Index first = 0; first < x.columns; first += group)
    for_rows<T>(x.rows, [&](Index i, const simd::Lanes<T>& lanes) {
      RowSums<T> sums;
      for (Index k = first; k < first + group; ++k) sums.add(lanes.load(x.column(k) + i));
      const B<T> s = sums.value();
      for (Index k = first; k < first + group; ++k) {
        T* p = out.column(k) + i;
        lanes.store(p, add ? lanes.load(p) + s : s);
      }
    });
}
template <class T>
Var<T> group_sum(Var<T> x, Index group) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  sum_groups(y.data(), false, x.value(), group);
  x.tape().primitive(
      "group_sum", {x}, {y},
      [group](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        sum_groups(gradient, !fresh, v.adjoint(0), group);
      },
      [group](Jvp<T>& j) { j.set(0, group_sum(j.tangent(0), group)); });
  return y;
}

/// Running sums over each group, from the left or from the right: each is the other's adjoint.
template <class T>
void running_sums(Block<T> out, bool add, Block<const T> x, Index group, bool from_left) {
  for (Index first = 0; first < x.columns; first += group)
    for_rows<T>(x.rows, [&](Index i, const simd::Lanes<T>& lanes) {
      RowSums<T> sums;
      for (Index n = 0; n < group; ++n) {
        const Index k = first + (from_left ? n : group - 1 - n);
        sums.add(lanes.load(x.column(k) + i));
        T* p = out.column(k) + i;
        lanes.store(p, add ? lanes.load(p) + sums.value() : sums.value());
      }
    });
}

}  // namespace

template <class T>
Var<T> row_sum(Var<T> x) {
  const Var<T> y = x.tape().make(x.rows(), 1);
  sum_columns_of_rows(y.data(), x.value());
  return record_sum("row_sum", x, y, row_sum<T>);
}

template <class T>
Var<T> column_sum(Var<T> x) {
  const Var<T> y = x.tape().make(1, x.columns());
  for (Index k = 0; k < x.columns(); ++k)
    y.data().data[k] = static_cast<T>(sum_in_order(x.value().column(k), x.rows()));
  return record_sum("column_sum", x, y, column_sum<T>);
}

template <class T>
Var<T> sum(Var<T> x) {
  const Var<T> y = x.tape().make(1, 1);
  const Block<const T> b = x.value();
  double total = 0;
  if (b.stride == b.rows)
    total = sum_in_order(b.data, b.size());
  else
    for (Index k = 0; k < b.columns; ++k) total += sum_in_order(b.column(k), b.rows);
  *y.data().data = static_cast<T>(total);
  return record_sum("sum", x, y, sum<T>);
}

template <class T>
Var<T> log_sum_exp(Var<T> x) {
  const Var<T> y = x.tape().make(x.rows(), 1);
  const Block<const T> in = x.value();
  for_rows<T>(x.rows(), [&](Index i, const simd::Lanes<T>& lanes) {
    const B<T> m = subtrahend(in, 0, in.columns, i, lanes);
    RowSums<T> sums;
    for (Index k = 0; k < in.columns; ++k) sums.add(simd::exp(lanes.load(in.column(k) + i) - m));
    lanes.store(y.data().data + i, m + simd::log(sums.value()));
  });
  x.tape().primitive(
      "log_sum_exp", {x}, {y},
      [](Vjp<T>& v) {
        const auto weighted = [](const B<T>& g, const B<T>& at, const B<T>& result) {
          const B<T> none(-std::numeric_limits<T>::infinity());  // a row of weights that are all zero
          return g * simd::select(result == none, B<T>(T(0)), simd::exp(at - result));
        };
        const Index rows = v.value(0).rows, columns = v.value(0).columns;
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        detail::map(gradient, !fresh, weighted, Spread<T>(v.adjoint(0), rows, columns), Whole<T>{v.value(0)},
                    Spread<T>(v.result(0), rows, columns));
      },
      [](Jvp<T>& j) { j.set(0, row_sum(softmax(j.input(0)) * j.tangent(0))); });
  return y;
}

template <class T>
Var<T> softmax(Var<T> x, Index group) {
  const Index size = group_of("softmax", x.columns(), group);
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  softmax_values(y.data(), x.value(), size);
  x.tape().primitive(
      "softmax", {x}, {y},
      [size](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        softmax_gradient(gradient, !fresh, v.result(0), v.adjoint(0), size);
      },
      [size](Jvp<T>& j) {
        const Var<T> out = j.output(0), t = j.tangent(0);
        j.set(0, out * (t - group_sum(out * t, size)));
      });
  return y;
}

template <class T>
Var<T> cumulative_sum(Var<T> x, Index group) {
  const Index size = group_of("cumulative_sum", x.columns(), group);
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  running_sums(y.data(), false, x.value(), size, true);
  x.tape().primitive(
      "cumulative_sum", {x}, {y},
      [size](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        running_sums(gradient, !fresh, v.adjoint(0), size, false);
      },
      [size](Jvp<T>& j) { j.set(0, cumulative_sum(j.tangent(0), size)); });
  return y;
}

#define PUSHFORWARD_INSTANTIATE(T)        \
  template Var<T> row_sum(Var<T>);        \
  template Var<T> column_sum(Var<T>);     \
  template Var<T> sum(Var<T>);            \
  template Var<T> log_sum_exp(Var<T>);    \
  template Var<T> softmax(Var<T>, Index); \
  template Var<T> cumulative_sum(Var<T>, Index);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
