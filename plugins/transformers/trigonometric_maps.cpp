// arctan, tan, sinh, arcsinh: fixed maps of circle and hyperbola.
//
// | map | y | inverse |
// | --- | --- | --- |
// | arctan | arctan(x) | tan |
// | sinh | (exp(x) - exp(-x)) / 2 | arcsinh |
#include "pushforward/fixed_map.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// log(1 + x^2) without squaring large numbers.
template <class V>
V log_one_plus_square(const V& x) {
  const V a = simd::abs(x), one(1.0);
  const auto large = a > one;
  const V outer = simd::select(large, a, one);
  const V inner = simd::select(large, one / outer, a);
  const V far_out = simd::log(outer);
  return far_out + far_out + simd::log1p(inner * inner);
}

template <class T>
struct ArcTangent : FixedFormula {
  using B = simd::Batch<T>;
  static constexpr double kHalfPi = 1.57079632679489661923;
  B map(const B& x) const { return simd::atan(x); }
  template <class V>
  V log_slope(const V& x) const {
    return -log_one_plus_square(x);
  }
  B map_inverse(const B& y) const { return xsimd::tan(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return simd::log(simd::cos(y)) * T(-2);
  }
  Support codomain() const { return {-kHalfPi, kHalfPi}; }
};

template <class T>
struct HyperbolicSine : FixedFormula {
  using B = simd::Batch<T>;
  static constexpr T kLog2 = T(0.693147180559945309417);
  B map(const B& x) const { return simd::sinh(x); }
  template <class V>
  V log_slope(const V& x) const {
    const V a = simd::abs(x);  // log cosh(x)
    return a + simd::softplus(-(a + a)) - kLog2;
  }
  B map_inverse(const B& y) const { return simd::asinh(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return log_one_plus_square(y) * T(-0.5);
  }
  /// Up to which values and their gradients are numbers of single precision.
  double range() const { return 80; }
};

template <class T>
using Arctan = FixedMap<ArcTangent, T>;
template <class T>
using Tan = InverseOf<ArcTangent, T>;
template <class T>
using Sinh = FixedMap<HyperbolicSine, T>;
template <class T>
using Arcsinh = InverseOf<HyperbolicSine, T>;

constexpr Example kArctan[] = {{"default", "arctan", 3}};
constexpr Example kTan[] = {{"default", "tan", 3}};
constexpr Example kSinh[] = {{"default", "sinh", 3}};
constexpr Example kArcsinh[] = {{"default", "arcsinh", 3}};

constexpr const char kArctanText[] = R"(
`y = arctan(x)` in `(-pi/2, pi/2)`, inverse `x = tan(y)`, log_det `-log(1 + x^2)`. Values on [0, 1] instead: `cauchy_cdf`.
)";
constexpr const char kTanText[] = R"(
`y = tan(x)` for `x` in `(-pi/2, pi/2)`, inverse `x = arctan(y)`, log_det `-2 log(cos(x))`. The inverse of `arctan`.
)";
constexpr const char kSinhText[] = R"(
`y = sinh(x)`, inverse `x = log(y + sqrt(y^2 + 1))`, log_det `log(cosh(x))`. Makes tails heavier; in float32 values
beyond `x = 88` are infinite. With learnable skewness and tail weight: `sinh_arcsinh`.

Other libraries: TFP's `Sinh`.
)";
constexpr const char kArcsinhText[] = R"(
`y = log(x + sqrt(x^2 + 1))`, inverse `x = sinh(y)`, log_det `-log(1 + x^2) / 2`. Linear near 0 and logarithmic far out, on
both sides: makes tails lighter. The inverse of `sinh`.

Other libraries: TFP's `Invert(Sinh())`.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Arctan>("transformer", "arctan", "From the line to (-pi/2, pi/2)", nullptr, kArctan, kArctanText),
    describe<Tan>("transformer", "tan", "From (-pi/2, pi/2) to the line", nullptr, kTan, kTanText),
    describe<Sinh>("transformer", "sinh", "Heavier tails: sinh(x)", nullptr, kSinh, kSinhText),
    describe<Arcsinh>("transformer", "arcsinh", "Lighter tails: logarithmic on both sides", nullptr, kArcsinh,
                      kArcsinhText)};

}  // namespace

PUSHFORWARD_PLUGIN("trigonometric_maps", "0.1.0", "MIT", kComponents);
