// adam: steps of about the learning rate in every parameter, whatever the gradient's scale.
//
// | state | meaning |
// | --- | --- |
// | first_moment | m, running mean of the gradient |
// | second_moment | v, running mean of its square |
//
// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
#include <cmath>

#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Adam final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit Adam(Build<T>& build)
      : learning_rate_(build.real("learning_rate")),
        beta1_(build.real("beta1")),
        beta2_(build.real("beta2")),
        epsilon_(build.real("epsilon")),
        decoupled_(build.text("decay") == "decoupled") {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const Vectors at{theta.data(), state.room(theta.size()).data(), state.array("first_moment", theta.size()).data(),
                     state.array("second_moment", theta.size()).data()};
    const double loss = evaluate(theta, {at.gradient, theta.size()});
    ++state.step;
    // m and v start at zero; what they lack of the mean and of its square after t steps.
    const double t = static_cast<double>(state.step);
    const double correction1 = 1 - std::pow(beta1_, t), correction2 = 1 - std::pow(beta2_, t);
    for (const ParameterRange& range : settings.ranges) {
      const double rate = learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor;
      move(range, at, rate, rate / correction1, 1 / std::sqrt(correction2));
    }
    return loss;
  }

 private:
  struct Vectors {
    T *theta, *gradient, *m, *v;
  };

  void move(const ParameterRange& range, const Vectors& at, double rate, double corrected_rate,
            double root_correction) const {
    const B l2(static_cast<T>(decoupled_ ? 0 : range.weight_decay));
    const B keep(static_cast<T>(decoupled_ ? 1 - rate * range.weight_decay : 1));
    const B rest1(static_cast<T>(1 - beta1_)), beta2(static_cast<T>(beta2_)), rest2(static_cast<T>(1 - beta2_));
    const B correction(static_cast<T>(root_correction)), epsilon(static_cast<T>(epsilon_));
    const B minus_rate(static_cast<T>(-corrected_rate));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at.theta + i, lanes);
      const B g = simd::fma(l2, theta, simd::load(at.gradient + i, lanes));
      const B old_m = simd::load(at.m + i, lanes), old_v = simd::load(at.v + i, lanes);
      const B m = simd::fma(rest1, g - old_m, old_m);
      const B v = simd::fma(rest2 * g, g, beta2 * old_v);
      const B size = simd::fma(simd::sqrt(v), correction, epsilon);
      simd::store(at.m + i, m, lanes);
      simd::store(at.v + i, v, lanes);
      simd::store(at.theta + i, simd::fma(minus_rate, m / size, keep * theta), lanes);
    });
  }

  double learning_rate_, beta1_, beta2_, epsilon_;
  bool decoupled_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-3", "gamma, the size of a step").above(0),
    real("beta1", "0.9", "how much of the gradient's mean is kept in a step").at_least(0).below(1),
    real("beta2", "0.999", "how much of the mean of its square is kept in a step").at_least(0).below(1),
    real("epsilon", "1e-8", "added to the root of that mean: bounds the steps of parameters with tiny gradients")
        .above(0),
    choice("decay", "l2", "l2|decoupled",
           "what a group's weight_decay does: adds to the gradient (Adam), or shrinks the parameter apart from it "
           "(AdamW)"),
};

constexpr Example kExamples[] = {
    {"default", "adam"},
    {"fast", "adam: {learning_rate: 1e-2}"},
    {"adamw", "adam: {decay: decoupled}"},
    {"short_memory", "adam: {beta1: 0.0, beta2: 0.9, epsilon: 1e-6}"},
};

constexpr const char kDocumentation[] = R"(
Step t, of a parameter `theta` with gradient `g`, learning rate `gamma` and weight decay `lambda`:

`g <- g + lambda theta` (with `decay: l2`), `theta <- (1 - gamma lambda) theta` (with `decay: decoupled`)

`m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`

`theta <- theta - gamma m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)`

The schedule and the parameter's group multiply `gamma`; the weight decay is the group's:
`training: {groups: [{match: "*", roles: [weight], weight_decay: 1e-4}]}`.

Other libraries: the sequence of parameters is that of PyTorch's `Adam`, and with `decay: decoupled` of its `AdamW`,
to rounding. TensorFlow's and Keras' epsilon is added before the correction of `v`.

D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015.
I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019.
)";

constexpr ComponentInfo kComponents[] = {describe<Adam>("optimizer", "adam",
                                                        "Steps scaled by running moments of the gradient; also AdamW",
                                                        kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("adam", "0.1.0", "MIT", kComponents);
