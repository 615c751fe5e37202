// Distribution functions as maps onto [0, 1]: normal_cdf, erf, cauchy_cdf, gumbel_cdf, frechet_cdf, weibull_cdf,
// gompertz_cdf, moyal_cdf, kumaraswamy_cdf.
//
// Each map's log_det is the log-density of its distribution, and its inverse the quantile function: inverted, it makes
// the distribution from uniform numbers.
//
// Kumaraswamy, "A generalized probability density function for double-bounded random processes", 1980; Gumbel 1941;
// Frechet 1927; Weibull 1951; Gompertz 1825; Moyal 1955.
#include <cmath>

#include "pushforward/fixed_map.h"
#include "pushforward/normal_cdf.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// c x, with nothing where c is 0: there x may be infinite at an end of the domain.
template <class T, class V>
V times(T c, const V& x) {
  return c == T(0) ? V(0.0) : V(x * c);
}

struct OntoUnitInterval : FixedFormula {
  Support codomain() const { return {0, 1}; }
};

/// What the fields `loc` and `scale` make of x.
template <class T>
struct LocationScale : OntoUnitInterval {
  using B = simd::Batch<T>;
  explicit LocationScale(Build<T>& build)
      : start(build.real("loc")),
        width(build.real("scale")),
        loc(static_cast<T>(start)),
        scale(static_cast<T>(width)),
        log_scale(static_cast<T>(std::log(width))) {}
  template <class V>
  V standard(const V& x) const {
    return (x - loc) / scale;
  }
  /// How far to the left exp(-z) stays in single precision.
  double range_of_exponential() const { return std::max(width, 70 * width - std::abs(start)); }
  double start, width;
  B loc, scale, log_scale;
};

template <class T>
struct Normal : LocationScale<T> {
  using B = simd::Batch<T>;
  using LocationScale<T>::LocationScale;
  static constexpr T kConstant = T(simd::kLogSqrtTwoPi);
  B map(const B& x) const { return simd::normal_cdf(this->standard(x)); }
  template <class V>
  V log_slope(const V& x) const {
    const V z = this->standard(x);
    return z * z * T(-0.5) - (this->log_scale + kConstant);
  }
  B map_inverse(const B& y) const { return this->loc + this->scale * simd::normal_quantile(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V z = simd::normal_quantile(y);
    return z * z * T(0.5) + (this->log_scale + kConstant);
  }
};

template <class T>
struct ErrorFunction : FixedFormula {
  using B = simd::Batch<T>;
  static constexpr T kConstant = T(0.120782237635245222346);  // log(2 / sqrt(pi))
  B map(const B& x) const { return xsimd::erf(x); }
  template <class V>
  V log_slope(const V& x) const {
    return kConstant - x * x;
  }
  B map_inverse(const B& y) const { return simd::inverse_erf(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V x = simd::inverse_erf(y);
    return x * x - kConstant;
  }
  Support codomain() const { return {-1, 1}; }
};

/// 1/2 + arctan(z) / pi, from the nearer end.
template <class T>
struct Cauchy : LocationScale<T> {
  using B = simd::Batch<T>;
  using LocationScale<T>::LocationScale;
  static constexpr T kPi = T(3.14159265358979323846), kLogPi = T(1.14472988584940017414);
  B map(const B& x) const {
    const B z = this->standard(x), a = simd::abs(z), one(T(1));
    const auto large = a > one;
    const B angle = simd::atan(simd::select(large, one / a, a)) / kPi;
    const B tail = simd::select(large, angle, B(T(0.5)) - angle);
    return simd::select(z < B(T(0)), tail, one - tail);
  }
  template <class V>
  V log_slope(const V& x) const {
    // log(1 + z^2) without squaring large numbers.
    const V a = simd::abs(this->standard(x)), one(1.0);
    const V outer = simd::select(a > one, a, one), inner = simd::select(a > one, one / outer, a);
    return simd::log(outer) * T(-2) - simd::log1p(inner * inner) - (this->log_scale + kLogPi);
  }
  B map_inverse(const B& y) const {
    const B angle = simd::min(B(T(1)) - y, y) * kPi;
    const B size = this->scale * simd::cos(angle) / simd::sin(angle);
    return simd::select(y < B(T(0.5)), this->loc - size, this->loc + size);
  }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V nearer = simd::select(y < V(0.5), y, V(1.0) - y);
    return simd::log(simd::sin(nearer * kPi)) * T(-2) + (this->log_scale + kLogPi);
  }
};

/// exp(-exp(-z))
template <class T>
struct Gumbel : LocationScale<T> {
  using B = simd::Batch<T>;
  using LocationScale<T>::LocationScale;
  B map(const B& x) const { return simd::exp(-simd::exp(-this->standard(x))); }
  template <class V>
  V log_slope(const V& x) const {
    const V z = this->standard(x);
    return -z - simd::exp(-z) - this->log_scale;
  }
  B map_inverse(const B& y) const { return this->loc - this->scale * simd::log(-simd::log(y)); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V u = -simd::log(y);
    return this->log_scale + u - simd::log(u);
  }
  double range() const { return this->range_of_exponential(); }
};

/// exp(-z^-k) for z > 0
template <class T>
struct Frechet : LocationScale<T> {
  using B = simd::Batch<T>;
  explicit Frechet(Build<T>& build)
      : LocationScale<T>(build),
        k(static_cast<T>(build.real("concentration"))),
        constant(static_cast<T>(std::log(build.real("concentration")))) {}
  B map(const B& x) const { return simd::exp(-simd::exp(simd::log(this->standard(x)) * -k)); }
  template <class V>
  V log_slope(const V& x) const {
    const V log_z = simd::log(this->standard(x));
    return (constant - this->log_scale) - log_z * (k + T(1)) - simd::exp(log_z * -k);
  }
  B map_inverse(const B& y) const { return this->loc + this->scale * simd::exp(simd::log(-simd::log(y)) / -k); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V u = -simd::log(y);
    return u - simd::log(u) * (T(1) + T(1) / k) + (this->log_scale - constant);
  }
  Support domain() const { return {.lower = this->start}; }
  T k, constant;
};

/// 1 - exp(-(x / scale)^k) for x > 0
template <class T>
struct Weibull : OntoUnitInterval {
  using B = simd::Batch<T>;
  explicit Weibull(Build<T>& build)
      : concentration(build.real("concentration")),
        size(build.real("scale")),
        scale(static_cast<T>(size)),
        k(static_cast<T>(concentration)),
        constant(static_cast<T>(std::log(concentration / size))) {}
  B map(const B& x) const { return -simd::expm1(-simd::exp(simd::log(x / scale) * k)); }
  template <class V>
  V log_slope(const V& x) const {
    const V log_z = simd::log(x / scale);
    return times(k - T(1), log_z) - simd::exp(log_z * k) + constant;
  }
  B map_inverse(const B& y) const { return scale * simd::exp(simd::log(-simd::log1p(-y)) / k); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V u = -simd::log1p(-y);
    return u - times(T(1) - T(1) / k, simd::log(u)) - constant;
  }
  Support domain() const { return {.lower = 0}; }
  /// Beyond it log_det leaves single precision.
  double range() const { return std::min(1e6, size * std::pow(1e30, 1 / concentration)); }
  double concentration, size;
  B scale;
  T k, constant;
};

/// 1 - exp(-c (exp(b x) - 1)) for x > 0
template <class T>
struct Gompertz : OntoUnitInterval {
  using B = simd::Batch<T>;
  explicit Gompertz(Build<T>& build)
      : growth(build.real("rate")),
        c(static_cast<T>(build.real("concentration"))),
        b(static_cast<T>(growth)),
        constant(static_cast<T>(std::log(build.real("concentration") * growth))) {}
  B map(const B& x) const { return -simd::expm1(-c * simd::expm1(b * x)); }
  template <class V>
  V log_slope(const V& x) const {
    const V z = x * b;
    return z - simd::expm1(z) * c + constant;
  }
  B map_inverse(const B& y) const { return simd::log1p(-simd::log1p(-y) / c) / b; }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V u = -simd::log1p(-y);
    return u - simd::log1p(u / c) - constant;
  }
  Support domain() const { return {.lower = 0}; }
  /// Beyond it log_det leaves single precision.
  double range() const { return 70 / growth; }
  double growth;
  B c, b, constant;
};

/// erfc(exp(-z / 2) / sqrt(2))
template <class T>
struct Moyal : LocationScale<T> {
  using B = simd::Batch<T>;
  using LocationScale<T>::LocationScale;
  static constexpr T kConstant = T(simd::kLogSqrtTwoPi);
  B map(const B& x) const { return B(T(2)) * simd::normal_cdf(-simd::exp(this->standard(x) * T(-0.5))); }
  template <class V>
  V log_slope(const V& x) const {
    const V z = this->standard(x);
    return (z + simd::exp(-z)) * T(-0.5) - (this->log_scale + kConstant);
  }
  B map_inverse(const B& y) const {
    return this->loc - this->scale * (B(T(2)) * simd::log(-simd::normal_quantile(y * B(T(0.5)))));
  }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V q = -simd::normal_quantile(y * T(0.5));
    return q * q * T(0.5) - simd::log(q) + (this->log_scale + kConstant);
  }
  double range() const { return this->range_of_exponential(); }
};

/// 1 - (1 - x^a)^b for x in (0, 1)
template <class T>
struct Kumaraswamy : OntoUnitInterval {
  using B = simd::Batch<T>;
  explicit Kumaraswamy(Build<T>& build)
      : a(static_cast<T>(build.real("concentration1"))),
        b(static_cast<T>(build.real("concentration0"))),
        constant(static_cast<T>(std::log(build.real("concentration1") * build.real("concentration0")))) {}
  B map(const B& x) const { return -simd::expm1(log_rest(simd::log(x)) * b); }
  template <class V>
  V log_slope(const V& x) const {
    const V log_x = simd::log(x);
    return times(a - T(1), log_x) + times(b - T(1), log_rest(log_x)) + constant;
  }
  B map_inverse(const B& y) const { return simd::exp(simd::log(-simd::expm1(simd::log1p(-y) / b)) / a); }
  /// From y alone: where x is within rounding of 1, its distance from there is still known.
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V log_of_rest = simd::log1p(-y) / b;
    const V log_power = simd::log(-simd::expm1(log_of_rest));
    return -times(T(1) - T(1) / a, log_power) - times(b - T(1), log_of_rest) - constant;
  }
  Support domain() const { return {0, 1}; }

 private:
  /// log(1 - x^a), accurate near either end.
  template <class V>
  V log_rest(const V& log_x) const {
    const V log_power = log_x * a;
    const auto small = log_power < V(-0.6931471805599453);
    const V near_zero = simd::select(small, log_power, V(-1.0)), near_one = simd::select(small, V(-1.0), log_power);
    return simd::select(small, simd::log1p(-simd::exp(near_zero)), simd::log(-simd::expm1(near_one)));
  }
  T a, b, constant;
};

template <class T>
using NormalCdf = FixedMap<Normal, T>;
template <class T>
using Erf = FixedMap<ErrorFunction, T>;
template <class T>
using CauchyCdf = FixedMap<Cauchy, T>;
template <class T>
using GumbelCdf = FixedMap<Gumbel, T>;
template <class T>
using FrechetCdf = FixedMap<Frechet, T>;
template <class T>
using WeibullCdf = FixedMap<Weibull, T>;
template <class T>
using GompertzCdf = FixedMap<Gompertz, T>;
template <class T>
using MoyalCdf = FixedMap<Moyal, T>;
template <class T>
using KumaraswamyCdf = FixedMap<Kumaraswamy, T>;

constexpr Field kLoc = real("loc", "0.0", "location");
constexpr Field kScale = real("scale", "1.0", "scale").above(0);
constexpr Field kConcentration = real("concentration", "1.0", "k, the shape").above(0);
constexpr Field kLocationScale[] = {kLoc, kScale};
constexpr Field kFrechet[] = {kLoc, kScale, kConcentration};
constexpr Field kWeibull[] = {kScale, kConcentration};
constexpr Field kGompertz[] = {real("concentration", "1.0", "c").above(0), real("rate", "1.0", "b").above(0)};
constexpr Field kKumaraswamy[] = {real("concentration1", "1.0", "a, the shape near 0").above(0),
                                  real("concentration0", "1.0", "b, the shape near 1").above(0)};

// Scales at which these maps do not press exponential or normal numbers against an end of the interval.
constexpr Example kNormalCdf[] = {{"default", "normal_cdf", 3}, {"moved", "normal_cdf: {loc: 0.5, scale: 2.0}", 2}};
constexpr Example kErf[] = {{"default", "erf", 3}};
constexpr Example kCauchyCdf[] = {{"default", "cauchy_cdf", 3}, {"moved", "cauchy_cdf: {loc: 0.5, scale: 0.5}", 2}};
constexpr Example kGumbelCdf[] = {{"wide", "gumbel_cdf: {scale: 2.0}", 3},
                                  {"moved", "gumbel_cdf: {loc: 0.5, scale: 2.5}", 2}};
constexpr Example kFrechetCdf[] = {{"flat", "frechet_cdf: {concentration: 0.2}", 3},
                                   {"moved", "frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 0.2}", 2}};
constexpr Example kWeibullCdf[] = {{"default", "weibull_cdf", 3},
                                   {"rayleigh", "weibull_cdf: {scale: 8.0, concentration: 2.0}", 2},
                                   {"heavy", "weibull_cdf: {scale: 0.5, concentration: 0.7}", 2}};
constexpr Example kGompertzCdf[] = {{"slow", "gompertz_cdf: {concentration: 1.0, rate: 0.1}", 3}};
constexpr Example kMoyalCdf[] = {{"wide", "moyal_cdf: {scale: 2.0}", 3},
                                 {"moved", "moyal_cdf: {loc: 0.5, scale: 2.0}", 2}};
constexpr Example kKumaraswamyCdf[] = {{"default", "kumaraswamy_cdf", 3},
                                       {"leaning", "kumaraswamy_cdf: {concentration1: 2.0, concentration0: 0.8}", 2},
                                       {"u_shaped", "kumaraswamy_cdf: {concentration1: 0.6, concentration0: 0.7}", 2}};

constexpr const char kNormalText[] = R"(
`y` is the probability of a normal number below `x`, inverse its quantile function, log_det the normal log-density.
Accurate to the last digits of either precision, in the left tail relative to its size.

From uniform numbers to normal ones: `invert: {bijector: normal_cdf}`.

Other libraries: TFP's `NormalCDF`.

M. J. Wichura, Algorithm AS 241: the percentage points of the normal distribution, Applied Statistics 37 (1988).
)";
constexpr const char kErfText[] = R"(
`y = 2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`, in `(-1, 1)`; log_det `log(2 / sqrt(pi)) - x^2`. Values
on [0, 1] instead: `normal_cdf`.
)";
constexpr const char kCauchyText[] = R"(
`y = 1/2 + arctan((x - loc) / scale) / pi`, log_det the log-density of a Cauchy distribution.

From uniform numbers to Cauchy ones: `invert: {bijector: cauchy_cdf}`.

Other libraries: nflows' `CauchyCDF`, and its `CauchyCDFInverse` inverted.
)";
constexpr const char kGumbelText[] = R"(
`y = exp(-exp(-z))` with `z = (x - loc) / scale`, log_det `-z - exp(-z) - log(scale)`: the log-density of a Gumbel
distribution.

From uniform numbers to Gumbel ones: `invert: {bijector: gumbel_cdf}`.

Other libraries: TFP's and distrax' `GumbelCDF`.

E. J. Gumbel, The return period of flood flows, Annals of Mathematical Statistics 12 (1941).
)";
constexpr const char kFrechetText[] = R"(
`y = exp(-z^(-k))` with `z = (x - loc) / scale` for `x > loc`, log_det `log(k / scale) - (1 + k) log(z) - z^(-k)`.

From uniform numbers to Frechet ones: `invert: {bijector: frechet_cdf}`.

Other libraries: TFP's `FrechetCDF`.
)";
constexpr const char kWeibullText[] = R"(
`y = 1 - exp(-z^k)` with `z = x / scale` for positive `x`, log_det `log(k / scale) + (k - 1) log(z) - z^k`. `k = 1` is the
exponential, `k = 2` with `scale: s sqrt(2)` the Rayleigh distribution.

From uniform numbers to Weibull ones: `invert: {bijector: weibull_cdf}`.

Other libraries: TFP's `WeibullCDF(scale, concentration)` and `RayleighCDF`.
)";
constexpr const char kGompertzText[] = R"(
`y = 1 - exp(-c (exp(b x) - 1))` for positive `x`, log_det `log(b c) + b x - c (exp(b x) - 1)`.

From uniform numbers to Gompertz ones: `invert: {bijector: gompertz_cdf}`.

Other libraries: TFP's `GompertzCDF(concentration, rate)`.
)";
constexpr const char kMoyalText[] = R"(
`y = erfc(exp(-z / 2) / sqrt(2))` with `z = (x - loc) / scale`, log_det
`-(z + exp(-z)) / 2 - log(scale sqrt(2 pi))`.

From uniform numbers to Moyal ones: `invert: {bijector: moyal_cdf}`.

Other libraries: TFP's `MoyalCDF`.
)";
constexpr const char kKumaraswamyText[] = R"(
`y = 1 - (1 - x^a)^b` for `x` in `(0, 1)`, log_det `log(a b) + (a - 1) log(x) + (b - 1) log(1 - x^a)`; with `a = b = 1` the
identity.

From uniform numbers to Kumaraswamy ones, nearly beta-distributed: `invert: {bijector: kumaraswamy_cdf}`.

Other libraries: TFP's `KumaraswamyCDF(concentration1, concentration0)`.

P. Kumaraswamy, A generalized probability density function for double-bounded random processes, Journal of
Hydrology 46 (1980).
)";

constexpr ComponentInfo kComponents[] = {
    describe<NormalCdf>("transformer", "normal_cdf", "Distribution function of the normal distribution", kLocationScale,
                        kNormalCdf, kNormalText),
    describe<Erf>("transformer", "erf", "The error function, from the line to (-1, 1)", nullptr, kErf, kErfText),
    describe<CauchyCdf>("transformer", "cauchy_cdf", "Distribution function of the Cauchy distribution", kLocationScale,
                        kCauchyCdf, kCauchyText),
    describe<GumbelCdf>("transformer", "gumbel_cdf", "Distribution function of the Gumbel distribution", kLocationScale,
                        kGumbelCdf, kGumbelText),
    describe<FrechetCdf>("transformer", "frechet_cdf", "Distribution function of the Frechet distribution", kFrechet,
                         kFrechetCdf, kFrechetText),
    describe<WeibullCdf>("transformer", "weibull_cdf", "Distribution function of the Weibull distribution", kWeibull,
                         kWeibullCdf, kWeibullText),
    describe<GompertzCdf>("transformer", "gompertz_cdf", "Distribution function of the Gompertz distribution",
                          kGompertz, kGompertzCdf, kGompertzText),
    describe<MoyalCdf>("transformer", "moyal_cdf", "Distribution function of the Moyal distribution", kLocationScale,
                       kMoyalCdf, kMoyalText),
    describe<KumaraswamyCdf>("transformer", "kumaraswamy_cdf", "Distribution function of the Kumaraswamy distribution",
                             kKumaraswamy, kKumaraswamyCdf, kKumaraswamyText)};

}  // namespace

PUSHFORWARD_PLUGIN("cdf_maps", "0.1.0", "MIT", kComponents);
