// laplace, logistic, cauchy, gumbel: y = location + scale z, where z has a standard density that is not the normal one.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | location | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the scales |
#include <numbers>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// u - 1/2 and 1/2 - |u - 1/2| of a uniform draw u: its side and its distance from the nearer end, both exact, so that
/// both tails are drawn alike. A draw is an odd multiple of its unit, so it is never 1/2.
template <class T>
struct Sides {
  Var<T> side, distance;
};
template <class T>
Sides<T> sides(Var<T> u) {
  const Var<T> middle = u - T(0.5);
  return {sign(middle), T(0.5) - abs(middle)};
}

template <class T>
Moments<T> constants(const Pass<T>& pass, double mean, double variance) {
  return {pass.tape.constant(static_cast<T>(mean)), pass.tape.constant(static_cast<T>(variance))};
}

template <class T>
class Laplace final : public LocationScaleDistribution<T> {
 public:
  explicit Laplace(Build<T>& build) : LocationScaleDistribution<T>(build, "laplace") {}

 private:
  Var<T> standard_log_density(Var<T> z, const Pass<T>&) const override { return T(-std::numbers::ln2) - abs(z); }
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Sides<T> u = sides(pass.uniform(this->id(), n, this->size()));
    return u.side * -log(u.distance * T(2));
  }
  Moments<T> standard_moments(const Pass<T>& pass) const override { return constants(pass, 0, 2); }
};

template <class T>
class Logistic final : public LocationScaleDistribution<T> {
 public:
  explicit Logistic(Build<T>& build) : LocationScaleDistribution<T>(build, "logistic") {}

 private:
  Var<T> standard_log_density(Var<T> z, const Pass<T>&) const override { return z - softplus(z) * T(2); }
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Var<T> u = pass.uniform(this->id(), n, this->size());
    return log(u) - log1p(-u);
  }
  Moments<T> standard_moments(const Pass<T>& pass) const override {
    return constants(pass, 0, std::numbers::pi * std::numbers::pi / 3);
  }
};

template <class T>
class Cauchy final : public LocationScaleDistribution<T> {
 public:
  explicit Cauchy(Build<T>& build) : LocationScaleDistribution<T>(build, "cauchy") {}

 private:
  Var<T> standard_log_density(Var<T> z, const Pass<T>&) const override {
    return T(-1.1447298858494001741) - log1p(square(z));  // log(pi)
  }
  // tan(pi (u - 1/2)) is the cotangent of the angle from the nearer end.
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Sides<T> u = sides(pass.uniform(this->id(), n, this->size()));
    const Var<T> angle = u.distance * std::numbers::pi_v<T>;
    return u.side * (cos(angle) / sin(angle));
  }
};

template <class T>
class Gumbel final : public LocationScaleDistribution<T> {
 public:
  explicit Gumbel(Build<T>& build) : LocationScaleDistribution<T>(build, "gumbel") {}

 private:
  Var<T> standard_log_density(Var<T> z, const Pass<T>&) const override { return -z - exp(-z); }
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    return -log(-log(pass.uniform(this->id(), n, this->size())));
  }
  Moments<T> standard_moments(const Pass<T>& pass) const override {
    return constants(pass, std::numbers::egamma, std::numbers::pi * std::numbers::pi / 6);
  }
};

constexpr Field kFields[] = {
    kShapeField,
    value("location", "0", "number, list of one for each element, `learnable`, or a network of the context"),
    value("scale", "1", "likewise; a network gives its logarithm").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
#define EXAMPLES(NAME, CONDITIONAL_SCALE)                                                 \
  {                                                                                       \
    {"standard", NAME, 2}, {"shape", NAME ": {shape: [3]}", 3},                           \
        {"numbers", NAME ": {location: [1.0, -0.5], scale: [0.75, 1.5]}", 2},             \
        {"learnable", NAME ": {location: learnable, scale: {learnable: 0.75}}", 2}, {     \
      "conditional", NAME ": {location: " NETWORK ", scale: " CONDITIONAL_SCALE "}", 2, 2 \
    }                                                                                     \
  }
constexpr Example kLaplaceExamples[] = EXAMPLES("laplace", NETWORK);
constexpr Example kLogisticExamples[] = EXAMPLES("logistic", NETWORK);
constexpr Example kCauchyExamples[] = EXAMPLES("cauchy", NETWORK);
// 40 to the left of its mode the logarithm of the density of a Gumbel element of scale 0.4 is -exp(100), which float32
// does not hold.
constexpr Example kGumbelExamples[] = EXAMPLES("gumbel", "{learnable: 2.5}");
#undef NETWORK
#undef EXAMPLES

#define LEARNING                                                                                               \
  "\n`learnable` starts at location 0 and scale 1, or where `{learnable: NUMBERS}` says. A learned scale is\n" \
  "stored as its logarithm; a network of the context gives the logarithm, too. Samples are differentiable\n"   \
  "with respect to both.\n"

constexpr const char kLaplaceDocumentation[] = R"(
`log p(y) = - sum_j (|z_j| + log(2 s_j))`, `z = (y - m) / s`. Mean and variance of element j are `m_j` and `2 s_j^2`;
`s` is the mean distance from `m`. Also called double exponential.
)" LEARNING;

constexpr const char kLogisticDocumentation[] = R"(
`log p(y) = sum_j (z_j - 2 log(1 + exp(z_j)) - log s_j)`, `z = (y - m) / s`: y is distributed so if `sigmoid(z)` is
uniform. Mean and variance of element j are `m_j` and `pi^2 s_j^2 / 3`.
)" LEARNING;

constexpr const char kCauchyDocumentation[] = R"(
`log p(y) = - sum_j (log(1 + z_j^2) + log(pi s_j))`, `z = (y - m) / s`. Neither mean nor variance exist; `m` is the
median, and half of the samples lie within `s` of it. The same as student_t with one degree of freedom.
)" LEARNING;

constexpr const char kGumbelDocumentation[] = R"(
`log p(y) = - sum_j (z_j + exp(-z_j) + log s_j)`, `z = (y - m) / s`: the distribution of the largest of many samples.
Mean and variance of element j are `m_j + 0.5772 s_j` (Euler's constant) and `pi^2 s_j^2 / 6`; `m` is the mode. To the left of
the mode the density falls off as `exp(-exp(-z))`: in float32 its logarithm is minus infinity below z = -88.
)" LEARNING;
#undef LEARNING

constexpr ComponentInfo kComponents[] = {
    describe<Laplace>("distribution", "laplace", "Independent Laplace elements", kFields, kLaplaceExamples,
                      kLaplaceDocumentation),
    describe<Logistic>("distribution", "logistic", "Independent logistic elements", kFields, kLogisticExamples,
                       kLogisticDocumentation),
    describe<Cauchy>("distribution", "cauchy", "Independent Cauchy elements, whose tails have no mean", kFields,
                     kCauchyExamples, kCauchyDocumentation),
    describe<Gumbel>("distribution", "gumbel", "Independent Gumbel elements, skewed to the right", kFields,
                     kGumbelExamples, kGumbelDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("location_scale", "0.1.0", "MIT", kComponents);
