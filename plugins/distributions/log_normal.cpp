// log_normal: independent elements whose logarithms are normal.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | location | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the scales |
#include <limits>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class LogNormal final : public ElementwiseDistribution<T> {
 public:
  explicit LogNormal(Build<T>& build)
      : ElementwiseDistribution<T>(build, "log_normal"),
        location_(this->field(build, "location", false)),
        scale_(this->field(build, "scale", true)) {}

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> variance_of_log = square(scale_(pass));
    const Var<T> log_mean = location_(pass) + variance_of_log * T(0.5);
    return {exp(log_mean), expm1(variance_of_log) * exp(log_mean * T(2))};
  }

 private:
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Var<T> log_y = log(y), log_scale = scale_.logarithm(pass);
    const Var<T> z = (log_y - location_(pass)) * exp(-log_scale);
    return square(z) * T(-0.5) - log_y - (log_scale + T(kHalfLogTwoPi));
  }
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    return exp(pass.normal(this->id(), n, this->size()) * scale_(pass) + location_(pass));
  }
  Intervals<T> intervals() const override {
    static constexpr T kLower = 0, kUpper = std::numeric_limits<T>::infinity();
    return {{&kLower, 1}, {&kUpper, 1}, true, true};
  }

  FieldValue<T> location_, scale_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("location", "0",
          "mean of the logarithm: number, list of one for each element, `learnable`, or a network of the context"),
    value("scale", "1", "standard deviation of the logarithm, likewise; a network gives its logarithm").above(0),
};

constexpr Example kExamples[] = {
    {"standard", "log_normal", 2},
    {"shape", "log_normal: {shape: [3], scale: 0.5}", 3},
    {"numbers", "log_normal: {location: [1.0, -0.5], scale: [0.25, 0.5]}", 2},
    {"learnable", "log_normal: {location: learnable, scale: {learnable: 0.5}}", 2},
    // A scale near 1.5 has a variance that no sample shows: it lives in samples too rare to be drawn.
    {"conditional",
     "log_normal: {location: {network: {mlp: {hidden: [8], activation: tanh}}}, scale: {learnable: 0.5}}", 2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = - sum_j ((log y_j - m_j)^2 / (2 s_j^2) + log s_j + log y_j) - D/2 log(2 pi)` for y > 0, minus infinity
elsewhere: `log y` is normal with mean m and standard deviation s. The median of element j is `exp(m_j)`, its mean
`exp(m_j + s_j^2/2)` and its variance `(exp(s_j^2) - 1) exp(2 m_j + s_j^2)`. Samples are `exp(m + s z)` with standard
normal z: differentiable with respect to location and scale.

`learnable` starts at location 0 and scale 1, or where `{learnable: NUMBERS}` says. A learned scale is stored as its
logarithm; a network of the context gives the logarithm, too.
)";

constexpr ComponentInfo kComponents[] = {describe<LogNormal>("distribution", "log_normal",
                                                             "Independent elements whose logarithms are normal",
                                                             kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("log_normal", "0.1.0", "MIT", kComponents);
