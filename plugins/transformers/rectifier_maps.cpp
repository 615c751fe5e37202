// leaky_relu, elu, celu: fixed maps that are the identity to the right of 0.
//
// | map | y for x < 0 | field |
// | --- | --- | --- |
// | leaky_relu | s x | slope |
// | elu | alpha (exp(x) - 1) | alpha |
// | celu | alpha (exp(x / alpha) - 1) | alpha |
//
// Maas, Hannun and Ng 2013; Clevert, Unterthiner and Hochreiter 2016; Barron 2017.
#include <cmath>

#include "pushforward/fixed_map.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

template <class T>
struct LeakyRectifier : FixedFormula {
  using B = simd::Batch<T>;
  explicit LeakyRectifier(Build<T>& build)
      : slope(static_cast<T>(build.real("slope"))), log_of_slope(static_cast<T>(std::log(build.real("slope")))) {}
  B map(const B& x) const { return simd::select(x < B(T(0)), x * slope, x); }
  template <class V>
  V log_slope(const V& x) const {
    return simd::select(x < V(0.0), V(log_of_slope), V(0.0));
  }
  B map_inverse(const B& y) const { return simd::select(y < B(T(0)), y / slope, y); }
  template <class V>
  V inverse_log_slope(const V& y) const {
    return -log_slope(y);
  }
  B slope, log_of_slope;
};

/// alpha (exp(x / width) - 1) to the left of 0.
template <class T>
struct ExponentialLeft : FixedFormula {
  using B = simd::Batch<T>;
  ExponentialLeft(double alpha_, double width_)
      : alpha(static_cast<T>(alpha_)),
        width(static_cast<T>(width_)),
        log_start(static_cast<T>(std::log(alpha_ / width_))),
        lowest(-alpha_) {}
  B map(const B& x) const {
    const auto left = x < B(T(0));
    return simd::select(left, alpha * simd::expm1(simd::select(left, x, B(T(0))) / width), x);
  }
  template <class V>
  V log_slope(const V& x) const {
    return simd::select(x < V(0.0), x / width + log_start, V(0.0));
  }
  B map_inverse(const B& y) const {
    const auto left = y < B(T(0));
    return simd::select(left, width * simd::log1p(simd::select(left, y, B(T(0))) / alpha), y);
  }
  template <class V>
  V inverse_log_slope(const V& y) const {
    const auto left = y < V(0.0);
    return simd::select(left, -simd::log1p(simd::select(left, y, V(0.0)) / alpha) - log_start, V(0.0));
  }
  Support codomain() const { return {.lower = lowest}; }
  B alpha, width, log_start;
  double lowest;
};
template <class T>
struct EluFormula : ExponentialLeft<T> {
  explicit EluFormula(Build<T>& build) : ExponentialLeft<T>(build.real("alpha"), 1) {}
};
template <class T>
struct CeluFormula : ExponentialLeft<T> {
  explicit CeluFormula(Build<T>& build) : ExponentialLeft<T>(build.real("alpha"), build.real("alpha")) {}
};

template <class T>
using LeakyRelu = FixedMap<LeakyRectifier, T>;
template <class T>
using Elu = FixedMap<EluFormula, T>;
template <class T>
using Celu = FixedMap<CeluFormula, T>;

constexpr Field kSlope[] = {real("slope", "0.01", "s, to the left of 0").above(0)};
constexpr Field kAlpha[] = {real("alpha", "1.0", "minus the value far to the left").above(0)};

constexpr Example kLeakyRelu[] = {{"default", "leaky_relu", 3}, {"steeper", "leaky_relu: {slope: 0.3}", 2}};
constexpr Example kElu[] = {{"default", "elu", 3}, {"deeper", "elu: {alpha: 2.0}", 2}};
constexpr Example kCelu[] = {{"default", "celu", 3}, {"deeper", "celu: {alpha: 2.0}", 2}};

constexpr const char kLeakyReluText[] = R"(
`y = x` for `x >= 0` and `s x` below, inverse `x = y / s` below 0, log_det `log(s)` for each negative element.

Other libraries: Pyro's `LeakyReLUTransform` and FlowTorch's `LeakyReLU` (slope 0.01), nflows' `LeakyReLU`.

A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.
)";
constexpr const char kEluText[] = R"(
`y = x` for `x >= 0` and `alpha (exp(x) - 1)` below, inverse `x = log(1 + y / alpha)` below 0, log_det
`x + log(alpha)` for each negative element. Values lie above `-alpha`; the slope is continuous for `alpha: 1.0` only.

Other libraries: Pyro's `ELUTransform` and FlowTorch's `ELU` (alpha 1).

D.-A. Clevert, T. Unterthiner, S. Hochreiter, Fast and accurate deep network learning by exponential linear units,
ICLR 2016.
)";
constexpr const char kCeluText[] = R"(
`y = x` for `x >= 0` and `alpha (exp(x / alpha) - 1)` below, inverse `x = alpha log(1 + y / alpha)` below 0, log_det
`x / alpha` for each negative element. Values lie above `-alpha`; the slope is continuous for every `alpha`.

Other libraries: PyTorch's activation `CELU`; with `alpha: 1.0` Pyro's `ELUTransform`.

J. T. Barron, Continuously differentiable exponential linear units, 2017 (arXiv 1704.07483).
)";

constexpr ComponentInfo kComponents[] = {
    describe<LeakyRelu>("transformer", "leaky_relu", "Another slope to the left of 0", kSlope, kLeakyRelu,
                        kLeakyReluText),
    describe<Elu>("transformer", "elu", "Exponential to the left of 0", kAlpha, kElu, kEluText),
    describe<Celu>("transformer", "celu", "Exponential to the left of 0, smooth there", kAlpha, kCelu, kCeluText)};

}  // namespace

PUSHFORWARD_PLUGIN("rectifier_maps", "0.1.0", "MIT", kComponents);
