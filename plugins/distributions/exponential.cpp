// exponential: independent waiting times.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | rate | 1 x D | if learnable: the logarithms of the rates |
#include <limits>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Exponential final : public ElementwiseDistribution<T> {
 public:
  explicit Exponential(Build<T>& build)
      : ElementwiseDistribution<T>(build, "exponential"), rate_(this->field(build, "rate", true)) {}

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> mean = reciprocal(rate_(pass));
    return {mean, square(mean)};
  }

 private:
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Var<T> log_rate = rate_.logarithm(pass);
    return log_rate - y * exp(log_rate);
  }
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    return -log(pass.uniform(this->id(), n, this->size())) * exp(-rate_.logarithm(pass));
  }
  Intervals<T> intervals() const override {
    static constexpr T kLower = 0, kUpper = std::numeric_limits<T>::infinity();
    return {{&kLower, 1}, {&kUpper, 1}};
  }

  FieldValue<T> rate_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("rate", "1",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
};

constexpr Example kExamples[] = {
    {"standard", "exponential", 2},
    {"shape", "exponential: {shape: [3]}", 3},
    {"numbers", "exponential: {rate: [0.5, 3.0]}", 2},
    {"learnable", "exponential: {rate: {learnable: 2.0}}", 2},
    {"conditional", "exponential: {rate: {network: {mlp: {hidden: [8], activation: tanh}}}}", 2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (log r_j - r_j y_j)` for y >= 0, minus infinity below. Mean and variance of element j are `1/r_j` and
`1/r_j^2`. Samples are `-log(u)/r`, differentiable with respect to the rate.

`learnable` starts at 1, or where `{learnable: NUMBERS}` says; a learned rate is stored as its logarithm. Some libraries
have `scale = 1/rate` instead.
)";

constexpr ComponentInfo kComponents[] = {describe<Exponential>("distribution", "exponential",
                                                               "Independent exponential elements, not negative",
                                                               kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("exponential", "0.1.0", "MIT", kComponents);
