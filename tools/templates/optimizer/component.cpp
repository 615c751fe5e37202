// my_name: the heavy ball, gradient descent with momentum.
//
// | state | meaning |
// | --- | --- |
// | velocity | b, the decaying sum of the gradients |
//
// Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Optimizer<T> {
 public:
  explicit MyName(Build<T>& build) : learning_rate_(build.real("learning_rate")), momentum_(build.real("momentum")) {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::span<T> gradient = state.room(theta.size());
    T* velocity = state.array("velocity", theta.size()).data();  // saved in every checkpoint
    const double loss = evaluate(theta, gradient);
    ++state.step;
    // Only what lies in a range may move; frozen parameters lie in none.
    for (const ParameterRange& range : settings.ranges) {
      const double rate = learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor;
      move(range, static_cast<T>(rate), theta.data(), gradient.data(), velocity);
    }
    return loss;
  }

 private:
  void move(const ParameterRange& range, T rate, T* theta, const T* gradient, T* velocity) const {
    const T decay = static_cast<T>(range.weight_decay), momentum = static_cast<T>(momentum_);
    for (Index i = range.begin; i < range.end; ++i) {
      velocity[i] = momentum * velocity[i] + gradient[i] + decay * theta[i];
      theta[i] -= rate * velocity[i];
    }
  }

  double learning_rate_, momentum_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-2", "gamma: a step is this times the velocity").above(0),
    real("momentum", "0.9", "mu, how much of the last velocity is kept").at_least(0).below(1),
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"plain", "my_name: {learning_rate: 1e-3, momentum: 0.0}"},
};

constexpr const char kDocumentation[] = R"(
With gradient `g` and weight decay `lambda`: `b <- mu b + g + lambda theta`, `theta <- theta - gamma b`.

B. T. Polyak, Some methods of speeding up the convergence of iteration methods, USSR Computational Mathematics and
Mathematical Physics 4 (1964), 1-17.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("optimizer", "my_name", "Gradient descent with momentum", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
