// elementwise: y_j = f(x_j; theta_j), a transformer with learnable parameters that all events share.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | theta | 1 x D*P | the transformer's raw numbers, one element after the other |
//
// With a linear_rational_spline this is FlowTorch's and Pyro's `Spline`: Dolatabadi, Erfani and Leckie 2020.
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Elementwise final : public Bijector<T> {
 public:
  explicit Elementwise(Build<T>& build)
      : size_(build.event_size()),
        evaluates_forward_(build.text("maps") == "base_to_data"),
        transformer_(build.transformer("transformer")) {
    const bool random = build.text("initialisation") == "random";
    const double deviation = build.given_for("deviation", "initialisation", "random") ? build.real("deviation") : 1e-3;
    // A fixed map, such as exp, has no parameters.
    if (transformer_->parameters() > 0)
      theta_ = build.parameter(
          "theta", 1, size_ * transformer_->parameters(),
          random ? Initial::normal(deviation) : Initial::values(identity_start(*transformer_, size_)), Role::other);
    if (transformer_->prepared() > 0) prepared_ = build.derived("prepared", 1, size_ * transformer_->prepared());
  }

  /// All events share theta, so what the transformer makes of it (knots, softmaxes) is made once a step.
  void prepare(StepPass<T>& step) const override {
    if (prepared_.size() > 0) step.set(prepared_, transformer_->prepare_shared(step.pass(theta_)));
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return apply(x, pass, evaluates_forward_); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return apply(y, pass, !evaluates_forward_); }

  Support domain() const override { return evaluates_forward_ ? transformer_->domain() : transformer_->codomain(); }
  Support codomain() const override { return evaluates_forward_ ? transformer_->codomain() : transformer_->domain(); }
  Traits traits() const override {
    return evaluates_forward_ ? transformer_->traits() : reversed(transformer_->traits());
  }

 private:
  Mapped<T> apply(Var<T> x, const Pass<T>& pass, bool evaluate) const {
    require_columns("elementwise", x.columns(), size_);
    const Theta<T> theta = prepared_.size() > 0 ? Theta<T>(pass(prepared_), true)
                           : theta_.size() > 0  ? Theta<T>(pass(theta_))
                                                : Theta<T>(pass.tape.make(1, 0));
    return evaluate ? transformer_->evaluate(x, theta, pass) : transformer_->invert(x, theta, pass);
  }

  Index size_;
  bool evaluates_forward_;
  std::unique_ptr<Transformer<T>> transformer_;
  Parameter theta_, prepared_;
};

constexpr Field kFields[] = {
    component("transformer", "transformer", kRequired, "the scalar map f"),
    choice("maps", "base_to_data", "base_to_data|data_to_base",
           "the direction in which f itself is evaluated; the other one inverts it"),
    choice("initialisation", "identity", "identity|random",
           "theta starts where f is the identity (or nearest to it), or at random numbers around zero"),
    real("deviation", kOptional, "standard deviation of a random start; 1e-3, FlowTorch's, if left out").above(0),
};

constexpr Example kExamples[] = {
    {"spline", "elementwise: {transformer: linear_rational_spline}", 3},
    {"affine", "elementwise: {transformer: affine}", 1},
    {"data_to_base", "elementwise: {transformer: rational_quadratic_spline, maps: data_to_base}", 2},
    {"flowtorch", "elementwise: {transformer: linear_rational_spline, initialisation: random}", 2},
    {"random", "elementwise: {transformer: sinh_arcsinh, initialisation: random, deviation: 0.1}", 2},
    {"fixed_map", "elementwise: {transformer: sigmoid}", 2},
};

constexpr const char kDocumentation[] = R"(
`y_j = f(x_j; theta_j)` for each element j of an event, with log_det `sum_j log |f'(x_j; theta_j)|`. A transformer
named where a bijector is expected stands for `elementwise` with its defaults.

`theta` holds the raw numbers of element j in the columns `j P` to `j P + P - 1`, as the transformer's page lists
them. `maps: base_to_data` is FlowTorch's and Pyro's choice; with `data_to_base` training by likelihood evaluates f
and sampling inverts it, and for splines it is another family of densities. FlowTorch starts at normal numbers with
deviation 1e-3 (`initialisation: random`): for a spline with boundary derivatives near 1 that is not quite the
identity.

H. M. Dolatabadi, S. Erfani, C. Leckie, Invertible generative modeling using linear rational splines, AISTATS 2020.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Elementwise>("bijector", "elementwise", "A transformer with learnable parameters, shared by all events",
                          kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("elementwise", "0.1.0", "MIT", kComponents);
