// student_t: y = location + scale z, where z has Student's density, whose tails fall like a power.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | degrees_of_freedom | 1 x D | if learnable: their logarithms |
// | location | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the scales |
#include <limits>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class StudentT final : public LocationScaleDistribution<T> {
 public:
  explicit StudentT(Build<T>& build)
      : LocationScaleDistribution<T>(build, "student_t"), degrees_(this->field(build, "degrees_of_freedom", true)) {}

 private:
  // Fitted to normal data the degrees grow without end, by a constant factor each step of an optimizer that scales its
  // gradients. Far beyond the precision's reach density and samples are the normal ones, and there is nothing to learn.
  Var<T> degrees(const Pass<T>& pass) const {
    constexpr T kNormal = static_cast<T>(sizeof(T) == 4 ? 1e18 : 1e100);
    return minimum(degrees_(pass), pass.tape.constant(kNormal));
  }

  // log Gamma((v+1)/2) - log Gamma(v/2) - log(v/2)/2 by Stirling's formula and what it lacks: the plain difference has
  // no digit left in float32 where v is 1e6, and that is where v goes when normal data are fitted.
  Var<T> standard_log_density(Var<T> z, const Pass<T>& pass) const override {
    const Var<T> v = degrees(pass), half = v * T(0.5), reciprocal_v = reciprocal(v);
    const Var<T> gammas = log_gamma_correction(half + T(0.5)) - log_gamma_correction(half);
    const Var<T> constant = half * log1p(reciprocal_v) + gammas - static_cast<T>(0.5 + kHalfLogTwoPi);
    return constant - (half + T(0.5)) * log1p(square(z) * reciprocal_v);
  }

  // A normal number over the root of a Gamma one of mean 1, which may be too small for a number of its own.
  Var<T> standard_draw(Index n, const Pass<T>& pass) const override {
    const Var<T> half = degrees(pass) * T(0.5);
    const Var<T> log_gamma = log_gamma_sample(half, n, pass.draws(this->id(), 1));
    return pass.normal(this->id(), n, this->size()) * exp((log(half) - log_gamma) * T(0.5));
  }

  Moments<T> standard_moments(const Pass<T>& pass) const override {
    constexpr T kInfinity = std::numeric_limits<T>::infinity(), kNone = std::numeric_limits<T>::quiet_NaN();
    const Block<const T> v = degrees_(pass).value();
    const Var<T> mean = pass.tape.make(v.rows, v.columns), variance = pass.tape.make(v.rows, v.columns);
    for (Index j = 0; j < v.columns; ++j)
      for (Index i = 0; i < v.rows; ++i) {
        const T degrees = v(i, j);
        mean.data()(i, j) = degrees > 1 ? T(0) : kNone;
        variance.data()(i, j) = degrees > 2 ? degrees / (degrees - 2) : degrees > 1 ? kInfinity : kNone;
      }
    return {mean, variance};
  }

  FieldValue<T> degrees_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("degrees_of_freedom", "5",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
    value("location", "0", "likewise; a network gives the location itself"),
    value("scale", "1", "likewise; a network gives its logarithm").above(0),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"standard", "student_t", 2},
    {"shape", "student_t: {shape: [3]}", 3},
    {"numbers", "student_t: {degrees_of_freedom: [1.0, 30.0], location: [1.0, -2.0], scale: [0.5, 3.0]}", 2},
    {"nearly_normal", "student_t: {degrees_of_freedom: 1e7}", 2},
    {"learnable", "student_t: {degrees_of_freedom: learnable, location: learnable, scale: learnable}", 2},
    {"start", "student_t: {degrees_of_freedom: {learnable: [2.5, 100.0]}}", 2},
    {"conditional", "student_t: {degrees_of_freedom: " NETWORK ", location: " NETWORK ", scale: " NETWORK "}", 2, 2},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (log Gamma((v_j + 1)/2) - log Gamma(v_j/2) - log(pi v_j)/2 - log s_j - (v_j + 1)/2 log(1 +
z_j^2/v_j))` with `z = (y - m) / s`. Mean and variance of element j are `m_j` and `s_j^2 v_j / (v_j - 2)`; the mean is
not defined for `v_j <= 1`, the variance infinite for `v_j <= 2`. With one degree of freedom it is cauchy, with
infinitely many normal. Other libraries call `v` df.

A base with learnable degrees of freedom gives a flow the tails of its data, which a Lipschitz map of a normal base
cannot have (Jaini, Kobyzev, Yu and Brubaker, "Tails of Lipschitz triangular flows", 2020). `learnable` starts at 5
degrees of freedom, location 0 and scale 1, or where `{learnable: NUMBERS}` says. Learned degrees and scales are
stored as their logarithms; a network of the context gives logarithms, too.

Samples are differentiable with respect to all three: `z = n sqrt(v / (2 g))` with a normal n and a Gamma number g of
concentration v/2, whose gradient is implicit (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients",
2018).
)";

constexpr ComponentInfo kComponents[] = {describe<StudentT>("distribution", "student_t",
                                                            "Independent elements with Student's heavy tails", kFields,
                                                            kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("student_t", "0.1.0", "MIT", kComponents);
