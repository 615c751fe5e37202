// adam and its kin, adamw, amsgrad, nadam and adamax: steps of about the learning rate in every parameter, whatever the
// gradient's scale.
//
// | state | meaning |
// | --- | --- |
// | first_moment | m, running mean of the gradient |
// | second_moment | v, running mean of its square; of adamax its running maximum |
// | largest | of amsgrad: the largest v so far |
// | momentum | of nadam: the product of its mu |
//
// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; the others' papers stand in their texts.
#include <cmath>

#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// What divides m: the root of v; of the largest v; the same, with Nesterov's look ahead; the largest gradient.
enum class Rule : std::uint8_t { root, largest_root, look_ahead, largest };

template <class T, Rule rule>
class Moments : public Optimizer<T> {
  using B = simd::Batch<T>;

 public:
  Moments(Build<T>& build, bool decoupled)
      : learning_rate_(build.real("learning_rate")),
        beta1_(build.real("beta1")),
        beta2_(build.real("beta2")),
        epsilon_(build.real("epsilon")),
        decoupled_(decoupled) {
    if constexpr (rule == Rule::look_ahead) momentum_decay_ = build.real("momentum_decay");
  }

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    Vectors at{theta.data(), state.room(theta.size()).data(), state.array("first_moment", theta.size()).data(),
               state.array("second_moment", theta.size()).data()};
    if constexpr (rule == Rule::largest_root) at.largest = state.array("largest", theta.size()).data();
    const double loss = evaluate(theta, {at.gradient, theta.size()});
    ++state.step;
    const Weights weights = weights_of(state);
    for (const ParameterRange& range : settings.ranges)
      move(range, at, learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor, weights);
    return loss;
  }

 private:
  struct Vectors {
    T *theta, *gradient, *m, *v, *largest = nullptr;
  };
  /// A step is that of `moment` m + `gradient` g, divided by `root` sqrt(v) + epsilon.
  struct Weights {
    double moment, gradient, root;
  };

  /// m and v start at zero: what they lack of the mean and of its square after t steps.
  Weights weights_of(OptimizerState<T>& state) const {
    const double t = static_cast<double>(state.step);
    const double root = 1 / std::sqrt(1 - std::pow(beta2_, t));
    if constexpr (rule != Rule::look_ahead) return {1 / (1 - std::pow(beta1_, t)), 0, root};
    const auto mu = [&](double step) { return beta1_ * (1 - 0.5 * std::pow(0.96, step * momentum_decay_)); };
    std::vector<double>& product = state.numbers["momentum"];
    if (product.empty()) product.push_back(1);
    const double now = mu(t), next = mu(t + 1);
    product[0] *= now;
    return {next / (1 - product[0] * next), (1 - now) / (1 - product[0]), root};
  }

  void move(const ParameterRange& range, const Vectors& at, double rate, const Weights& weights) const {
    const B l2(static_cast<T>(decoupled_ ? 0 : range.weight_decay));
    const B keep(static_cast<T>(decoupled_ ? 1 - rate * range.weight_decay : 1));
    const B rest1(static_cast<T>(1 - beta1_)), beta2(static_cast<T>(beta2_)), rest2(static_cast<T>(1 - beta2_));
    const B root(static_cast<T>(weights.root)), epsilon(static_cast<T>(epsilon_));
    const B minus_rate(static_cast<T>(-rate * weights.moment)), minus_look(static_cast<T>(-rate * weights.gradient));
    for_each_batch<T>(range, [&](Index i, Index lanes) {
      const B theta = simd::load(at.theta + i, lanes);
      const B g = simd::fma(l2, theta, simd::load(at.gradient + i, lanes));
      const B old_m = simd::load(at.m + i, lanes), old_v = simd::load(at.v + i, lanes);
      const B m = simd::fma(rest1, g - old_m, old_m);
      simd::store(at.m + i, m, lanes);
      B v, size;
      if constexpr (rule == Rule::largest) {
        size = v = simd::max(beta2 * old_v, simd::abs(g) + epsilon);
      } else {
        v = simd::fma(rest2 * g, g, beta2 * old_v);
        B square = v;
        if constexpr (rule == Rule::largest_root) {
          square = simd::max(simd::load(at.largest + i, lanes), v);
          simd::store(at.largest + i, square, lanes);
        }
        size = simd::fma(simd::sqrt(square), root, epsilon);
      }
      simd::store(at.v + i, v, lanes);
      B moved = simd::fma(minus_rate, m / size, keep * theta);
      if constexpr (rule == Rule::look_ahead) moved = simd::fma(minus_look, g / size, moved);
      simd::store(at.theta + i, moved, lanes);
    });
  }

  double learning_rate_, beta1_, beta2_, epsilon_, momentum_decay_ = 0;
  bool decoupled_;
};

template <class T, Rule rule>
class WithChoice final : public Moments<T, rule> {
 public:
  explicit WithChoice(Build<T>& build) : Moments<T, rule>(build, build.text("decay") == "decoupled") {}
};
template <class T>
using Adam = WithChoice<T, Rule::root>;
template <class T>
using AmsGrad = WithChoice<T, Rule::largest_root>;
template <class T>
using NAdam = WithChoice<T, Rule::look_ahead>;
template <class T>
using Adamax = WithChoice<T, Rule::largest>;

template <class T>
class AdamW final : public Moments<T, Rule::root> {
 public:
  explicit AdamW(Build<T>& build) : Moments<T, Rule::root>(build, true), weight_decay_(build.real("weight_decay")) {}
  double weight_decay() const override { return weight_decay_; }

 private:
  double weight_decay_;
};

constexpr Field kBeta1 = real("beta1", "0.9", "how much of the gradient's mean is kept in a step").at_least(0).below(1);
constexpr Field kBeta2 =
    real("beta2", "0.999", "how much of the mean of its square is kept in a step").at_least(0).below(1);
constexpr Field kEpsilon =
    real("epsilon", "1e-8", "added to the root of that mean: bounds the steps of parameters with tiny gradients")
        .above(0);
constexpr Field kDecay =
    choice("decay", "l2", "l2|decoupled",
           "what a group's weight_decay does: adds to the gradient (Adam), or shrinks the parameter apart from it "
           "(AdamW)");
constexpr Field rate(const char* fallback) {
  return real("learning_rate", fallback, "gamma, the size of a step").above(0);
}

constexpr Field kFields[] = {rate("1e-3"), kBeta1, kBeta2, kEpsilon, kDecay};
constexpr Field kAdamWFields[] = {
    rate("1e-3"), kBeta1, kBeta2, kEpsilon,
    real("weight_decay", "1e-2", "lambda, of the parameters for which no group gives another").at_least(0)};
constexpr Field kNAdamFields[] = {
    rate("2e-3"),
    kBeta1,
    kBeta2,
    kEpsilon,
    real("momentum_decay", "4e-3", "psi, how fast the momentum grows from half of beta1 to beta1").at_least(0),
    kDecay};
constexpr Field kAdamaxFields[] = {
    rate("2e-3"), kBeta1,
    real("beta2", "0.999", "how much of the largest gradient is kept in a step").at_least(0).below(1),
    real("epsilon", "1e-8", "added to the size of a gradient: bounds the steps of parameters with tiny ones").above(0),
    kDecay};

constexpr Example kExamples[] = {
    {"default", "adam"},
    {"fast", "adam: {learning_rate: 1e-2}"},
    {"decoupled", "adam: {decay: decoupled}"},
    {"short_memory", "adam: {beta1: 0.0, beta2: 0.9, epsilon: 1e-6}"},
};
constexpr Example kAdamWExamples[] = {
    {"default", "adamw"},
    {"strong", "adamw: {learning_rate: 1e-2, weight_decay: 0.1}"},
    {"short_memory", "adamw: {beta1: 0.0, beta2: 0.9, epsilon: 1e-6}"},
};
constexpr Example kAmsGradExamples[] = {
    {"default", "amsgrad"},
    {"decoupled", "amsgrad: {learning_rate: 1e-2, decay: decoupled}"},
    {"short_memory", "amsgrad: {beta1: 0.0, beta2: 0.9, epsilon: 1e-6}"},
};
constexpr Example kNAdamExamples[] = {
    {"default", "nadam"},
    {"decoupled", "nadam: {learning_rate: 1e-2, decay: decoupled}"},
    {"constant_momentum", "nadam: {beta1: 0.8, beta2: 0.99, epsilon: 1e-6, momentum_decay: 0.0}"},
};
constexpr Example kAdamaxExamples[] = {
    {"default", "adamax"},
    {"decoupled", "adamax: {learning_rate: 1e-2, decay: decoupled}"},
    {"short_memory", "adamax: {beta1: 0.0, beta2: 0.9, epsilon: 1e-6}"},
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

constexpr const char kAdamWDocumentation[] = R"(
`adam` with weight decay apart from the gradient. Step t, of a parameter `theta` with gradient `g`, learning rate
`gamma` and weight decay `lambda`:

`theta <- (1 - gamma lambda) theta`, `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`

`theta <- theta - gamma m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)`

The schedule and the parameter's group multiply `gamma`. `weight_decay` is that of all parameters; a group can give
another to its own, such as none to the base: `training: {groups: [{match: "model.base*", weight_decay: 0}]}`.

Other libraries: PyTorch's `AdamW`, with its defaults (`lr`, `betas`, `eps`, `weight_decay`). Optax's `adamw` has a
weight decay of 1e-4.

I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019.
)";

constexpr const char kAmsGradDocumentation[] = R"(
`adam` whose steps do not grow again when gradients get small. Step t, of a parameter `theta` with gradient `g`,
learning rate `gamma` and weight decay `lambda`:

`g <- g + lambda theta` (with `decay: l2`), `theta <- (1 - gamma lambda) theta` (with `decay: decoupled`)

`m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`, `w <- max(w, v)`

`theta <- theta - gamma m / (1 - beta1^t) / (sqrt(w / (1 - beta2^t)) + epsilon)`

The schedule and the parameter's group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `Adam` with `amsgrad=True`, and with `decay: decoupled` its `AdamW`. The paper has no
corrections by `1 - beta^t`.

S. J. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, ICLR 2018.
)";

constexpr const char kNAdamDocumentation[] = R"(
`adam` with Nesterov's momentum. Step t, of a parameter `theta` with gradient `g`, learning rate `gamma` and weight
decay `lambda`:

`g <- g + lambda theta` (with `decay: l2`), `theta <- (1 - gamma lambda) theta` (with `decay: decoupled`)

`mu_t = beta1 (1 - 0.96^(t psi) / 2)`, `M_t = mu_1 ... mu_t`

`m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`

`theta <- theta - gamma (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - beta2^t)) + epsilon)`

The schedule and the parameter's group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `NAdam`, with its defaults. Keras' `Nadam` has psi 4e-3 built in and adds epsilon before
the correction of `v`.

T. Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
)";

constexpr const char kAdamaxDocumentation[] = R"(
`adam` with the largest gradient in place of the root mean square. Step t, of a parameter `theta` with gradient `g`,
learning rate `gamma` and weight decay `lambda`:

`g <- g + lambda theta` (with `decay: l2`), `theta <- (1 - gamma lambda) theta` (with `decay: decoupled`)

`m <- beta1 m + (1 - beta1) g`, `u <- max(beta2 u, abs(g) + epsilon)`

`theta <- theta - gamma m / (1 - beta1^t) / u`

The schedule and the parameter's group multiply `gamma`; the weight decay is the group's.

Other libraries: PyTorch's `Adamax`, with its defaults. The paper has no epsilon.

D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.1.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Adam>("optimizer", "adam", "Steps scaled by running moments of the gradient", kFields, kExamples,
                   kDocumentation),
    describe<AdamW>("optimizer", "adamw", "Adam with weight decay apart from the gradient", kAdamWFields,
                    kAdamWExamples, kAdamWDocumentation),
    describe<AmsGrad>("optimizer", "amsgrad", "Adam whose steps do not grow when gradients get small", kFields,
                      kAmsGradExamples, kAmsGradDocumentation),
    describe<NAdam>("optimizer", "nadam", "Adam with Nesterov's momentum", kNAdamFields, kNAdamExamples,
                    kNAdamDocumentation),
    describe<Adamax>("optimizer", "adamax", "Adam scaled by the largest gradient", kAdamaxFields, kAdamaxExamples,
                     kAdamaxDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("adam", "0.1.0", "MIT", kComponents);
