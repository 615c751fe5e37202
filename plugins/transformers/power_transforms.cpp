// box_cox, yeo_johnson: powers with a learnable exponent, which make skewed data nearly normal.
//
// | map | y | parameter 0 |
// | --- | --- | --- |
// | box_cox | (x^lambda - 1) / lambda, x > 0 | lambda |
// | yeo_johnson | the same of 1 + x, and of 1 - x with 2 - lambda below 0 | lambda |
//
// Box and Cox, "An analysis of transformations", 1964; Yeo and Johnson, "A new family of power transformations", 2000.
#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// (exp(z) - 1) / z, with all its derivatives at 0: the Taylor series where the quotient would lose their digits.
template <class T, class V>
V mean_exponential(const V& z) {
  constexpr int kTerms = sizeof(T) == 4 ? 9 : 17;  // the rest is below a unit in the last place at 1
  const auto near = simd::abs(z) < V(1.0);
  const V small = simd::select(near, z, V(0.0)), large = simd::select(near, V(1.0), z);
  double factorial = 1;
  for (int k = 2; k <= kTerms + 1; ++k) factorial *= k;
  V series(T(1 / factorial));
  for (int k = kTerms; k > 0; --k) {
    factorial /= k + 1;
    series = series * small + T(1 / factorial);
  }
  return simd::select(near, series, simd::expm1(large) / large);
}

/// log(1 + z) / z; 1 at 0.
template <class T>
simd::Batch<T> mean_logarithm(const simd::Batch<T>& z) {
  using B = simd::Batch<T>;
  const auto none = z == B(T(0));
  return simd::select(none, B(T(1)), simd::log1p(z) / simd::select(none, B(T(1)), z));
}

template <class T>
class BoxCox final : public KernelTransformer<BoxCox<T>, T> {
  using B = simd::Batch<T>;

 public:
  static constexpr int kParameters = 1;

  explicit BoxCox(Build<T>&) {}

  template <class V, class W>
  V map(const V& x, const W* theta) const {
    const V log_x = simd::log(x);
    return log_x * mean_exponential<T>(V(log_x * theta[0]));
  }
  template <class V, class W>
  V log_slope(const V& x, const W* theta) const {
    return simd::log(x) * (theta[0] - T(1));
  }
  B map_inverse(const B& y, const B* theta) const { return simd::exp(y * mean_logarithm<T>(theta[0] * y)); }
  void identity(std::span<T> theta) const override { theta[0] = T(1); }

  Support domain() const override { return {.lower = 0}; }
  Traits traits() const override {
    Traits t = KernelTransformer<BoxCox<T>, T>::traits();
    // Promises about every number of the codomain, of which lambda says which ones are images.
    t.elementwise = t.increasing = false;
    return t;
  }
};

template <class T>
class YeoJohnson final : public KernelTransformer<YeoJohnson<T>, T> {
  using B = simd::Batch<T>;

 public:
  static constexpr int kParameters = 1;

  explicit YeoJohnson(Build<T>&) {}

  // With L = log(1 + |x|) and the exponent m of x's side: y = sign(x) (exp(m L) - 1) / m, log slope (m - 1) L.
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    const V distance = simd::log1p(simd::abs(x));
    const V y = distance * mean_exponential<T>(V(distance * side(x, theta[0])));
    return simd::select(x < V(0.0), -y, y);
  }
  template <class V, class W>
  V log_slope(const V& x, const W* theta) const {
    return simd::log1p(simd::abs(x)) * (side(x, theta[0]) - T(1));
  }
  B map_inverse(const B& y, const B* theta) const {
    const B a = simd::abs(y), x = simd::expm1(a * mean_logarithm<T>(side(y, theta[0]) * a));
    return simd::select(y < B(T(0)), -x, x);
  }
  void identity(std::span<T> theta) const override { theta[0] = T(1); }

  Traits traits() const override {
    Traits t = KernelTransformer<YeoJohnson<T>, T>::traits();
    // Promises about every number of the codomain, of which lambda says which ones are images.
    t.elementwise = t.increasing = false;
    return t;
  }

 private:
  template <class V, class W>
  static W side(const V& x, const W& lambda) {
    return simd::select(x < V(0.0), T(2) - lambda, lambda);
  }
};

// One element: with an exponent above 1 the density of an exponential number's image has a pole, at -1 / lambda, that a
// grid in the plane does not resolve.
constexpr Example kBoxCoxExamples[] = {{"default", "box_cox", 1}};
constexpr Example kYeoJohnsonExamples[] = {{"default", "yeo_johnson", 3}};

constexpr const char kBoxCoxText[] = R"(
`y = (x^lambda - 1) / lambda` for positive `x`, `log(x)` for `lambda = 0`; inverse `x = (1 + lambda y)^(1 / lambda)`,
log_det `(lambda - 1) log(x)`. Parameter 0 is `lambda` itself, unconstrained; it starts at 1, where `y = x - 1`. Values and
gradients are those of the limit at and near `lambda = 0`.

Images are the `y` with `1 + lambda y > 0`; the inverse of others is NaN. As `elementwise: {transformer: box_cox, maps:
data_to_base}` it is the transformation of the paper, from positive data towards a normal base, whose likelihood is
defined for every `lambda`.

Other libraries: scipy's `boxcox`, scikit-learn's `PowerTransformer(method='box-cox')`; TFP's `PowerTransform(power)` is
the inverse, with a fixed `lambda`.

G. E. P. Box, D. R. Cox, An analysis of transformations, Journal of the Royal Statistical Society B 26 (1964).
)";
constexpr const char kYeoJohnsonText[] = R"(
`y = ((1 + x)^lambda - 1) / lambda` for `x >= 0`, `-((1 - x)^(2 - lambda) - 1) / (2 - lambda)` below, with logarithms as
limits at `lambda = 0` and `lambda = 2`; log_det `sign(x) (lambda - 1) log(1 + |x|)`. Parameter 0 is `lambda` itself,
unconstrained; it starts at 1, the identity. Values and gradients are those of the limits at and near 0 and 2.

With `lambda` between 0 and 2 the map is onto the line. Below 0 the images end at `-1 / lambda`, above 2 they begin at
`-1 / (lambda - 2)`; the inverse of others is NaN. As `elementwise: {transformer: yeo_johnson, maps: data_to_base}` it is the
transformation of the paper, whose likelihood is defined for every `lambda`.

Other libraries: scipy's `yeojohnson`, scikit-learn's `PowerTransformer`.

I.-K. Yeo, R. A. Johnson, A new family of power transformations to improve normality or symmetry, Biometrika 87 (2000).
)";

constexpr ComponentInfo kComponents[] = {
    describe<BoxCox>("transformer", "box_cox", "A learnable power of positive values", nullptr, kBoxCoxExamples,
                     kBoxCoxText),
    describe<YeoJohnson>("transformer", "yeo_johnson", "A learnable power for either side of 0", nullptr,
                         kYeoJohnsonExamples, kYeoJohnsonText)};

}  // namespace

PUSHFORWARD_PLUGIN("power_transforms", "0.1.0", "MIT", kComponents);
