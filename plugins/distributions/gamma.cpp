// gamma: independent positive elements.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | concentration | 1 x D | if learnable: their logarithms |
// | rate | 1 x D | if learnable: their logarithms |
#include <limits>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Gamma final : public ElementwiseDistribution<T> {
 public:
  explicit Gamma(Build<T>& build)
      : ElementwiseDistribution<T>(build, "gamma"),
        concentration_(this->field(build, "concentration", true)),
        rate_(this->field(build, "rate", true)) {}

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> concentration = concentration_(pass), rate = rate_(pass);
    return {concentration / rate, concentration / square(rate)};
  }

 private:
  // Loader's form: with u = r y / a the density is that of u = 1 times exp(-a (u - 1 - log u)). The plain formula
  // subtracts numbers of size a log a, of which float32 keeps no digit where a is 1e6.
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Var<T> a = concentration_(pass), factor = rate_(pass) / a;
    const Var<T> u = y * factor, log_u = log(u);
    const Var<T> constant = log(factor) + log(a) * T(0.5) - log_gamma_correction(a) - static_cast<T>(kHalfLogTwoPi);
    return constant - log_u - a * ((u - T(1)) - log_u);
  }

  // Zero is no event, so what would be rounded to it is the smallest number.
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    const Var<T> log_sample = log_gamma_sample(concentration_(pass), n, pass.draws(this->id()));
    return maximum(exp(log_sample - rate_.logarithm(pass)), pass.tape.constant(std::numeric_limits<T>::min()));
  }

  Intervals<T> intervals() const override {
    static constexpr T kLower = 0, kUpper = std::numeric_limits<T>::infinity();
    return {{&kLower, 1}, {&kUpper, 1}, true, true};
  }

  FieldValue<T> concentration_, rate_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("concentration", "1",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
    value("rate", "1", "likewise").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"standard", "gamma", 2},
    {"shape", "gamma: {shape: [3], rate: 2}", 3},
    {"numbers", "gamma: {concentration: [0.7, 12.0], rate: [0.5, 3.0]}", 2},
    {"concentrated", "gamma: {concentration: 2000, rate: 10}", 2},
    {"learnable", "gamma: {concentration: learnable, rate: learnable}", 2},
    {"start", "gamma: {concentration: {learnable: [2.5, 9.0]}, rate: {learnable: 4}}", 2},
    {"conditional", "gamma: {concentration: " NETWORK ", rate: " NETWORK "}", 2, 2},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (a_j log r_j - log Gamma(a_j) + (a_j - 1) log y_j - r_j y_j)` for positive y, with the concentration
a (also called shape, alpha) and the rate r (beta; 1 / scale); minus infinity elsewhere, zero included. Mean and
variance of element j are `a_j / r_j` and `a_j / r_j^2`. With concentration 1 it is exponential.

`learnable` starts at 1, or where `{learnable: NUMBERS}` says. What is learned are the logarithms; a network of the
context gives logarithms, too.

Samples are differentiable with respect to both: the gradient of a sample is that of the quantile of the uniform
number it came from (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018). A sample below the
smallest normal number of the precision is that number: with concentration 0.01 one in 1,200 in float64, and two in
five in float32.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Gamma>("distribution", "gamma", "Independent Gamma elements", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("gamma", "0.1.0", "MIT", kComponents);
