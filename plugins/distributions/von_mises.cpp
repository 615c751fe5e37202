// von_mises: independent angles.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | location | 1 x D | if learnable |
// | concentration | 1 x D | if learnable: their logarithms |
#include <cmath>
#include <numbers>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// y and the multiple of 2 pi that brings it into [-pi, pi).
template <class T>
Var<T> wrapped(Var<T> y) {
  const Var<T> turns = y.tape().make(y.rows(), y.columns());
  const Block<const T> angle = y.value();
  constexpr double kTurn = 2 * std::numbers::pi;
  for (Index j = 0; j < angle.columns; ++j)
    for (Index i = 0; i < angle.rows; ++i)
      turns.data()(i, j) =
          static_cast<T>(-kTurn * std::floor((static_cast<double>(angle(i, j)) + std::numbers::pi) / kTurn));
  return y + turns;
}

template <class T>
class VonMises final : public ElementwiseDistribution<T> {
 public:
  explicit VonMises(Build<T>& build)
      : ElementwiseDistribution<T>(build, "von_mises"),
        location_(this->field(build, "location", false)),
        concentration_(this->field(build, "concentration", true)) {}

 private:
  // cos d - 1 = -2 sin^2(d/2) loses no digits where k is large and d small; exp(-k) I0(k) does not overflow.
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    constexpr double kLogTwoPi = 1.8378770664093454836;
    const Var<T> k = concentration_(pass);
    const Var<T> half_chord = sin((y - location_(pass)) * T(0.5));
    return -static_cast<T>(kLogTwoPi) - log_bessel_i0e(k) - (k * T(2)) * square(half_chord);
  }

  Var<T> draw(Index n, const Pass<T>& pass) const override {
    return wrapped(von_mises_sample(concentration_(pass), n, pass.draws(this->id())) + location_(pass));
  }

  // Of both precisions those of float32, which lie 9e-8 beyond pi: the angle pi from a file of such numbers is one.
  Intervals<T> intervals() const override {
    static constexpr T kUpper = static_cast<T>(std::numbers::pi_v<float>), kLower = -kUpper;
    return {{&kLower, 1}, {&kUpper, 1}};
  }

  FieldValue<T> location_, concentration_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("location", "0", "number, list of one for each element, `learnable`, or a network of the context"),
    value("concentration", "1", "likewise; a network gives its logarithm").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"standard", "von_mises", 2},
    {"shape", "von_mises: {shape: [3], concentration: 4}", 3},
    {"numbers", "von_mises: {location: [3.0, -1.0], concentration: [0.5, 8.0]}", 2},
    {"concentrated", "von_mises: {location: 1, concentration: 10000}", 2},
    {"learnable", "von_mises: {location: learnable, concentration: learnable}", 2},
    {"start", "von_mises: {location: {learnable: 2}, concentration: {learnable: [0.3, 20.0]}}", 2},
    {"conditional", "von_mises: {location: " NETWORK ", concentration: " NETWORK "}", 2, 2},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (k_j cos(y_j - m_j) - log(2 pi I0(k_j)))` for angles y in radians between -pi and pi, with the
location m, the concentration k and the modified Bessel function I0; minus infinity elsewhere: bring angles into that
interval first. The normal distribution of the circle: for a large k it is nearly normal with variance 1/k, for a
small one nearly uniform. Samples lie in `[-pi, pi)`. There is no closed form of mean and variance of y, which depend
on where the circle is cut; that of `cos(y - m)` has the mean `I1(k)/I0(k)`.

`learnable` starts at location 0 and concentration 1, or where `{learnable: NUMBERS}` says. A learned concentration is
stored as its logarithm; a network of the context gives the logarithm, too. The location may be any number: whole
turns do not matter.

Samples are differentiable with respect to both: the gradient of a sample is that of the quantile of the uniform
number it came from (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018).
)";

constexpr ComponentInfo kComponents[] = {
    describe<VonMises>("distribution", "von_mises", "Independent angles", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("von_mises", "0.1.0", "MIT", kComponents);
