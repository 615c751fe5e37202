// The normal distribution function and its inverse for kernel scalars, to the last digits of either precision and with
// full relative accuracy in the left tail.
#pragma once

#include "pushforward/kernel_scalars.h"
#include "pushforward/quantile_table.h"

namespace pushforward::simd {

namespace detail {

/// c[0] + c[1] x + ... by Horner's rule.
template <class B, std::size_t N>
PUSHFORWARD_KERNEL_INLINE B polynomial(const double (&c)[N], const B& x) {
  B sum(static_cast<typename B::value_type>(c[N - 1]));
  for (std::size_t k = N - 1; k-- > 0;) sum = simd::fma(sum, x, B(static_cast<typename B::value_type>(c[k])));
  return sum;
}

/// log(exp(z^2) erfc(z) / t) with t = 2 / (2 + z) for z >= 0: a Chebyshev series in 2 t - 1, fitted with 60 digits.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> log_scaled_erfc(const Batch<T>& t) {
  using B = Batch<T>;
  constexpr double kSeries[] = {
      -0.6513268598908547171,     0.6419697923564902603,      0.019476473204185836312,    -0.0095615147868086316419,
      -0.0009465953444820368663,  0.00036683949785276145187,  0.000042523324806907771645, -0.000020278578112534243154,
      -1.6242900046470255135e-6,  1.3036558355805232018e-6,   1.5626441722066143178e-8,   -8.5238095914926542525e-8,
      6.5290544390988514964e-9,   5.0593434955514689418e-9,   -9.9136415649303308674e-10, -2.2736512229318358557e-10,
      9.646791102015526802e-11,   2.3940380830391147447e-12,  -6.8860275264975533984e-12, 8.9448792730907257167e-13,
      3.1309213993429580783e-13,  -1.1270822361367252366e-13, 3.8109052551892320552e-16,  7.1060976136092369878e-15,
      -1.5230282014571043043e-15, -9.4574945712912340005e-17, 1.2102371892242789923e-16};
  constexpr int kTerms = sizeof(T) == 4 ? 15 : 27;
  const B s = t + t - B(T(1)), twice = s + s;
  B next(T(0)), after(T(0));
  for (int k = kTerms - 1; k > 0; --k) {
    const B here = simd::fma(twice, next, B(static_cast<T>(kSeries[k])) - after);
    after = next;
    next = here;
  }
  return simd::fma(s, next, B(static_cast<T>(kSeries[0])) - after);
}

/// The quantile of p from p - 1/2 and min(p, 1 - p), so that neither end costs digits.
///
/// M. J. Wichura, Algorithm AS 241: the percentage points of the normal distribution, Applied Statistics 37 (1988).
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> normal_quantile(const Batch<T>& centred, const Batch<T>& tail) {
  using B = Batch<T>;
  using namespace quantile_table;  // NOLINT: the paper's letters
  const B r = simd::fma(-centred, centred, B(T(0.180625)));
  const B middle = centred * polynomial(kA, r) / polynomial(kB, r);
  const B depth = simd::sqrt(-simd::log(tail)), near = depth - B(T(1.6)), far = depth - B(T(5));
  B outer = simd::select(depth <= B(T(5)), polynomial(kC, near) / polynomial(kD, near),
                         polynomial(kE, far) / polynomial(kF, far));
  outer = simd::select(tail == B(T(0)), B(std::numeric_limits<T>::infinity()), outer);
  return simd::select(simd::abs(centred) <= B(T(0.425)), middle, simd::select(centred < B(T(0)), -outer, outer));
}

}  // namespace detail

inline constexpr double kSqrtTwoPi = 2.50662827463100050242, kLogSqrtTwoPi = 0.918938533204672741780;

/// The probability of a standard normal number below x.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> normal_cdf(const Batch<T>& x) {
  using B = Batch<T>;
  // Beyond 50 it is 0 or 1; the constant first, so that a NaN stays.
  const B a = min(B(T(50)), abs(x)), half(T(0.5));
  const B t = B(T(2)) / fma(a, B(T(0.707106781186547524401)), B(T(2)));
  // exp(-a^2 / 2) needs more digits of the square than a number has: a^2 = coarse^2 (exact) + rest.
  const B coarse = floor(a * B(T(16))) * B(T(0.0625)), rest = (a - coarse) * (a + coarse);
  const B tail = half * t * exp(-half * coarse * coarse) * exp(fma(-half, rest, detail::log_scaled_erfc(t)));
  return select(x < B(T(0)), tail, B(T(1)) - tail);
}

/// The x at which normal_cdf(x) is p; infinite for 0 and 1, NaN outside.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> normal_quantile(const Batch<T>& p) {
  return detail::normal_quantile(p - Batch<T>(T(0.5)), min(p, Batch<T>(T(1)) - p));
}
template <class V, int N>
Dual<V, N> normal_quantile(const Dual<V, N>& p) {
  const V x = simd::normal_quantile(p.value);
  return p.chain(x, simd::exp(x * x * V(0.5)) * V(kSqrtTwoPi));
}

/// The x at which erf(x) is y; infinite for -1 and 1, NaN outside.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> inverse_erf(const Batch<T>& y) {
  const Batch<T> half(T(0.5));
  return detail::normal_quantile(half * y, half - half * abs(y)) * Batch<T>(T(0.707106781186547524401));
}
template <class V, int N>
Dual<V, N> inverse_erf(const Dual<V, N>& y) {
  const V x = simd::inverse_erf(y.value);
  return y.chain(x, simd::exp(x * x) * V(0.886226925452758013649));  // sqrt(pi) / 2
}

}  // namespace pushforward::simd
