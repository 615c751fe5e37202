// sgd: gradient descent, with momentum if wanted.
//
// | state | meaning |
// | --- | --- |
// | velocity | b, the decaying sum of the gradients; there is none without momentum |
//
// Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.
#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Sgd final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit Sgd(Build<T>& build)
      : learning_rate_(build.real("learning_rate")),
        momentum_(build.real("momentum")),
        nesterov_(build.boolean("nesterov")) {
    if (nesterov_ && momentum_ == 0) build.fail("nesterov", "needs a momentum above 0");
  }

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::span<T> gradient = state.room(theta.size());
    T* velocity = momentum_ > 0 ? state.array("velocity", theta.size()).data() : nullptr;
    const double loss = evaluate(theta, gradient);
    ++state.step;
    for (const ParameterRange& range : settings.ranges) {
      const double rate = learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor;
      if (velocity)
        roll(range, rate, theta.data(), gradient.data(), velocity);
      else
        descend(range, rate, theta.data(), gradient.data());
    }
    return loss;
  }

 private:
  void descend(const ParameterRange& range, double rate, T* at, const T* gradient) const {
    const B decay(static_cast<T>(range.weight_decay)), minus_rate(static_cast<T>(-rate));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at + i, lanes);
      const B g = simd::fma(decay, theta, simd::load(gradient + i, lanes));
      simd::store(at + i, simd::fma(minus_rate, g, theta), lanes);
    });
  }

  void roll(const ParameterRange& range, double rate, T* at, const T* gradient, T* velocity) const {
    const B decay(static_cast<T>(range.weight_decay)), minus_rate(static_cast<T>(-rate));
    const B momentum(static_cast<T>(momentum_));
    const bool nesterov = nesterov_;
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at + i, lanes);
      const B g = simd::fma(decay, theta, simd::load(gradient + i, lanes));
      const B b = simd::fma(momentum, simd::load(velocity + i, lanes), g);
      simd::store(velocity + i, b, lanes);
      simd::store(at + i, simd::fma(minus_rate, nesterov ? simd::fma(momentum, b, g) : b, theta), lanes);
    });
  }

  double learning_rate_, momentum_;
  bool nesterov_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-2", "gamma: a step is this times the gradient").above(0),
    real("momentum", "0.0", "mu, how much of the last step is kept").at_least(0).below(1),
    boolean("nesterov", "false", "takes the gradient's step from where the momentum leads"),
};

constexpr Example kExamples[] = {
    {"default", "sgd"},
    {"momentum", "sgd: {learning_rate: 1e-3, momentum: 0.9}"},
    {"nesterov", "sgd: {learning_rate: 1e-3, momentum: 0.9, nesterov: true}"},
};

constexpr const char kDocumentation[] = R"(
Step of a parameter `theta` with gradient `g`, learning rate `gamma`, momentum `mu` and weight decay `lambda`:

`g <- g + lambda theta`, `b <- mu b + g`

`theta <- theta - gamma b`, or with `nesterov`: `theta <- theta - gamma (g + mu b)`

A step in a constant direction grows to `1 / (1 - mu)` times that without momentum. The schedule and the parameter's
group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `SGD`, whose `dampening` is 0 here. Sutskever et al. put the learning rate into `b`, which
differs where the rate changes from step to step.

I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and momentum in deep learning,
ICML 2013.
)";

constexpr ComponentInfo kComponents[] = {describe<Sgd>(
    "optimizer", "sgd", "Gradient descent, with momentum or Nesterov's", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("sgd", "0.1.0", "MIT", kComponents);
