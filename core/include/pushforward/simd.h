// SIMD batches for kernels: a thin layer over xsimd, with the elementary functions that kernels need over the whole
// range of their arguments, partial loads and stores, and tables in registers.
//
// Lanes are samples. Everything here is compiled into whoever includes it, for its own -march; nothing of it crosses
// an interface. Call the functions qualified (`simd::exp(x)`): the same names exist for Dual and Reverse scalars
// (kernel_scalars.h), which is how one formula gives values and derivatives.
#pragma once

#include <bit>
#include <cmath>
#include <limits>

// GCC 12 sees uninitialised variables in its own AVX-512 headers (its bug 105593); clang knows no "maybe".
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop

#include "pushforward/shape.h"

/// Kernels are one loop: a call in the middle would spill every register.
#define PUSHFORWARD_KERNEL_INLINE __attribute__((always_inline)) inline

namespace pushforward::simd {

template <class T>
using Batch = xsimd::batch<T>;
/// A truth value for each lane.
template <class T>
using Mask = xsimd::batch_bool<T>;
template <class T>
inline constexpr Index kLanes = static_cast<Index>(Batch<T>::size);

static_assert(kPadding % kLanes<float> == 0 && kPadding % kLanes<double> == 0, "a padded block needs no tail");

// --- memory ----------------------------------------------------------------------------------------------------------

template <class T>
Batch<T> load(const T* p) {
  return Batch<T>::load_unaligned(p);
}
template <class T>
void store(T* p, const Batch<T>& v) {
  v.store_unaligned(p);
}
/// The first `count` lanes from memory and zeros in the others, which are not read.
template <class T>
Batch<T> load(const T* p, Index count) {
  if (count >= kLanes<T>) return load(p);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    return Batch<T>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p));
  else
    return Batch<T>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1u), p));
#else
  alignas(64) T lanes[kLanes<T>] = {};
  for (Index i = 0; i < count; ++i) lanes[i] = p[i];
  return Batch<T>::load_aligned(lanes);
#endif
}
/// Writes the first `count` lanes; memory behind them is not touched.
template <class T>
void store(T* p, const Batch<T>& v, Index count) {
  if (count >= kLanes<T>) return store(p, v);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), v);
  else
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1u), v);
#else
  alignas(64) T lanes[kLanes<T>];
  v.store_aligned(lanes);
  for (Index i = 0; i < count; ++i) p[i] = lanes[i];
#endif
}
/// The first lanes of a batch, for loads from many columns of the same rows.
template <class T>
class Lanes {
 public:
  explicit Lanes(Index count) : count_(count < kLanes<T> ? count : kLanes<T>) {
#ifdef __AVX512F__
    mask_ = (1u << count_) - 1u;
#endif
  }
  Index count() const { return count_; }
  Batch<T> load(const T* p) const {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4)
      return Batch<T>(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask_), p));
    else
      return Batch<T>(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask_), p));
#else
    return simd::load(p, count_);
#endif
  }
  void store(T* p, const Batch<T>& v) const {
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask_), v);
    else
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask_), v);
#else
    simd::store(p, v, count_);
#endif
  }

 private:
  Index count_;
#ifdef __AVX512F__
  unsigned mask_;
#endif
};
/// True in the first `count` lanes.
template <class T>
Mask<T> first_lanes(Index count) {
  alignas(64) static constexpr T kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(kNumbers) < Batch<T>(static_cast<T>(count));
}

/// sums[lane] += v[lane], in double: how a log_det is added up over the columns of an event.
template <class T>
void accumulate(double* sums, const Batch<T>& v) {
  if constexpr (std::is_same_v<T, double>) {
    store(sums, load(sums) + v);
  } else {
#ifdef __AVX512F__
    const __m512 x = v;
    const __m256 low = _mm512_castps512_ps256(x);
    const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
    _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), _mm512_cvtps_pd(low)));
    _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), _mm512_cvtps_pd(high)));
#else
    alignas(64) T lanes[kLanes<T>];
    v.store_aligned(lanes);
    for (Index i = 0; i < kLanes<T>; ++i) sums[i] += static_cast<double>(lanes[i]);
#endif
  }
}
/// The sum of kLanes<T> doubles, always in the same order: pairs, then pairs of pairs.
template <class T>
double sum_lanes(const double* sums) {
  double s[kLanes<T>];
  for (Index i = 0; i < kLanes<T>; ++i) s[i] = sums[i];
  for (Index width = kLanes<T> / 2; width > 0; width /= 2)
    for (Index i = 0; i < width; ++i) s[i] += s[i + width];
  return s[0];
}

// --- selection and comparison ----------------------------------------------------------------------------------------

template <class T>
Batch<T> select(const Mask<T>& condition, const Batch<T>& a, const Batch<T>& b) {
  return xsimd::select(condition, a, b);
}
template <class T>
Batch<T> abs(const Batch<T>& x) {
  return xsimd::abs(x);
}
/// Of max(a, b) and min(a, b) with a NaN in b, the result is that NaN: put the constant first.
template <class T>
Batch<T> max(const Batch<T>& a, const Batch<T>& b) {
  return xsimd::max(a, b);
}
template <class T>
Batch<T> min(const Batch<T>& a, const Batch<T>& b) {
  return xsimd::min(a, b);
}
template <class T>
Mask<T> is_nan(const Batch<T>& x) {
  return xsimd::isnan(x);  // not x != x: xsimd compares ordered
}
template <class T>
bool any(const Mask<T>& m) {
  return xsimd::any(m);
}
template <class T>
bool all(const Mask<T>& m) {
  return xsimd::all(m);
}
/// a * b + c
template <class T>
Batch<T> fma(const Batch<T>& a, const Batch<T>& b, const Batch<T>& c) {
  return xsimd::fma(a, b, c);
}

// --- elementary functions --------------------------------------------------------------------------------------------

namespace detail {

/// x * 2^n for integral n; gradual underflow and overflow to infinity.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> scale_by_power(const Batch<T>& x, const Batch<T>& n) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    return Batch<T>(_mm512_scalef_ps(x, n));
  else
    return Batch<T>(_mm512_scalef_pd(x, n));
#else
  // Two factors, because 2^n itself may not be a number although x * 2^n is. Adding kMagic puts an integral number
  // into the lowest bits of the mantissa; there it is shifted into the exponent.
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
  constexpr T kBias = std::numeric_limits<T>::max_exponent - 1;
  constexpr T kMagic = sizeof(T) == 4 ? T(12582912) : T(6755399441055744);  // 1.5 * 2^kMantissa
  const Batch<T> half = xsimd::floor(n * Batch<T>(T(0.5)));
  const auto power = [](const Batch<T>& e) {
    const Batch<T> shifted = (e + Batch<T>(kBias)) + Batch<T>(kMagic);
    return xsimd::bitwise_cast<Batch<T>>(xsimd::bitwise_cast<xsimd::batch<Integer>>(shifted) << kMantissa);
  };
  return x * power(half) * power(n - half);
#endif
}

}  // namespace detail

/// Within 1 ulp; subnormal results included, infinity beyond the largest number.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> exp(const Batch<T>& x) {
  using B = Batch<T>;
  // Beyond these the result is 0 or infinity; the constant first, so that a NaN stays.
  constexpr T kLow = sizeof(T) == 4 ? T(-104) : T(-746);
  constexpr T kHigh = sizeof(T) == 4 ? T(89) : T(710);
  const B z = max(B(kLow), min(B(kHigh), x));
  const B n = xsimd::nearbyint(z * B(T(1.44269504088896340736)));
  B p;
  if constexpr (sizeof(T) == 4) {
    const B r = xsimd::fnma(n, B(T(-2.12194440e-4)), xsimd::fnma(n, B(T(0.693359375)), z));
    p = fma(B(T(1.9875691500e-4)), r, B(T(1.3981999507e-3)));
    p = fma(p, r, B(T(8.3334519073e-3)));
    p = fma(p, r, B(T(4.1665795894e-2)));
    p = fma(p, r, B(T(1.6666665459e-1)));
    p = fma(p, r, B(T(5.0000001201e-1)));
    p = fma(p, r * r, r) + B(T(1));
  } else {
    const B r = xsimd::fnma(n, B(T(1.90821492927058770002e-10)), xsimd::fnma(n, B(T(6.93147180369123816490e-1)), z));
    // exp(r) = 1 + r + r^2 q(r), the Taylor series to r^13: its remainder is 4e-18 at |r| = log(2) / 2.
    B q(T(1.6059043836821614599e-10));
    q = fma(q, r, B(T(2.0876756987868098979e-9)));
    q = fma(q, r, B(T(2.5052108385441718775e-8)));
    q = fma(q, r, B(T(2.7557319223985890653e-7)));
    q = fma(q, r, B(T(2.7557319223985890653e-6)));
    q = fma(q, r, B(T(2.4801587301587301587e-5)));
    q = fma(q, r, B(T(1.9841269841269841270e-4)));
    q = fma(q, r, B(T(1.3888888888888888889e-3)));
    q = fma(q, r, B(T(8.3333333333333333333e-3)));
    q = fma(q, r, B(T(4.1666666666666666667e-2)));
    q = fma(q, r, B(T(1.6666666666666666667e-1)));
    q = fma(q, r, B(T(0.5)));
    p = fma(q, r * r, r) + B(T(1));
  }
  return detail::scale_by_power(p, n);
}

namespace detail {

/// x = mantissa * 2^exponent with the mantissa in [1/sqrt(2), sqrt(2)), for positive finite x.
template <class T>
PUSHFORWARD_KERNEL_INLINE void split(const Batch<T>& x, Batch<T>& mantissa, Batch<T>& exponent) {
  using B = Batch<T>;
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) {
    mantissa = B(_mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_nan));
    exponent = B(_mm512_getexp_ps(x));
  } else {
    mantissa = B(_mm512_getmant_pd(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_nan));
    exponent = B(_mm512_getexp_pd(x));
  }
#else
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using I = xsimd::batch<Integer>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
  constexpr T kScale = T(Integer{1} << (kMantissa + 1));
  constexpr T kMagic = T(Integer{1} << kMantissa);
  const Mask<T> tiny = x < B(std::numeric_limits<T>::min());
  const I bits = xsimd::bitwise_cast<I>(select(tiny, x * B(kScale), x));
  mantissa = xsimd::bitwise_cast<B>((bits & I((Integer{1} << kMantissa) - 1)) | I(std::bit_cast<Integer>(T(1))));
  // The biased exponent becomes the lowest bits of the number kMagic.
  const B biased = xsimd::bitwise_cast<B>((bits >> kMantissa) | I(std::bit_cast<Integer>(kMagic)));
  exponent = biased - (B(kMagic + std::numeric_limits<T>::max_exponent - 1) + select(tiny, B(T(kMantissa + 1)), B(T(0))));
#endif
  const Mask<T> large = mantissa >= B(T(1.41421356237309504880));
  mantissa = select(large, mantissa * B(T(0.5)), mantissa);
  exponent = select(large, exponent + B(T(1)), exponent);
}

}  // namespace detail

/// Within 1 ulp, for positive finite x; NaN for a NaN.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> log_of_positive(const Batch<T>& x) {
  using B = Batch<T>;
  B m, k;
  detail::split(x, m, k);
  const B f = m - B(T(1));
  B result;
  if constexpr (sizeof(T) == 4) {
    // log(1 + f) = f - f^2/2 + f^3 p(f); coefficients of the Cephes library's logf, summed in pairs: a chain of
    // products is what a loop of logarithms waits for.
    const B z = f * f, z2 = z * z;
    const B p01 = fma(B(T(-2.4999993993e-1)), f, B(T(3.3333331174e-1)));
    const B p23 = fma(B(T(-1.6668057665e-1)), f, B(T(2.0000714765e-1)));
    const B p45 = fma(B(T(-1.2420140846e-1)), f, B(T(1.4249322787e-1)));
    const B p67 = fma(B(T(-1.1514610310e-1)), f, B(T(1.1676998740e-1)));
    const B low = fma(p23, z, p01), high = fma(p67, z, fma(B(T(7.0376836292e-2)), z2, p45));
    const B p = fma(high, z2, low);
    B y = fma(p, f * z, k * B(T(-2.12194440e-4)));
    y = fma(z, B(T(-0.5)), y);
    result = fma(k, B(T(0.693359375)), f + y);
  } else {
    // s = f / (2 + f), log(1 + f) = 2 s + 2/3 s^3 + ...; coefficients of fdlibm's log.
    const B s = f / (f + B(T(2)));
    const B z = s * s;
    B p(T(1.479819860511658591e-01));
    p = fma(p, z, B(T(1.531383769920937332e-01)));
    p = fma(p, z, B(T(1.818357216161805012e-01)));
    p = fma(p, z, B(T(2.222219843214978396e-01)));
    p = fma(p, z, B(T(2.857142874366239149e-01)));
    p = fma(p, z, B(T(3.999999999940941908e-01)));
    p = fma(p, z, B(T(6.666666666666735130e-01)));
    const B half = B(T(0.5)) * f * f;
    const B tail = fma(s, half + z * p, k * B(T(1.90821492927058770002e-10)));
    result = fma(k, B(T(6.93147180369123816490e-01)), f - (half - tail));
  }
#ifndef __AVX512F__
  result = select(x >= B(T(0)), result, B(std::numeric_limits<T>::quiet_NaN()));
#endif
  return result;
}
/// Within 1 ulp; log(0) = -inf, of a negative number NaN, subnormal arguments included.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> log(const Batch<T>& x) {
  const Batch<T> infinity(std::numeric_limits<T>::infinity());
  const Batch<T> result = select(x == infinity, infinity, log_of_positive(x));
  return select(x == Batch<T>(T(0)), -infinity, result);
}

template <class T>
Batch<T> sqrt(const Batch<T>& x) {
  return xsimd::sqrt(x);
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> log1p(const Batch<T>& x) {
  return xsimd::log1p(x);
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> expm1(const Batch<T>& x) {
  // From half of x, because xsimd's own overflows below the largest argument.
  const Batch<T> half = xsimd::expm1(x * Batch<T>(T(0.5)));
  return half * (half + Batch<T>(T(2)));
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> tanh(const Batch<T>& x) {
  return xsimd::tanh(x);
}
/// 1 / (1 + exp(-x)), also for large negative x with full relative accuracy.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> sigmoid(const Batch<T>& x) {
  using B = Batch<T>;
  const B e = exp(-abs(x));
  return select(x >= B(T(0)), B(T(1)), e) / (e + B(T(1)));
}
/// exp for softmaxes: x is at most 0 and finite. Its error is that of rounding x, |x| ulp, so that weights of a
/// softmax are exact to an ulp of the largest.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> exp_of_difference(const Batch<T>& x) {
  using B [[maybe_unused]] = Batch<T>;
#ifdef __AVX512F__
  const B t = x * B(T(1.44269504088896340736));
  const B n = xsimd::nearbyint(t);
  const B f = t - n;
  if constexpr (sizeof(T) == 4) {
    // 2^f on [-1/2, 1/2], its Taylor polynomial: the remainder is 2e-9.
    B p = fma(B(T(1.5403530393381609e-4)), f, B(T(1.3333558146428443e-3)));
    p = fma(p, f, B(T(9.6181291076284772e-3)));
    p = fma(p, f, B(T(5.5504108664821580e-2)));
    p = fma(p, f, B(T(2.4022650695910071e-1)));
    p = fma(p, f, B(T(6.9314718055994531e-1)));
    return detail::scale_by_power(fma(p, f, B(T(1))), n);
  }
#endif
  return exp(x);
}
/// log(1 + exp(x)), also for large negative x with full relative accuracy.
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> softplus(const Batch<T>& x) {
  using B = Batch<T>;
  // log1p(e) = 2 atanh(s), s = e / (2 + e) in [0, 1/3]: no exponent to split off.
  const B e = exp(-abs(x));
  const B s = e / (e + B(T(2)));
  const B z = s * s;
  constexpr int kTerms = sizeof(T) == 4 ? 7 : 17;
  B p(T(2) / T(2 * kTerms - 1));
  for (int k = kTerms - 2; k >= 0; --k) p = fma(p, z, B(T(2) / T(2 * k + 1)));
  return fma(p, s, max(B(T(0)), x));
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> sinh(const Batch<T>& x) {
  return xsimd::sinh(x);
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> cosh(const Batch<T>& x) {
  return xsimd::cosh(x);
}
template <class T>
PUSHFORWARD_KERNEL_INLINE Batch<T> asinh(const Batch<T>& x) {
  return xsimd::asinh(x);
}
template <class T>
Batch<T> sin(const Batch<T>& x) {
  return xsimd::sin(x);
}
template <class T>
Batch<T> cos(const Batch<T>& x) {
  return xsimd::cos(x);
}
template <class T>
Batch<T> atan(const Batch<T>& x) {
  return xsimd::atan(x);
}
template <class T>
Batch<T> floor(const Batch<T>& x) {
  return xsimd::floor(x);
}

// --- tables ----------------------------------------------------------------------------------------------------------

/// How a table is held: in one register, in two, or in memory (gathered). Tables are padded to kTablePadding entries.
enum class Held : std::uint8_t { one_register, two_registers, memory };
inline constexpr Index kTablePadding = 32;
template <class T>
constexpr Held held(Index size) {
#ifdef __AVX512F__
  if (size <= kLanes<T>) return Held::one_register;
  if (size <= 2 * kLanes<T>) return Held::two_registers;
#endif
  return size < 0 ? Held::one_register : Held::memory;
}

/// The number of an entry for each lane.
template <class T>
struct Place {
#ifdef __AVX512F__
  __m512i number;
#else
  Batch<T> number;
#endif
};

/// table[place] for each lane.
template <Held held, class T>
Batch<T> lookup(const T* table, const Place<T>& place) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) {
    if constexpr (held == Held::one_register)
      return Batch<T>(_mm512_permutexvar_ps(place.number, _mm512_loadu_ps(table)));
    else if constexpr (held == Held::two_registers)
      return Batch<T>(_mm512_permutex2var_ps(_mm512_loadu_ps(table), place.number, _mm512_loadu_ps(table + 16)));
    else
      return Batch<T>(_mm512_i32gather_ps(place.number, table, 4));
  } else {
    if constexpr (held == Held::one_register)
      return Batch<T>(_mm512_permutexvar_pd(place.number, _mm512_loadu_pd(table)));
    else if constexpr (held == Held::two_registers)
      return Batch<T>(_mm512_permutex2var_pd(_mm512_loadu_pd(table), place.number, _mm512_loadu_pd(table + 8)));
    else
      return Batch<T>(_mm512_i64gather_pd(place.number, table, 8));
  }
#else
  alignas(64) T numbers[kLanes<T>];
  place.number.store_aligned(numbers);
  for (Index i = 0; i < kLanes<T>; ++i) numbers[i] = table[static_cast<int>(numbers[i])];
  return Batch<T>::load_aligned(numbers);
#endif
}

/// For each lane, how many of `count` ascending knots are <= x. A NaN gets 0. Behind the knots the table holds infinity
/// up to 2 kTablePadding entries.
template <Held held, class T>
PUSHFORWARD_KERNEL_INLINE Place<T> find(const T* knots, [[maybe_unused]] Index count, const Batch<T>& x) {
#ifdef __AVX512F__
  using B = Batch<T>;
  const auto step = [&](Place<T>& place, const B& knot, int width) {
    if constexpr (sizeof(T) == 4)
      place.number = _mm512_mask_add_epi32(place.number, _mm512_cmp_ps_mask(x, knot, _CMP_GE_OQ), place.number,
                                           _mm512_set1_epi32(width));
    else
      place.number = _mm512_mask_add_epi64(place.number, _mm512_cmp_pd_mask(x, knot, _CMP_GE_OQ), place.number,
                                           _mm512_set1_epi64(width));
  };
  Place<T> place{_mm512_setzero_si512()};
  if constexpr (held == Held::memory) {
    for (Index k = 0; k < count; ++k) step(place, B(knots[k]), 1);
  } else {
    // Halving: entry place + width - 1 of the table, which is entry `place` of the table from width - 1 on.
    constexpr int kWidth = static_cast<int>(kLanes<T>) / (held == Held::one_register ? 2 : 1);
    step(place, B(knots[kWidth - 1]), kWidth);
    for (int width = kWidth / 2; width > 0; width /= 2) step(place, lookup<held>(knots + width - 1, place), width);
  }
  return place;
#else
  Batch<T> n(T(0));
  for (Index k = 0; k < count; ++k) n += select(x >= Batch<T>(knots[k]), Batch<T>(T(1)), Batch<T>(T(0)));
  return {n};
#endif
}

/// The entries' numbers as integers.
template <class T>
void store(std::int32_t* p, const Place<T>& place) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    _mm512_storeu_si512(p, place.number);
  else
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi64_epi32(place.number));
#else
  alignas(64) T numbers[kLanes<T>];
  place.number.store_aligned(numbers);
  for (Index i = 0; i < kLanes<T>; ++i) p[i] = static_cast<std::int32_t>(numbers[i]);
#endif
}

}  // namespace pushforward::simd
