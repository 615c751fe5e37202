// The BLAS routines that core uses, for float and double, on blocks. On one thread: shards are the unit of parallelism.
#pragma once

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <string>

#include "pushforward/block.h"
#include "pushforward/error.h"

namespace pushforward::blas {

/// Once in a process, before the first product.
inline void use_one_thread() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
}

inline int extent(Index n) {
  if (n > std::numeric_limits<int>::max())
    throw ShapeError("gemm: an extent of " + std::to_string(n) + " does not fit the BLAS's integers");
  return static_cast<int>(n);
}
template <class T>
int leading(Block<T> b) {
  return extent(std::max({b.stride, b.rows, Index{1}}));
}
inline CBLAS_TRANSPOSE operation(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

/// C = alpha op(A) op(B) + beta C
template <class T>
void add_product(bool transpose_a, bool transpose_b, T alpha, Block<const T> a, Block<const T> b, T beta, Block<T> c) {
  use_one_thread();
  const int inner = extent(transpose_a ? a.rows : a.columns);
  if constexpr (sizeof(T) == 4)
    cblas_sgemm(CblasColMajor, operation(transpose_a), operation(transpose_b), extent(c.rows), extent(c.columns), inner,
                alpha, a.data, leading(a), b.data, leading(b), beta, c.data, leading(c));
  else
    cblas_dgemm(CblasColMajor, operation(transpose_a), operation(transpose_b), extent(c.rows), extent(c.columns), inner,
                alpha, a.data, leading(a), b.data, leading(b), beta, c.data, leading(c));
}

/// y += op(A) x
template <class T>
void add_matrix_vector(bool transpose, Block<const T> a, const T* x, Index x_step, T* y, Index y_step) {
  use_one_thread();
  if constexpr (sizeof(T) == 4)
    cblas_sgemv(CblasColMajor, operation(transpose), extent(a.rows), extent(a.columns), 1.0f, a.data, leading(a), x,
                extent(x_step), 1.0f, y, extent(y_step));
  else
    cblas_dgemv(CblasColMajor, operation(transpose), extent(a.rows), extent(a.columns), 1.0, a.data, leading(a), x,
                extent(x_step), 1.0, y, extent(y_step));
}

/// b = op(t)^-1 b for a triangular t.
template <class T>
void solve_triangular(bool lower, bool transpose, bool unit_diagonal, Block<const T> t, Block<T> b) {
  if (b.rows == 0 || b.columns == 0) return;
  use_one_thread();
  const CBLAS_UPLO part = lower ? CblasLower : CblasUpper;
  const CBLAS_DIAG diagonal = unit_diagonal ? CblasUnit : CblasNonUnit;
  if constexpr (sizeof(T) == 4)
    cblas_strsm(CblasColMajor, CblasLeft, part, operation(transpose), diagonal, extent(b.rows), extent(b.columns), 1.0f,
                t.data, leading(t), b.data, leading(b));
  else
    cblas_dtrsm(CblasColMajor, CblasLeft, part, operation(transpose), diagonal, extent(b.rows), extent(b.columns), 1.0,
                t.data, leading(t), b.data, leading(b));
}

}  // namespace pushforward::blas
