// sigmoid, logit, tanh, arctanh, leaky_tanh, softsign, soft_clip: fixed maps that flatten far out.
//
// | map | y | inverse |
// | --- | --- | --- |
// | sigmoid | l + (h - l) / (1 + exp(-x)) | logit |
// | tanh | tanh(x) | arctanh |
// | leaky_tanh | tanh(x), continued by its tangents beyond +-m | |
// | softsign | x / (1 + abs(x / b)) | |
// | soft_clip | nearly x between l and h, and between them everywhere | |
#include <cmath>

#include "pushforward/fixed_map.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

constexpr double kLog2 = 0.693147180559945309417;

/// log(1 - exp(-t)) for t > 0.
template <class V>
V log_one_minus_exp(const V& t) {
  return simd::log(-simd::expm1(-t));
}

/// log of the slope of tanh at a >= 0.
template <class T, class V>
V log_slope_of_tanh(const V& a) {
  return (a + simd::softplus(-(a + a)) - T(kLog2)) * T(-2);
}

template <class T>
struct LogisticCurve : FixedFormula {
  using B = simd::Batch<T>;
  explicit LogisticCurve(Build<T>& build) : bounds{build.real("low"), build.real("high")} {
    if (bounds.lower >= bounds.upper) build.fail("high", "must be larger than low");
    low = static_cast<T>(bounds.lower);
    high = static_cast<T>(bounds.upper);
    width = static_cast<T>(bounds.upper - bounds.lower);
    log_width = static_cast<T>(std::log(bounds.upper - bounds.lower));
  }
  B map(const B& x) const {
    const B rest = width * simd::sigmoid(-simd::abs(x));  // from the nearer end
    return simd::select(x < B(T(0)), low + rest, high - rest);
  }
  template <class V>
  V log_slope(const V& x) const {
    return log_width - simd::softplus(x) - simd::softplus(-x);
  }
  B map_inverse(const B& y) const { return simd::log(y - low) - simd::log(high - y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return log_width - simd::log(y - low) - simd::log(high - y);
  }
  Support codomain() const { return bounds; }
  Support bounds;
  B low, high, width, log_width;
};

template <class T>
struct HyperbolicTangent : FixedFormula {
  using B = simd::Batch<T>;
  B map(const B& x) const { return simd::tanh(x); }
  template <class V>
  V log_slope(const V& x) const {
    return log_slope_of_tanh<T>(simd::abs(x));
  }
  B map_inverse(const B& y) const { return (simd::log1p(y) - simd::log1p(-y)) * B(T(0.5)); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return -simd::log1p(y) - simd::log1p(-y);
  }
  Support codomain() const { return {-1, 1}; }
};

template <class T>
struct LeakyHyperbolicTangent : FixedFormula {
  using B = simd::Batch<T>;
  explicit LeakyHyperbolicTangent(Build<T>& build) {
    const double m = build.real("bound"), log_tail = -2 * (m + std::log1p(std::exp(-2 * m)) - kLog2);
    bound = static_cast<T>(m);
    height = static_cast<T>(std::tanh(m));
    tail = static_cast<T>(std::exp(log_tail));
    log_of_tail = static_cast<T>(log_tail);
  }
  B map(const B& x) const {
    return odd(x, bound, simd::tanh(x), [&](const B& a) { return height + tail * (a - bound); });
  }
  template <class V>
  V log_slope(const V& x) const {
    const V a = simd::abs(x);
    return simd::select(a < V(bound), log_slope_of_tanh<T>(a), V(log_of_tail));
  }
  B map_inverse(const B& y) const {
    const B inner = (simd::log1p(y) - simd::log1p(-y)) * B(T(0.5));
    return odd(y, height, inner, [&](const B& a) { return bound + (a - height) / tail; });
  }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const V a = simd::abs(y), inner = simd::select(a < V(height), a, V(0.0));
    return simd::select(a < V(height), -simd::log1p(inner) - simd::log1p(-inner), V(-log_of_tail));
  }
  /// `inner` up to the bound, sign(x) outer(|x|) beyond it.
  template <class Outer>
  static B odd(const B& x, const B& limit, const B& inner, Outer&& outer) {
    const B a = simd::abs(x), beyond = outer(a);
    return simd::select(a >= limit, simd::select(x < B(T(0)), -beyond, beyond), inner);
  }
  B bound, height, tail, log_of_tail;
};

template <class T>
struct SoftSignFormula : FixedFormula {
  using B = simd::Batch<T>;
  explicit SoftSignFormula(Build<T>& build) : given(build.real("bound")), bound(static_cast<T>(given)) {}
  B map(const B& x) const { return x / (B(T(1)) + simd::abs(x) / bound); }
  template <class V>
  V log_slope(const V& x) const {
    return simd::log1p(simd::abs(x) / bound) * T(-2);
  }
  B map_inverse(const B& y) const { return y / (B(T(1)) - simd::abs(y) / bound); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return simd::log1p(-simd::abs(y) / bound) * T(-2);
  }
  Support codomain() const { return {-given, given}; }
  double given;
  B bound;
};

/// With rise = (x - l) / c and fall = b - rise: y = l + k (softplus(rise) - softplus(-fall)), b = softplus((h - l) /
/// c), k = (h - l) / b. Without l or h, the part that remains when that end goes to infinity.
template <class T>
struct SoftClipFormula : FixedFormula {
  using B = simd::Batch<T>;
  explicit SoftClipFormula(Build<T>& build) : has_low(build.given("low")), has_high(build.given("high")) {
    if (!has_low && !has_high) build.fail("low", "or `high` must be given: with neither there is nothing to clip");
    if (has_low) bounds.lower = build.real("low");
    if (has_high) bounds.upper = build.real("high");
    if (has_low && has_high && bounds.lower >= bounds.upper) build.fail("high", "must be larger than low");
    const double c = build.real("softness");
    double k = c, log_whole = 0;
    if (has_low && has_high) {
      const double w = (bounds.upper - bounds.lower) / c, b = w + std::log1p(std::exp(-w));
      k = c * w / b;
      log_whole = -std::log1p(std::exp(-w));  // log(1 - exp(-b))
      span = static_cast<T>(b);
    }
    low = static_cast<T>(bounds.lower);
    high = static_cast<T>(bounds.upper);
    softness = static_cast<T>(c);
    scale = static_cast<T>(k);
    constant = static_cast<T>(std::log(k / c) + log_whole);
    inverse_constant = static_cast<T>(log_whole - std::log(k / c));
  }

  template <class V>
  V rise(const V& x) const {
    return (x - low) / softness;
  }
  template <class V>
  V fall(const V& x) const {
    return has_low ? V(span - rise(x)) : V((high - x) / softness);
  }
  B map(const B& x) const {
    if (!has_high) return low + scale * simd::softplus(rise(x));
    const B f = fall(x);
    const B from_high = high - scale * (simd::softplus(f) - (has_low ? simd::softplus(-rise(x)) : B(T(0))));
    if (!has_low) return from_high;
    // From the nearer end, so that no digits of the distance to it are lost.
    return simd::select(rise(x) < f, low + scale * (simd::softplus(rise(x)) - simd::softplus(-f)), from_high);
  }
  template <class V>
  V log_slope(const V& x) const {
    V sum(constant);
    if (has_low) sum = sum - simd::softplus(-rise(x));
    if (has_high) sum = sum - simd::softplus(-fall(x));
    return sum;
  }
  B map_inverse(const B& y) const {
    const B t = (y - low) / scale, r = (high - y) / scale;
    if (!has_low) return high - softness * (r + log_one_minus_exp(r));
    const B left = t + log_one_minus_exp(t);
    return low + softness * (has_high ? left - log_one_minus_exp(r) : left);
  }
  template <class V>
  V inverse_log_slope(const V& y) const {
    V sum(inverse_constant);
    if (has_low) sum = sum - log_one_minus_exp((y - low) / scale);
    if (has_high) sum = sum - log_one_minus_exp((high - y) / scale);
    return sum;
  }
  Support codomain() const { return bounds; }
  bool has_low, has_high;
  Support bounds;
  B low, high, softness, scale, span{}, constant, inverse_constant;
};

template <class T>
using Sigmoid = FixedMap<LogisticCurve, T>;
template <class T>
using Logit = InverseOf<LogisticCurve, T>;
template <class T>
using Tanh = FixedMap<HyperbolicTangent, T>;
template <class T>
using Arctanh = InverseOf<HyperbolicTangent, T>;
template <class T>
using LeakyTanh = FixedMap<LeakyHyperbolicTangent, T>;
template <class T>
using Softsign = FixedMap<SoftSignFormula, T>;
template <class T>
using SoftClip = FixedMap<SoftClipFormula, T>;

constexpr Field kInterval[] = {real("low", "0.0", "lower end of the interval"),
                               real("high", "1.0", "upper end, above `low`")};
constexpr Field kLeak[] = {real("bound", "3.0", "m: up to here tanh itself; its slope there goes on").above(0)};
constexpr Field kBound[] = {real("bound", "1.0", "b: values lie between -b and b").above(0)};
constexpr Field kClip[] = {real("low", kOptional, "l, below which no value lies; left out, there is no such end"),
                           real("high", kOptional, "h, above which no value lies; left out, there is no such end"),
                           real("softness", "1.0", "c: the bends are this wide").above(0)};

constexpr Example kSigmoid[] = {{"default", "sigmoid", 3}, {"interval", "sigmoid: {low: -2.0, high: 3.0}", 2}};
constexpr Example kLogit[] = {{"default", "logit", 3}, {"interval", "logit: {low: -2.0, high: 3.0}", 2}};
constexpr Example kTanh[] = {{"default", "tanh", 3}};
constexpr Example kArctanh[] = {{"default", "arctanh", 3}};
constexpr Example kLeakyTanh[] = {{"default", "leaky_tanh", 3}, {"early", "leaky_tanh: {bound: 0.8}", 2}};
constexpr Example kSoftsign[] = {{"default", "softsign", 3}, {"zuko", "softsign: {bound: 5.0}", 2}};
constexpr Example kSoftClip[] = {{"interval", "soft_clip: {low: -2.0, high: 3.0}", 3},
                                 {"hard", "soft_clip: {low: -2.0, high: 3.0, softness: 0.2}", 2},
                                 {"low", "soft_clip: {low: -0.5}", 2},
                                 {"high", "soft_clip: {high: 0.5, softness: 0.5}", 2}};

constexpr const char kSigmoidText[] = R"(
`y = l + (h - l) s(x)` with `s(x) = 1 / (1 + exp(-x))`, inverse `x = log((y - l) / (h - y))`, log_det
`log(h - l) - log(1 + exp(x)) - log(1 + exp(-x))`. From the line to an interval: a flow that ends with `sigmoid` gives data
outside of it the density zero.

Other libraries: TFP's `Sigmoid(low, high)`, Pyro's `SigmoidTransform`, FlowTorch's `Sigmoid`, distrax'
`Sigmoid`, nflows' `Sigmoid` at temperature 1.
)";
constexpr const char kLogitText[] = R"(
`y = log((x - l) / (h - x))` for `x` between `l` and `h`, inverse `x = l + (h - l) / (1 + exp(-y))`. The inverse of
`sigmoid`.

Other libraries: TFP's `Invert(Sigmoid())`, nflows' `Logit` at temperature 1.
)";
constexpr const char kTanhText[] = R"(
`y = tanh(x)`, inverse `x = log((1 + y) / (1 - y)) / 2`, log_det `2 (log(2) - x - log(1 + exp(-2 x)))`, which is exact
where the slope itself underflows.

Other libraries: TFP's `Tanh`, Pyro's and PyTorch's `TanhTransform`, FlowTorch's `Tanh`, nflows' `Tanh`, distrax' and
FlowJAX's `Tanh`.
)";
constexpr const char kArctanhText[] = R"(
`y = log((1 + x) / (1 - x)) / 2` for `x` in `(-1, 1)`, inverse `x = tanh(y)`, log_det `-log(1 - x^2)`. The inverse of `tanh`.

Other libraries: TFP's `Invert(Tanh())`.
)";
constexpr const char kLeakyTanhText[] = R"(
`y = tanh(x)` for `|x| < m`, beyond it the tangents at `+-m`: onto the whole line, where `tanh` has no inverse outside of
`(-1, 1)`. log_det is that of `tanh` at the nearer of `x` and `+-m`.

Other libraries: FlowJAX's `LeakyTanh(max_val)`.
)";
constexpr const char kSoftsignText[] = R"(
`y = x / (1 + |x| / b)`, inverse `x = y / (1 - |y| / b)`, log_det `-2 log(1 + |x| / b)`. Approaches `+-b` like `1 / x`.

Other libraries: TFP's `Softsign`; zuko's `SoftclipTransform(bound)`.
)";
constexpr const char kSoftClipText[] = R"(
With the softness `c` and both ends, `r = (x - l) / c`, `b = log(1 + exp((h - l) / c))`:

`y = l + (h - l) / b (log(1 + exp(r)) - log(1 + exp(r - b)))`

Between the ends the map is nearly the identity, and `y` is always between them. With `low` alone it is
`l + c log(1 + exp((x - l) / c))`, with `high` alone `h - c log(1 + exp((h - x) / c))`. log_det and inverse have closed
forms, which lose no digits near either end.

Other libraries: TFP's `SoftClip(low, high, hinge_softness)`; this is its formula, simplified.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Sigmoid>("transformer", "sigmoid", "From the line to an interval: 1 / (1 + exp(-x))", kInterval, kSigmoid,
                      kSigmoidText),
    describe<Logit>("transformer", "logit", "From an interval to the line: log(x / (1 - x))", kInterval, kLogit,
                    kLogitText),
    describe<Tanh>("transformer", "tanh", "From the line to (-1, 1)", nullptr, kTanh, kTanhText),
    describe<Arctanh>("transformer", "arctanh", "From (-1, 1) to the line", nullptr, kArctanh, kArctanhText),
    describe<LeakyTanh>("transformer", "leaky_tanh", "tanh, continued by straight lines", kLeak, kLeakyTanh,
                        kLeakyTanhText),
    describe<Softsign>("transformer", "softsign", "From the line to (-b, b): x / (1 + |x| / b)", kBound, kSoftsign,
                       kSoftsignText),
    describe<SoftClip>("transformer", "soft_clip", "Nearly the identity, between two ends or above or below one", kClip,
                       kSoftClip, kSoftClipText)};

}  // namespace

PUSHFORWARD_PLUGIN("sigmoid_maps", "0.1.0", "MIT", kComponents);
