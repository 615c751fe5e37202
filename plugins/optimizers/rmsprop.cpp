// rmsprop: steps divided by the root of a running mean of the squared gradient.
//
// | state | meaning |
// | --- | --- |
// | second_moment | v, running mean of the gradient's square |
// | first_moment | m, running mean of the gradient; there is none unless `centered` |
// | velocity | b, the decaying sum of the steps; there is none without momentum |
//
// Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera, 2012.
#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class RmsProp final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit RmsProp(Build<T>& build)
      : learning_rate_(build.real("learning_rate")),
        keep_(build.real("keep")),
        epsilon_(build.real("epsilon")),
        momentum_(build.real("momentum")),
        centered_(build.boolean("centered")) {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    Vectors at{theta.data(), state.room(theta.size()).data(), state.array("second_moment", theta.size()).data()};
    if (centered_) at.m = state.array("first_moment", theta.size()).data();
    if (momentum_ > 0) at.velocity = state.array("velocity", theta.size()).data();
    const double loss = evaluate(theta, {at.gradient, theta.size()});
    ++state.step;
    for (const ParameterRange& range : settings.ranges)
      move(range, at, learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor);
    return loss;
  }

 private:
  struct Vectors {
    T *theta, *gradient, *v, *m = nullptr, *velocity = nullptr;
  };

  void move(const ParameterRange& range, const Vectors& at, double rate) const {
    const B decay(static_cast<T>(range.weight_decay)), minus_rate(static_cast<T>(-rate));
    const B keep(static_cast<T>(keep_)), rest(static_cast<T>(1 - keep_)), epsilon(static_cast<T>(epsilon_));
    const B momentum(static_cast<T>(momentum_));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at.theta + i, lanes);
      const B g = simd::fma(decay, theta, simd::load(at.gradient + i, lanes));
      const B v = simd::fma(rest * g, g, keep * simd::load(at.v + i, lanes));
      simd::store(at.v + i, v, lanes);
      B square = v;
      if (at.m) {
        const B old_m = simd::load(at.m + i, lanes), m = simd::fma(rest, g - old_m, old_m);
        simd::store(at.m + i, m, lanes);
        square = simd::max(B(T(0)), v - m * m);  // a variance, but for rounding
      }
      B moved = g / (simd::sqrt(square) + epsilon);
      if (at.velocity) {
        moved = simd::fma(momentum, simd::load(at.velocity + i, lanes), moved);
        simd::store(at.velocity + i, moved, lanes);
      }
      simd::store(at.theta + i, simd::fma(minus_rate, moved, theta), lanes);
    });
  }

  double learning_rate_, keep_, epsilon_, momentum_;
  bool centered_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-2", "gamma, the size of a step").above(0),
    real("keep", "0.99", "alpha, how much of the mean of the gradient's square is kept in a step").at_least(0).below(1),
    real("epsilon", "1e-8", "added to the root of that mean: bounds the steps of parameters with tiny gradients")
        .above(0),
    real("momentum", "0.0", "mu, how much of the last step is kept").at_least(0).below(1),
    boolean("centered", "false", "divides by the gradient's standard deviation: subtracts the square of its mean"),
};

constexpr Example kExamples[] = {
    {"default", "rmsprop"},
    {"momentum", "rmsprop: {learning_rate: 1e-3, momentum: 0.9}"},
    {"centered", "rmsprop: {learning_rate: 1e-3, keep: 0.9, epsilon: 1e-4, centered: true}"},
};

constexpr const char kDocumentation[] = R"(
Step of a parameter `theta` with gradient `g`, learning rate `gamma`, momentum `mu` and weight decay `lambda`:

`g <- g + lambda theta`, `v <- alpha v + (1 - alpha) g^2`, and with `centered` `m <- alpha m + (1 - alpha) g`

`b <- mu b + g / (sqrt(v) + epsilon)`, with `centered` `b <- mu b + g / (sqrt(v - m^2) + epsilon)`

`theta <- theta - gamma b`

The schedule and the parameter's group multiply `gamma`; the weight decay is the group's. `v` starts at zero, so that
the first step is `1 / sqrt(1 - alpha)` times the learning rate: 10 times by default. A `warmup` tempers that.

Other libraries: PyTorch's `RMSprop`, with its defaults; `keep` is its `alpha`. TensorFlow's and Keras' add epsilon to
`v` under the root, keep 0.9 and put the learning rate into `b`.

T. Tieleman, G. Hinton, Lecture 6.5 - rmsprop: divide the gradient by a running average of its recent magnitude,
Coursera: Neural networks for machine learning, 2012. Centered: A. Graves, Generating sequences with recurrent neural
networks, arXiv:1308.0850, 2013.
)";

constexpr ComponentInfo kComponents[] = {describe<RmsProp>("optimizer", "rmsprop",
                                                           "Steps divided by the root mean square of the gradient",
                                                           kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("rmsprop", "0.1.0", "MIT", kComponents);
