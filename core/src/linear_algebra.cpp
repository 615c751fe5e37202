#include "pushforward/linear_algebra.h"

#include <algorithm>

#include "blas.h"
#include "products.h"
#include "pushforward/simd.h"

namespace pushforward {

namespace {

template <class T>
void scale(Block<T> c, T beta) {
  if (beta == T(1)) return;
  for (Index j = 0; j < c.columns; ++j) {
    T* p = c.column(j);
    if (beta == T(0))
      std::fill_n(p, c.rows, T(0));
    else
      for (Index i = 0; i < c.rows; ++i) p[i] *= beta;
  }
}

/// kDoubles numbers as doubles.
constexpr Index kDoubles = simd::kLanes<double>;
simd::Batch<double> load_doubles(const double* p) { return simd::load(p); }
simd::Batch<double> load_doubles(const float* p) {
#ifdef __AVX512F__
  return simd::Batch<double>(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#elif defined(__AVX__)
  return simd::Batch<double>(_mm256_cvtps_pd(_mm_loadu_ps(p)));
#else
  alignas(64) double numbers[kDoubles];
  for (Index i = 0; i < kDoubles; ++i) numbers[i] = static_cast<double>(p[i]);
  return simd::Batch<double>::load_aligned(numbers);
#endif
}

/// Adds term(i), a batch of kDoubles numbers from i on, over whole batches, then last(i) over the rest. Four
/// accumulators hide the latency of an addition; number i always goes to the same place of the same one.
template <class Term, class Last>
double add_up(Index n, const Term& term, const Last& last) {
  using B = simd::Batch<double>;
  B sums[4] = {B(0.0), B(0.0), B(0.0), B(0.0)};
  Index i = 0;
  for (; i + 4 * kDoubles <= n; i += 4 * kDoubles)
    for (Index k = 0; k < 4; ++k) sums[k] += term(i + k * kDoubles);
  for (Index k = 0; i + kDoubles <= n; i += kDoubles, ++k) sums[k] += term(i);
  alignas(64) double lanes[kDoubles];
  ((sums[0] + sums[1]) + (sums[2] + sums[3])).store_aligned(lanes);
  double rest = 0;
  for (; i < n; ++i) rest += last(i);
  return simd::sum_lanes<double>(lanes) + rest;
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c) {
  const Index inner = transpose_a ? a.rows : a.columns;
  if (c.rows == 0 || c.columns == 0) return;
  if (inner == 0) return scale(c, beta);
  if (c.rows == 1) {
    // C' = op(B)' op(A)'. BLAS may read the C that beta = 0 says is not there.
    scale(c, beta);
    blas::add_matrix_vector(!transpose_b, b, a.data, transpose_a ? Index{1} : a.stride, c.data, c.stride);
    return;
  }
  if (c.columns == 1 && transpose_a) {
    scale(c, beta);
    blas::add_matrix_vector(transpose_a, a, b.data, transpose_b ? b.stride : Index{1}, c.data, Index{1});
    return;
  }
  if (multiplies_faster(c.rows, inner, c.columns)) return multiply(transpose_a, transpose_b, a, b, beta, c);
  blas::add_product(transpose_a, transpose_b, T(1), a, b, beta, c);
}

template <class T>
double sum_in_order(const T* x, Index n) {
  return add_up(
      n, [x](Index i) { return load_doubles(x + i); }, [x](Index i) { return static_cast<double>(x[i]); });
}

template <class T>
double dot_in_order(const T* x, const T* y, Index n) {
  return add_up(
      n, [x, y](Index i) { return load_doubles(x + i) * load_doubles(y + i); },
      [x, y](Index i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); });
}

#define PUSHFORWARD_INSTANTIATE(T)                                                \
  template void gemm<T>(bool, bool, Block<const T>, Block<const T>, T, Block<T>); \
  template double sum_in_order<T>(const T*, Index);                               \
  template double dot_in_order<T>(const T*, const T*, Index);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
