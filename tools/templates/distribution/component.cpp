// my_name: the hyperbolic secant distribution, p(z) = sech(pi z / 2) / 2, moved and scaled.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | location | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the scales |
//
// Talacko, "Perks' distributions and their role in the theory of Wiener's stochastic variables", 1956.
#include <numbers>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public LocationScaleDistribution<T> {
 public:
  explicit MyName(Build<T>& build) : LocationScaleDistribution<T>(build, "my_name") {}

 private:
  // With u = pi z / 2: -log(exp(u) + exp(-u)), which does not overflow in this form.
  Var<T> standard_log_density(Var<T> z, const Pass<T>&) const override {
    const Var<T> u = z * static_cast<T>(std::numbers::pi / 2);
    return -(u + softplus(u * T(-2)));
  }

  // Both sides alike: |z| = -(2 / pi) log tan(pi r / 2) has the rank 1 - 2 r, where r is the share beyond it.
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Var<T> middle = pass.uniform(this->id(), n, this->size()) - T(0.5);
    const Var<T> angle = (T(0.5) - abs(middle)) * static_cast<T>(std::numbers::pi / 2);
    return sign(middle) * (log(cos(angle)) - log(sin(angle))) * static_cast<T>(2 / std::numbers::pi);
  }

  Moments<T> standard_moments(const Pass<T>& pass) const override {
    return {pass.tape.constant(T(0)), pass.tape.constant(T(1))};
  }
};

constexpr Field kFields[] = {
    kShapeField,
    value("location", "0", "number, list of one for each element, `learnable`, or a network of the context"),
    value("scale", "1",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
};

// Every example gets every check of the conformance kit: name, spec, elements, columns of the context.
constexpr Example kExamples[] = {
    {"standard", "my_name", 2},
    {"numbers", "my_name: {location: [0.0, 10.0, -3.0], scale: [2.0, 0.1, 1.0]}", 3},
    {"learnable", "my_name: {location: learnable, scale: learnable}", 2},
    {"conditional", "my_name: {location: {network: {mlp: {hidden: [8], activation: tanh}}}}", 2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (log sech(pi z_j / 2) - log(2 s_j))` with `z = (y - m) / s`. Mean `m`, variance `s^2`, kurtosis 5: tails
that fall like `exp(-pi |z| / 2)`. Samples are `m + s z` with `z = (2/pi) log tan(pi u / 2)`, differentiable with respect
to location and scale.
)";

constexpr ComponentInfo kComponents[] = {describe<MyName>("distribution", "my_name",
                                                          "Independent elements with a hyperbolic secant density",
                                                          kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
