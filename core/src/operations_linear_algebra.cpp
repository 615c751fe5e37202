// Products, triangular systems and determinants.
#include <cmath>
#include <utility>

#include "blas.h"
#include "operation_loops.h"

namespace pushforward {

namespace {

using detail::extents;

template <class T>
void require_square(const char* name, Var<T> a) {
  if (a.rows() != a.columns()) throw ShapeError(std::string(name) + ": " + extents(a) + ": the matrix must be square");
}

// --- triangles -------------------------------------------------------------------------------------------------------

/// Rows of column j that belong to a triangle of a size x size matrix.
struct RowRange {
  Index first, last;
};
RowRange rows_of_triangle(Triangle triangle, bool without_diagonal, Index size, Index j) {
  const Index skip = without_diagonal ? 1 : 0;
  return triangle == Triangle::lower ? RowRange{std::min(j + skip, size), size} : RowRange{0, j + 1 - skip};
}

/// out (or +=) factor times the triangle of x, zero elsewhere.
template <class T>
void copy_triangle(Block<T> out, bool add, T factor, Block<const T> x, Triangle triangle, bool without_diagonal) {
  for (Index j = 0; j < x.columns; ++j) {
    const RowRange inside = rows_of_triangle(triangle, without_diagonal, x.rows, j);
    if (!add) std::fill_n(out.column(j), out.rows, T(0));
    for (Index i = inside.first; i < inside.last; ++i) out(i, j) += factor * x(i, j);
  }
}

/// The triangle of x, zeros elsewhere.
template <class T>
Var<T> triangle_of(Var<T> x, Triangle triangle, bool without_diagonal) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  copy_triangle(y.data(), false, T(1), x.value(), triangle, without_diagonal);
  x.tape().primitive(
      "triangle_of", {x}, {y},
      [=](Vjp<T>& v) {
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        copy_triangle(gradient, !fresh, T(1), v.adjoint(0), triangle, without_diagonal);
      },
      [=](Jvp<T>& j) { j.set(0, triangle_of(j.tangent(0), triangle, without_diagonal)); });
  return y;
}

// --- LU --------------------------------------------------------------------------------------------------------------

template <class T>
void swap_rows(Block<T> a, Index i, Index j) {
  if (i == j) return;
  for (Index k = 0; k < a.columns; ++k) std::swap(a(i, k), a(j, k));
}

/// LU decomposition in place with partial pivoting, by halves (S. Toledo, "Locality of reference in LU decomposition
/// with partial pivoting", 1997): almost all of it is matrix products. Row i was swapped with pivots[i] >= i. A column
/// without a pivot leaves a zero on the diagonal.
template <class T>
void decompose(Block<T> a, Index* pivots) {
  if (a.columns == 0) return;
  if (a.columns == 1) {
    Index best = 0;
    for (Index i = 1; i < a.rows; ++i)
      if (std::abs(a.data[i]) > std::abs(a.data[best])) best = i;
    pivots[0] = best;
    swap_rows(a, 0, best);
    if (a.data[0] == T(0)) return;
    const T inverse = T(1) / a.data[0];
    for (Index i = 1; i < a.rows; ++i) a.data[i] *= inverse;
    return;
  }
  const Index half = a.columns / 2, rest = a.columns - half, below = a.rows - half;
  const Block<T> left = a.middle_columns(0, half), right = a.middle_columns(half, rest);
  decompose(left, pivots);
  for (Index i = 0; i < half; ++i) swap_rows(right, i, pivots[i]);
  const Block<T> top = right.middle_rows(0, half), bottom = right.middle_rows(half, below);
  const Block<T> lower = left.middle_rows(half, below);
  blas::solve_triangular<T>(true, false, true, left.middle_rows(0, half), top);
  blas::add_product<T>(false, false, T(-1), lower, top, T(1), bottom);
  decompose(bottom, pivots + half);
  for (Index i = half; i < a.columns; ++i) {
    pivots[i] += half;
    swap_rows(left, i, pivots[i]);
  }
}

template <class T>
struct Decomposition {
  Block<T> lu;
  Index* pivots;
};
/// In the tape's memory.
template <class T>
Decomposition<T> decompose(Tape<T>& tape, Block<const T> a) {
  const Decomposition<T> d{tape.block(a.rows, a.columns), tape.template scratch<Index>(a.rows)};
  detail::copy(d.lu, false, a);
  decompose(d.lu, d.pivots);
  return d;
}

/// out = a^-T. From P a = L U: a^-T = P' L^-T U^-T.
template <class T>
void invert_transposed(Tape<T>& tape, Block<const T> a, Block<T> out) {
  const Decomposition<T> d = decompose(tape, a);
  for (Index j = 0; j < out.columns; ++j)
    for (Index i = 0; i < out.rows; ++i) out(i, j) = i == j ? T(1) : T(0);
  blas::solve_triangular<T>(false, true, false, d.lu, out);
  blas::solve_triangular<T>(true, true, true, d.lu, out);
  for (Index i = out.rows; i-- > 0;) swap_rows(out, i, d.pivots[i]);
}

/// a^-T of a square matrix.
template <class T>
Var<T> inverse_transposed(Var<T> a) {
  const Var<T> y = a.tape().make(a.rows(), a.columns());
  {
    const auto mark = a.tape().mark();
    invert_transposed(a.tape(), a.value(), y.data());
    a.tape().rewind(mark);
  }
  a.tape().primitive(
      "inverse_transposed", {a}, {y},
      [](Vjp<T>& v) {  // dY = -Y da' Y, so the gradient of a is -Y G' Y
        const Block<const T> result = v.result(0);
        const Block<T> product = v.tape().block(result.rows, result.columns);
        blas::add_product<T>(false, true, T(1), result, v.adjoint(0), T(0), product);
        blas::add_product<T>(false, false, T(-1), product, result, T(1), v.gradient(0));
      },
      [](Jvp<T>& j) {
        const Var<T> out = j.output(0);
        j.set(0, -matmul(matmul(out, j.tangent(0), false, true), out));
      });
  return y;
}

}  // namespace

template <class T>
Var<T> matmul(Var<T> a, Var<T> b, bool transpose_a, bool transpose_b) {
  const Index rows = transpose_a ? a.columns() : a.rows(), inner = transpose_a ? a.rows() : a.columns();
  const Index columns = transpose_b ? b.rows() : b.columns();
  if (inner != (transpose_b ? b.columns() : b.rows()))
    throw ShapeError("matmul: " + extents(a) + (transpose_a ? " transposed" : "") + " and " + extents(b) +
                     (transpose_b ? " transposed" : "") + ": the first's columns must equal the second's rows");
  const Var<T> y = a.tape().make(rows, columns);
  gemm<T>(transpose_a, transpose_b, a.value(), b.value(), T(0), y.data());
  a.tape().primitive(
      "matmul", {a, b}, {y},
      [transpose_a, transpose_b](Vjp<T>& v) {
        const Block<const T> g = v.adjoint(0);
        bool fresh;
        if (v.wants(0)) {
          const Block<T> gradient = v.gradient(0, fresh);
          const T keep = fresh ? T(0) : T(1);
          if (transpose_a)
            gemm<T>(transpose_b, true, v.value(1), g, keep, gradient);
          else
            gemm<T>(false, !transpose_b, g, v.value(1), keep, gradient);
        }
        if (v.wants(1)) {
          const Block<T> gradient = v.gradient(1, fresh);
          const T keep = fresh ? T(0) : T(1);
          if (transpose_b)
            gemm<T>(true, transpose_a, g, v.value(0), keep, gradient);
          else
            gemm<T>(!transpose_a, false, v.value(0), g, keep, gradient);
        }
      },
      [transpose_a, transpose_b](Jvp<T>& j) {
        Var<T> t;
        if (j.has_tangent(0)) t = matmul(j.tangent(0), j.input(1), transpose_a, transpose_b);
        if (j.has_tangent(1)) {
          const Var<T> second = matmul(j.input(0), j.tangent(1), transpose_a, transpose_b);
          t = t ? t + second : second;
        }
        j.set(0, t);
      });
  return y;
}

template <class T>
Var<T> triangular_solve(Var<T> t, Var<T> b, Triangle triangle, bool unit_diagonal, bool transposed) {
  require_square("triangular_solve", t);
  if (t.rows() != b.rows()) detail::shape_error("triangular_solve", t, b, "rows must be equal");
  const bool lower = triangle == Triangle::lower;
  const Var<T> x = t.tape().make(b.rows(), b.columns());
  detail::copy(x.data(), false, b.value());
  blas::solve_triangular<T>(lower, transposed, unit_diagonal, t.value(), x.data());
  t.tape().primitive(
      "triangular_solve", {t, b}, {x},
      [=](Vjp<T>& v) {
        // With op(t) X = b: the gradient of b is h = op(t)^-T g, that of op(t) is -h X'.
        const Block<const T> matrix = v.value(0), solution = v.result(0);
        const Block<T> h = v.adjoint_scratch(0);
        blas::solve_triangular<T>(lower, !transposed, unit_diagonal, matrix, h);
        bool fresh;
        if (v.wants(0)) {
          const Block<T> full = v.tape().block(matrix.rows, matrix.columns);
          if (transposed)
            gemm<T>(false, true, solution, h, T(0), full);
          else
            gemm<T>(false, true, h, solution, T(0), full);
          const Block<T> gradient = v.gradient(0, fresh);
          copy_triangle<T>(gradient, !fresh, T(-1), full, triangle, unit_diagonal);
        }
        if (v.wants(1)) {
          const Block<T> gradient = v.gradient(1, fresh);
          detail::copy<T>(gradient, !fresh, h);
        }
      },
      [=](Jvp<T>& j) {
        Var<T> right = j.tangent(1);
        if (j.has_tangent(0)) {
          const Var<T> moved = matmul(triangle_of(j.tangent(0), triangle, unit_diagonal), j.output(0), transposed);
          right = right ? right - moved : -moved;
        }
        j.set(0, triangular_solve(j.input(0), right, triangle, unit_diagonal, transposed));
      });
  return x;
}

template <class T>
Var<T> log_abs_det(Var<T> a) {
  require_square("log_abs_det", a);
  const Var<T> y = a.tape().make(1, 1);
  const auto mark = a.tape().mark();
  const Decomposition<T> d = decompose(a.tape(), a.value());
  double total = 0;
  for (Index i = 0; i < a.rows(); ++i) total += std::log(std::abs(static_cast<double>(d.lu(i, i))));
  *y.data().data = static_cast<T>(total);
  a.tape().rewind(mark);
  a.tape().primitive(
      "log_abs_det", {a}, {y},
      [](Vjp<T>& v) {
        const Block<T> inverse = v.tape().block(v.value(0).rows, v.value(0).columns);
        invert_transposed(v.tape(), v.value(0), inverse);
        bool fresh;
        const Block<T> gradient = v.gradient(0, fresh);
        detail::map(
            gradient, !fresh, [](const simd::Batch<T>& x, const simd::Batch<T>& g) { return x * g; },
            detail::Whole<T>{inverse}, detail::Spread<T>(v.adjoint(0), gradient.rows, gradient.columns));
      },
      [](Jvp<T>& j) { j.set(0, sum(inverse_transposed(j.input(0)) * j.tangent(0))); });
  return y;
}

#define PUSHFORWARD_INSTANTIATE(T)                                        \
  template Var<T> matmul(Var<T>, Var<T>, bool, bool);                     \
  template Var<T> triangular_solve(Var<T>, Var<T>, Triangle, bool, bool); \
  template Var<T> log_abs_det(Var<T>);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
