// power, square, cube, reciprocal: fixed powers.
//
// | map | y | where |
// | --- | --- | --- |
// | power | x^p | x > 0 |
// | square | x^2 | x > 0 |
// | cube | x^3 | x > 0 |
// | reciprocal | 1 / x | x > 0 |
#include <cmath>

#include "pushforward/fixed_map.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

template <class T>
struct PowerOf : FixedFormula {
  using B = simd::Batch<T>;
  explicit PowerOf(Build<T>& build) : given(build.real("exponent")) {
    if (given == 0) build.fail("exponent", "is 0, but x^0 is 1 for every x; give another exponent");
    exponent = static_cast<T>(given);
    log_exponent = static_cast<T>(std::log(std::abs(given)));
  }
  B map(const B& x) const { return simd::exp(exponent * simd::log(x)); }
  template <class V>
  V log_slope(const V& x) const {
    return simd::log(x) * (exponent - T(1)) + log_exponent;
  }
  B map_inverse(const B& y) const { return simd::exp(simd::log(y) / exponent); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return simd::log(y) * (T(1) / exponent - T(1)) - log_exponent;
  }
  bool increasing() const { return given > 0; }
  Support domain() const { return {.lower = 0}; }
  Support codomain() const { return {.lower = 0}; }
  /// So that no power, nor its gradient, leaves single precision.
  double range() const { return std::min(1e6, std::pow(1e30, 1 / std::abs(given))); }
  double inverse_range() const { return std::min(1e6, std::pow(1e30, std::abs(given))); }
  double given;
  T exponent, log_exponent;
};

template <class T>
struct SquareOf : FixedFormula {
  using B = simd::Batch<T>;
  static constexpr T kLog2 = T(0.693147180559945309417);
  B map(const B& x) const { return x * x; }
  template <class V>
  V log_slope(const V& x) const {
    return simd::log(x) + kLog2;
  }
  B map_inverse(const B& y) const { return simd::sqrt(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return simd::log(y) * T(-0.5) - kLog2;
  }
  Support domain() const { return {.lower = 0}; }
  Support codomain() const { return {.lower = 0}; }
};

template <class T>
struct CubeOf : FixedFormula {
  using B = simd::Batch<T>;
  static constexpr T kLog3 = T(1.098612288668109691395);
  B map(const B& x) const { return x * x * x; }
  template <class V>
  V log_slope(const V& x) const {
    return simd::log(x) * T(2) + kLog3;
  }
  B map_inverse(const B& y) const { return xsimd::cbrt(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return simd::log(y) * T(-2.0 / 3.0) - kLog3;
  }
  Support domain() const { return {.lower = 0}; }
  Support codomain() const { return {.lower = 0}; }
};

template <class T>
struct ReciprocalOf : FixedFormula {
  using B = simd::Batch<T>;
  B map(const B& x) const { return B(T(1)) / x; }
  template <class V>
  V log_slope(const V& x) const {
    return simd::log(x) * T(-2);
  }
  B map_inverse(const B& y) const { return map(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return log_slope(y);
  }
  bool increasing() const { return false; }
  Support domain() const { return {.lower = 0}; }
  Support codomain() const { return {.lower = 0}; }
};

template <class T>
using Power = FixedMap<PowerOf, T>;
template <class T>
using Square = FixedMap<SquareOf, T>;
template <class T>
using Cube = FixedMap<CubeOf, T>;
template <class T>
using Reciprocal = FixedMap<ReciprocalOf, T>;

constexpr Field kExponent[] = {real("exponent", kRequired, "p, not 0; with a negative one the map is decreasing")};

constexpr Example kPower[] = {{"root", "power: {exponent: 0.5}", 3},
                              {"steep", "power: {exponent: 2.5}", 2},
                              {"decreasing", "power: {exponent: -1.5}", 2}};
constexpr Example kSquare[] = {{"default", "square", 3}};
constexpr Example kCube[] = {{"default", "cube", 3, 0, 2,
                              "1.6e-6 of the mass of an exponential number's cube lies below 4e-18, where the grid of "
                              "the check of the density ends"}};
constexpr Example kReciprocal[] = {{"default", "reciprocal", 3}};

constexpr const char kPowerText[] = R"(
`y = x^p` for positive `x`, inverse `x = y^(1/p)`, log_det `log |p| + (p - 1) log(x)`.

Values come from `exp(p log(x))`, whose relative error is `|p log(x)|` units in the last place; `square`, `cube` and
`reciprocal` are exact.

Other libraries: TFP's `Power`, Pyro's and PyTorch's `PowerTransform`, FlowTorch's `Power`, FlowJAX's `Power`.
)";
constexpr const char kSquareText[] = R"(
`y = x^2` for positive `x`, inverse `x = sqrt(y)`, log_det `log(2 x)`. The root itself is `invert: {bijector: square}`.

Other libraries: TFP's `Square`.
)";
constexpr const char kCubeText[] = R"(
`y = x^3` for positive `x`, inverse the cube root, log_det `log(3 x^2)`. The domain is not the whole line because the slope
at 0 is zero: log_det would be infinite in the middle of it. An odd map of the line that makes tails heavier is `sinh`.

Other libraries: TFP's `Power(3)`, there for negative numbers too.
)";
constexpr const char kReciprocalText[] = R"(
`y = 1 / x` for positive `x`, decreasing and its own inverse; log_det `-2 log(x)`.

Other libraries: TFP's `Reciprocal`, there for negative numbers too.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Power>("transformer", "power", "A power of positive values: x^p", kExponent, kPower, kPowerText),
    describe<Square>("transformer", "square", "The square of positive values", nullptr, kSquare, kSquareText),
    describe<Cube>("transformer", "cube", "The third power of positive values", nullptr, kCube, kCubeText),
    describe<Reciprocal>("transformer", "reciprocal", "1 / x of positive values, decreasing", nullptr, kReciprocal,
                         kReciprocalText)};

}  // namespace

PUSHFORWARD_PLUGIN("power_maps", "0.1.0", "MIT", kComponents);
