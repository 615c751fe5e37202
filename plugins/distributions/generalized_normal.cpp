// generalized_normal: y = location + scale z, where the density of z falls like exp(-|z|^power).
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | power | 1 x D | if learnable: the logarithms |
// | location | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the scales |
#include <numbers>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class GeneralizedNormal final : public LocationScaleDistribution<T> {
 public:
  explicit GeneralizedNormal(Build<T>& build)
      : LocationScaleDistribution<T>(build, "generalized_normal"), power_(this->field(build, "power", true)) {}

 private:
  // log(p / Gamma(1/p)) = -log Gamma(1 + 1/p)
  Var<T> standard_log_density(Var<T> z, const Pass<T>& pass) const override {
    const Var<T> power = power_(pass);
    return T(-std::numbers::ln2) - log_gamma(reciprocal(power) + T(1)) - abs_power(z, power);
  }

  // |z|^p has a Gamma distribution of concentration 1/p.
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Var<T> reciprocal_power = reciprocal(power_(pass));
    const Var<T> log_gamma = log_gamma_sample(reciprocal_power, n, pass.draws(this->id(), 1));
    const Var<T> sign = pass.tape.make(n, this->size());
    pass.draws(this->id()).sign(sign.data());
    return sign * exp(log_gamma * reciprocal_power);
  }

  Moments<T> standard_moments(const Pass<T>& pass) const override {
    const Var<T> reciprocal_power = reciprocal(power_(pass));
    return {pass.tape.constant(T(0)), exp(log_gamma(reciprocal_power * T(3)) - log_gamma(reciprocal_power))};
  }

  FieldValue<T> power_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("power", "2",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
    value("location", "0", "likewise; a network gives the location itself"),
    value("scale", "1", "likewise; a network gives its logarithm").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"standard", "generalized_normal", 2},
    {"shape", "generalized_normal: {shape: [3], power: 1.5}", 3},
    {"numbers", "generalized_normal: {power: [1.2, 4.3], location: [1.0, -2.0], scale: [0.5, 3.0]}", 2},
    {"flat", "generalized_normal: {power: 8}", 2},
    {"learnable", "generalized_normal: {power: learnable, location: learnable, scale: learnable}", 2},
    {"start", "generalized_normal: {power: {learnable: [1.5, 3.0]}}", 2},
    // Not all three from networks: near y = m a power below 1 has no slope that a difference could measure.
    {"conditional", "generalized_normal: {power: 3, location: " NETWORK ", scale: " NETWORK "}", 2, 2},
    {"conditional_power", "generalized_normal: {power: " NETWORK "}", 2, 2, 10,
     "where the network makes the power 0.2 a sample is 1e5, through an exponential that makes its rounding "
     "twelvefold"},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (log p_j - log(2 s_j) - log Gamma(1/p_j) - |z_j|^p_j)` with the power p and `z = (y - m) / s`. Mean
and variance of element j are `m_j` and `s_j^2 Gamma(3/p_j) / Gamma(1/p_j)`. Power 1 is laplace, 2 is normal with
standard deviation `s / sqrt(2)`, and a large one nearly uniform on `[m - s, m + s]`. Also called exponential power
distribution; scipy's gennorm calls the power beta.

`learnable` starts at power 2, location 0 and scale 1, or where `{learnable: NUMBERS}` says. Learned powers and scales
are stored as their logarithms; a network of the context gives logarithms, too. At `y = m` the gradient is 0, also
where the density has a cusp (powers up to 1).

Samples are differentiable with respect to all three: `z` is a random sign times `g^(1/p)` with a Gamma number g of
concentration `1/p`, whose gradient is implicit (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients",
2018).
)";

constexpr ComponentInfo kComponents[] = {describe<GeneralizedNormal>(
    "distribution", "generalized_normal", "Independent elements whose tails fall like exp(-|z|^power)", kFields,
    kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("generalized_normal", "0.1.0", "MIT", kComponents);
