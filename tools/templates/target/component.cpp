// my_name: a bent normal in the plane, y_0 ~ N(0, s^2) and y_1 | y_0 ~ N(c (y_0^2 - s^2), 1).
// my_name_divergence: the objective that fits a model to a target, E_q[log q - log target].
//
// Haario, Saksman and Tamminen, "Adaptive proposal distribution for random walk Metropolis algorithm", 1999.
#include <cmath>
#include <numbers>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: two components, one file

template <class T>
class MyName final : public Target<T> {
 public:
  explicit MyName(Build<T>& build) : bend_(build.real("bend")), deviation_(build.real("deviation")) {}

  /// N x 2 to N x 1: the logarithm of the density up to a constant.
  Var<T> log_density(Var<T> y, const Pass<T>&) const override {
    require_columns("my_name", y.columns(), 2);
    const double variance = deviation_ * deviation_;
    const Var<T> y0 = square(columns(y, 0, 1)), y1 = columns(y, 1, 1);
    const Var<T> straight = y1 - (y0 - static_cast<T>(variance)) * static_cast<T>(bend_);
    return y0 * static_cast<T>(-0.5 / variance) + square(straight) * T(-0.5);
  }
  Shape event_shape() const override { return {2}; }
  /// Leave it out where the constant is not known.
  double log_normaliser() const override { return std::log(2 * std::numbers::pi * deviation_); }

 private:
  double bend_, deviation_;
};

constexpr Field kFields[] = {
    real("bend", "0.25", "c: how far the ends are bent upwards"),
    real("deviation", "2.0", "s, the standard deviation of y_0").above(0),
};
// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name", 2},
    {"straight", "my_name: {bend: 0.0, deviation: 1.0}", 2},
};
constexpr const char kDocumentation[] = R"(
`log density = -y_0^2 / (2 s^2) - (y_1 - c (y_0^2 - s^2))^2 / 2`, whose integral is `2 pi s`.
)";

/// The mean over draws y of the model q of log q(y) - log target(y): the Kullback-Leibler divergence of q from the
/// target, less the target's log_normaliser.
template <class T>
class Divergence final : public Objective<T> {
 public:
  explicit Divergence(Build<T>&) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Sampled<T> drawn = model.sample_with_log_prob(batch.rows, pass);
    return drawn.log_prob - batch.target->log_density(drawn.value, pass.without_gradient());
  }
  ObjectiveNeeds needs() const override {
    return {.data = false, .model_log_prob = false, .model_sample = true, .target = true};
  }
};

constexpr Example kDivergenceExamples[] = {{"default", "my_name_divergence"}};
constexpr const char kDivergenceDocumentation[] = R"(
`E_q[log q(y) - log t(y)]` over draws of the model q, with the target t: the Kullback-Leibler divergence of the model from
the target, less the logarithm of the target's integral. It needs no data.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("target", "my_name", "A bent normal in the plane", kFields, kExamples, kDocumentation),
    describe<Divergence>("objective", "my_name_divergence", "Divergence of the model from a target", nullptr,
                         kDivergenceExamples, kDivergenceDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
