// adagrad and adadelta: steps divided by the root of the sum, or of a running mean, of all squared gradients.
//
// | state | meaning |
// | --- | --- |
// | squares | v, sum (adagrad) or running mean (adadelta) of the gradient's square |
// | moves | of adadelta: u, running mean of the step's square |
//
// Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 2011;
// Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
#include <algorithm>

#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

template <class T>
class Adagrad final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit Adagrad(Build<T>& build)
      : learning_rate_(build.real("learning_rate")), initial_(build.real("initial")), epsilon_(build.real("epsilon")) {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::span<T> gradient = state.room(theta.size()), squares = state.array("squares", theta.size());
    const double loss = evaluate(theta, gradient);
    if (state.step == 0) std::fill(squares.begin(), squares.end(), static_cast<T>(initial_));
    ++state.step;
    for (const ParameterRange& range : settings.ranges)
      move(range, learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor, theta.data(),
           gradient.data(), squares.data());
    return loss;
  }

 private:
  void move(const ParameterRange& range, double rate, T* at, const T* gradient, T* squares) const {
    const B decay(static_cast<T>(range.weight_decay)), minus_rate(static_cast<T>(-rate));
    const B epsilon(static_cast<T>(epsilon_));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at + i, lanes);
      const B g = simd::fma(decay, theta, simd::load(gradient + i, lanes));
      const B v = simd::fma(g, g, simd::load(squares + i, lanes));
      simd::store(squares + i, v, lanes);
      simd::store(at + i, simd::fma(minus_rate, g / (simd::sqrt(v) + epsilon), theta), lanes);
    });
  }

  double learning_rate_, initial_, epsilon_;
};

template <class T>
class Adadelta final : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  explicit Adadelta(Build<T>& build)
      : learning_rate_(build.real("learning_rate")), keep_(build.real("keep")), epsilon_(build.real("epsilon")) {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const Vectors at{theta.data(), state.room(theta.size()).data(), state.array("squares", theta.size()).data(),
                     state.array("moves", theta.size()).data()};
    const double loss = evaluate(theta, {at.gradient, theta.size()});
    ++state.step;
    for (const ParameterRange& range : settings.ranges)
      move(range, at, learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor);
    return loss;
  }

 private:
  struct Vectors {
    T *theta, *gradient, *squares, *moves;
  };

  void move(const ParameterRange& range, const Vectors& at, double rate) const {
    const B decay(static_cast<T>(range.weight_decay)), minus_rate(static_cast<T>(-rate));
    const B keep(static_cast<T>(keep_)), rest(static_cast<T>(1 - keep_)), epsilon(static_cast<T>(epsilon_));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at.theta + i, lanes), old_u = simd::load(at.moves + i, lanes);
      const B g = simd::fma(decay, theta, simd::load(at.gradient + i, lanes));
      const B v = simd::fma(rest * g, g, keep * simd::load(at.squares + i, lanes));
      const B d = simd::sqrt(old_u + epsilon) / simd::sqrt(v + epsilon) * g;
      simd::store(at.squares + i, v, lanes);
      simd::store(at.moves + i, simd::fma(rest * d, d, keep * old_u), lanes);
      simd::store(at.theta + i, simd::fma(minus_rate, d, theta), lanes);
    });
  }

  double learning_rate_, keep_, epsilon_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1e-2", "gamma, the size of a first step").above(0),
    real("initial", "0.0", "what the sum of squares starts at: above 0, first steps are shorter").at_least(0),
    real("epsilon", "1e-10", "added to the root of the sum: bounds the steps of parameters with tiny gradients")
        .above(0),
};
constexpr Field kAdadeltaFields[] = {
    real("learning_rate", "1.0", "gamma, a factor on every step").above(0),
    real("keep", "0.9", "rho, how much of the means of squares is kept in a step").at_least(0).below(1),
    real("epsilon", "1e-6", "added to the means under their roots: its root is the size of the first steps").above(0),
};

constexpr Example kExamples[] = {
    {"default", "adagrad"},
    {"fast", "adagrad: {learning_rate: 0.5, initial: 0.1, epsilon: 1e-6}"},
};
constexpr Example kAdadeltaExamples[] = {
    {"default", "adadelta"},
    {"large_first_steps", "adadelta: {learning_rate: 0.5, keep: 0.95, epsilon: 1e-4}"},
};

constexpr const char kDocumentation[] = R"(
Step of a parameter `theta` with gradient `g`, learning rate `gamma` and weight decay `lambda`:

`g <- g + lambda theta`, `v <- v + g^2`, `theta <- theta - gamma g / (sqrt(v) + epsilon)`

Steps shrink for good, like `1 / sqrt(t)` under gradients of one size, so that no schedule is needed. The schedule and
the parameter's group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `Adagrad`, with its defaults; `initial` is its `initial_accumulator_value`, and its
`lr_decay` is a schedule's business here. TensorFlow's and Keras' start at 0.1, with epsilon 1e-7.

J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and stochastic optimization,
Journal of Machine Learning Research 12, 2011.
)";

constexpr const char kAdadeltaDocumentation[] = R"(
Step of a parameter `theta` with gradient `g`, learning rate `gamma` and weight decay `lambda`:

`g <- g + lambda theta`, `v <- rho v + (1 - rho) g^2`, `d = sqrt(u + epsilon) / sqrt(v + epsilon) g`

`u <- rho u + (1 - rho) d^2`, `theta <- theta - gamma d`

A step has the parameter's own unit, whatever the gradient's, and the learning rate can stay 1. First steps are small:
the root of epsilon. The schedule and the parameter's group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `Adadelta`, with its defaults; `keep` is its `rho`. Keras' has a learning rate of 1e-3, `rho`
0.95 and epsilon 1e-7.

M. D. Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701, 2012.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Adagrad>("optimizer", "adagrad", "Steps divided by the root of the sum of all squared gradients", kFields,
                      kExamples, kDocumentation),
    describe<Adadelta>("optimizer", "adadelta", "Steps in the parameters' own units, without a learning rate",
                       kAdadeltaFields, kAdadeltaExamples, kAdadeltaDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("adagrad", "0.1.0", "MIT", kComponents);
