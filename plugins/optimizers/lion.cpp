// lion: steps of one size in every parameter, in the direction of the sign of a momentum.
//
// | state | meaning |
// | --- | --- |
// | momentum | m, running mean of the gradient |
//
// Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.
#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Lion final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit Lion(Build<T>& build)
      : learning_rate_(build.real("learning_rate")),
        beta1_(build.real("beta1")),
        beta2_(build.real("beta2")),
        weight_decay_(build.real("weight_decay")) {}

  double learning_rate() const override { return learning_rate_; }
  double weight_decay() const override { return weight_decay_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::span<T> gradient = state.room(theta.size()), momentum = state.array("momentum", theta.size());
    const double loss = evaluate(theta, gradient);
    ++state.step;
    for (const ParameterRange& range : settings.ranges)
      move(range, learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor, theta.data(),
           gradient.data(), momentum.data());
    return loss;
  }

 private:
  void move(const ParameterRange& range, double rate, T* at, const T* gradient, T* momentum) const {
    const B keep(static_cast<T>(1 - rate * range.weight_decay)), step(static_cast<T>(rate)), zero(T(0));
    const B rest1(static_cast<T>(1 - beta1_)), rest2(static_cast<T>(1 - beta2_));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B g = simd::load(gradient + i, lanes), m = simd::load(momentum + i, lanes);
      const B c = simd::fma(rest1, g - m, m);
      const B signed_step = simd::select(c > zero, step, simd::select(c < zero, -step, zero));
      simd::store(at + i, simd::fma(keep, simd::load(at + i, lanes), -signed_step), lanes);
      simd::store(momentum + i, simd::fma(rest2, g - m, m), lanes);
    });
  }

  double learning_rate_, beta1_, beta2_, weight_decay_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-4", "gamma, the size of every step").above(0),
    real("beta1", "0.9", "how much of the momentum is in the direction of a step").at_least(0).below(1),
    real("beta2", "0.99", "how much of the momentum is kept in a step").at_least(0).below(1),
    real("weight_decay", "0.0", "lambda, of the parameters for which no group gives another").at_least(0),
};

constexpr Example kExamples[] = {
    {"default", "lion"},
    {"paper", "lion: {learning_rate: 3e-4, beta1: 0.95, beta2: 0.98, weight_decay: 1.0}"},
};

constexpr const char kDocumentation[] = R"(
Step of a parameter `theta` with gradient `g`, learning rate `gamma` and weight decay `lambda`:

`c = beta1 m + (1 - beta1) g`, `theta <- (1 - gamma lambda) theta - gamma sign(c)`, `m <- beta2 m + (1 - beta2) g`

The sign of zero is zero. Every step has the size of the learning rate, which is to be 3 to 10 times smaller than that
of `adamw`, and the weight decay as much larger; a schedule that ends near zero lets the parameters settle. The schedule
and the parameter's group multiply `gamma`; a group's weight decay stands in place of the field.

Other libraries: optax's `lion` has a weight decay of 1e-3; the `lion-pytorch` package has these defaults.

X. Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Lion>("optimizer", "lion", "Steps of one size, by a momentum's sign", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("lion", "0.1.0", "MIT", kComponents);
