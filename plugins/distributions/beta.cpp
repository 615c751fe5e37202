// beta: independent elements between 0 and 1.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | concentration1 | 1 x D | if learnable: their logarithms |
// | concentration0 | 1 x D | if learnable: their logarithms |
#include <limits>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Beta final : public ElementwiseDistribution<T> {
 public:
  explicit Beta(Build<T>& build)
      : ElementwiseDistribution<T>(build, "beta"),
        one_(this->field(build, "concentration1", true)),
        zero_(this->field(build, "concentration0", true)) {}

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> a = one_(pass), b = zero_(pass), total = a + b;
    const Var<T> mean = a / total;
    return {mean, mean * (b / total) / (total + T(1))};
  }

 private:
  // a log(y / m) + b log((1 - y) / (1 - m)) with m = a / (a + b), and the density at y = m by Stirling's formula and
  // what it lacks: the plain formula subtracts three log Gammas, of which float32 keeps no digit where they are large.
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Var<T> a = one_(pass), b = zero_(pass), total = a + b;
    const Var<T> log_mean = log(a / total), log_rest = log(b / total);
    const Var<T> corrections = log_gamma_correction(total) - log_gamma_correction(a) - log_gamma_correction(b);
    const Var<T> constant = (log_mean + log(b)) * T(0.5) + corrections - static_cast<T>(kHalfLogTwoPi);
    const Var<T> log_y = log(y), log_other = log1p(-y);
    return constant - log_y - log_other + a * (log_y - log_mean) + b * (log_other - log_rest);
  }

  // g1 / (g1 + g0) in logarithms. Neither end is an event, so what would be rounded to it is the number next to it.
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    const Var<T> one = log_gamma_sample(one_(pass), n, pass.draws(this->id()));
    const Var<T> zero = log_gamma_sample(zero_(pass), n, pass.draws(this->id(), 1));
    constexpr T kLeast = std::numeric_limits<T>::min(), kMost = 1 - std::numeric_limits<T>::epsilon() / 2;
    return maximum(minimum(sigmoid(one - zero), pass.tape.constant(kMost)), pass.tape.constant(kLeast));
  }

  Intervals<T> intervals() const override {
    static constexpr T kLower = 0, kUpper = 1;
    return {{&kLower, 1}, {&kUpper, 1}, true, true};
  }
  Var<T> stand_in(const Pass<T>& pass) const override { return pass.tape.constant(T(0.5)); }

  FieldValue<T> one_, zero_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("concentration1", "1",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm: "
          "the weight towards 1")
        .above(0),
    value("concentration0", "1", "likewise: the weight towards 0").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"standard", "beta", 2},
    {"shape", "beta: {shape: [3], concentration1: 2}", 3},
    {"numbers", "beta: {concentration1: [0.8, 2.0], concentration0: [1.5, 5.0]}", 2},
    {"concentrated", "beta: {concentration1: 2000, concentration0: 500}", 2},
    {"learnable", "beta: {concentration1: learnable, concentration0: learnable}", 2},
    {"start", "beta: {concentration1: {learnable: [2.5, 9.0]}, concentration0: {learnable: 4}}", 2},
    {"conditional", "beta: {concentration1: " NETWORK ", concentration0: " NETWORK "}", 2, 2},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j ((a_j - 1) log y_j + (b_j - 1) log(1 - y_j) - log B(a_j, b_j))` for y between 0 and 1, with `a`
concentration1 (also called alpha), `b` concentration0 (beta) and `B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b)`; minus
infinity elsewhere, both ends included. Mean and variance of element j are `a_j / (a_j + b_j)` and `a_j b_j / ((a_j +
b_j)^2 (a_j + b_j + 1))`. With both concentrations 1 it is uniform.

`learnable` starts at 1, or where `{learnable: NUMBERS}` says. What is learned are the logarithms; a network of the
context gives logarithms, too.

Samples are differentiable with respect to both: `g1 / (g1 + g0)` of two Gamma numbers, whose gradients are implicit
(Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018). A sample that would be rounded to an end
is the number next to it, which small concentrations do often: near 1 the next number is 1e-16 away, in float32 6e-8.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Beta>("distribution", "beta", "Independent elements between 0 and 1", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("beta", "0.1.0", "MIT", kComponents);
