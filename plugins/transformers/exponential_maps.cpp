// exp, log, expm1, log1p, softplus, inverse_softplus: fixed maps between the line and half-lines.
//
// | map | y | inverse |
// | --- | --- | --- |
// | exp | exp(x) | log |
// | expm1 | exp(x) - 1 | log1p |
// | softplus | c log(1 + exp(x / c)) | inverse_softplus |
//
// Dugas, Bengio, Belisle, Nadeau and Garcia, "Incorporating second-order functional knowledge", 2000 (softplus).
#include "pushforward/fixed_map.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// Up to which exponentials and their gradients are numbers of single precision.
constexpr double kExponentialRange = 80;

template <class T>
struct Exponential : FixedFormula {
  using B = simd::Batch<T>;
  B map(const B& x) const { return simd::exp(x); }
  template <class V>
  V log_slope(const V& x) const {
    return x;
  }
  B map_inverse(const B& y) const { return simd::log(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return -simd::log(y);
  }
  Support codomain() const { return {.lower = 0}; }
  double range() const { return kExponentialRange; }
};

template <class T>
struct ExponentialMinusOne : FixedFormula {
  using B = simd::Batch<T>;
  B map(const B& x) const { return simd::expm1(x); }
  template <class V>
  V log_slope(const V& x) const {
    return x;
  }
  B map_inverse(const B& y) const { return simd::log1p(y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return -simd::log1p(y);
  }
  Support codomain() const { return {.lower = -1}; }
  double range() const { return kExponentialRange; }
};

/// softness * log(1 + exp(x / softness))
template <class T>
struct SoftPositive : FixedFormula {
  using B = simd::Batch<T>;
  explicit SoftPositive(Build<T>& build) : softness(static_cast<T>(build.real("softness"))) {}
  B map(const B& x) const { return softness * simd::softplus(x / softness); }
  template <class V>
  V log_slope(const V& x) const {
    return -simd::softplus(-x / softness);
  }
  B map_inverse(const B& y) const { return y + softness * simd::log(-simd::expm1(-y / softness)); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return -simd::log(-simd::expm1(-y / softness));
  }
  Support codomain() const { return {.lower = 0}; }
  B softness;
};

template <class T>
using Exp = FixedMap<Exponential, T>;
template <class T>
using Log = InverseOf<Exponential, T>;
template <class T>
using Expm1 = FixedMap<ExponentialMinusOne, T>;
template <class T>
using Log1p = InverseOf<ExponentialMinusOne, T>;
template <class T>
using Softplus = FixedMap<SoftPositive, T>;
template <class T>
using InverseSoftplus = InverseOf<SoftPositive, T>;

constexpr Field kSoftness[] = {
    real("softness", "1.0", "c: the bend at 0 is this wide; for a small one the map is nearly max(x, 0)").above(0)};

constexpr Example kExp[] = {{"default", "exp", 3}};
constexpr Example kLog[] = {{"default", "log", 3}};
constexpr Example kExpm1[] = {{"default", "expm1", 3}};
constexpr Example kLog1p[] = {{"default", "log1p", 3}};
constexpr Example kSoftplus[] = {{"default", "softplus", 3}, {"softer", "softplus: {softness: 2.5}", 2}};
constexpr Example kInverseSoftplus[] = {{"default", "inverse_softplus", 3},
                                        {"softer", "inverse_softplus: {softness: 2.5}", 2}};

constexpr const char kExpText[] = R"(
`y = exp(x)`, inverse `x = log(y)`, log_det `x` summed over the elements. From the line to positive numbers: a flow that
ends with `exp` gives data below zero the density zero. In float32 values beyond `x = 88` are infinite.

Other libraries: TFP's `Exp`, Pyro's and PyTorch's `ExpTransform`, FlowTorch's and FlowJAX's `Exp`.
)";
constexpr const char kLogText[] = R"(
`y = log(x)` for positive `x`, inverse `x = exp(y)`, log_det `-log(x)`. The inverse of `exp`.

Other libraries: TFP's `Log`; elsewhere the inverse of `Exp`.
)";
constexpr const char kExpm1Text[] = R"(
`y = exp(x) - 1`, inverse `x = log(1 + y)`, log_det `x`; accurate near 0, where it is the identity. Values lie above -1.

Other libraries: TFP's `Expm1`.
)";
constexpr const char kLog1pText[] = R"(
`y = log(1 + x)` for `x > -1`, inverse `x = exp(y) - 1`, log_det `-log(1 + x)`. The inverse of `expm1`.

Other libraries: TFP's `Log1p`.
)";
constexpr const char kSoftplusText[] = R"(
`y = c log(1 + exp(x / c))`, inverse `x = y + c log(1 - exp(-y / c))`, log_det `-log(1 + exp(-x / c))`. From the line to
positive numbers, the identity far to the right.

Other libraries: TFP's `Softplus` (its `hinge_softness` is `softness`), Pyro's `SoftplusTransform`, FlowTorch's
`Softplus`, FlowJAX's `SoftPlus`.

C. Dugas, Y. Bengio, F. Belisle, C. Nadeau, R. Garcia, Incorporating second-order functional knowledge for better
option pricing, NeurIPS 2000.
)";
constexpr const char kInverseSoftplusText[] = R"(
`y = x + c log(1 - exp(-x / c))` for positive `x`, inverse `x = c log(1 + exp(y / c))`, log_det
`-log(1 - exp(-x / c))`. The inverse of `softplus`: near 0 it is `c log(x / c)`, far to the right the identity.

Other libraries: TFP's `Invert(Softplus())`.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Exp>("transformer", "exp", "Positive values: exp(x)", nullptr, kExp, kExpText),
    describe<Log>("transformer", "log", "From positive values to the line: log(x)", nullptr, kLog, kLogText),
    describe<Expm1>("transformer", "expm1", "Values above -1: exp(x) - 1", nullptr, kExpm1, kExpm1Text),
    describe<Log1p>("transformer", "log1p", "From values above -1 to the line: log(1 + x)", nullptr, kLog1p,
                    kLog1pText),
    describe<Softplus>("transformer", "softplus", "Positive values, linear far out: log(1 + exp(x))", kSoftness,
                       kSoftplus, kSoftplusText),
    describe<InverseSoftplus>("transformer", "inverse_softplus", "From positive values to the line, linear far out",
                              kSoftness, kInverseSoftplus, kInverseSoftplusText)};

}  // namespace

PUSHFORWARD_PLUGIN("exponential_maps", "0.1.0", "MIT", kComponents);
