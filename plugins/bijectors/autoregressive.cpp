// autoregressive: each feature is transformed with parameters that a masked network makes of the features before it.
//
// | field | |
// | --- | --- |
// | transformer | the scalar map f |
// | network | a masked network, which gives theta_j from the features before j and the context |
// | order, passes | which features come before which |
//
// Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling, "Improved variational inference with inverse
// autoregressive flow", 2016; Papamakarios, Pavlakou and Murray, "Masked autoregressive flow for density estimation",
// 2017.
#include <algorithm>
#include <numeric>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
std::vector<Index> listed_order(Build<T>& build) {
  const Index size = build.event_size();
  std::vector<Index> order = build.integers("features");
  std::vector<bool> there(static_cast<std::size_t>(size));
  for (const Index j : order) {
    const std::string holds = "holds " + std::to_string(j);
    if (j < 0 || j >= size) build.fail("features", holds + ", but the features are 0 to " + std::to_string(size - 1));
    if (there[static_cast<std::size_t>(j)]) build.fail("features", holds + " twice");
    there[static_cast<std::size_t>(j)] = true;
  }
  if (static_cast<Index>(order.size()) != size)
    build.fail("features", "has " + std::to_string(order.size()) + " numbers; name each of the " +
                               std::to_string(size) + " features once");
  return order;
}

/// The features, the first one first, in an even repetition.
template <class T>
std::vector<Index> order_of(Build<T>& build) {
  const std::string name = build.text("order");
  const bool listed = build.given_for("features", "order", "explicit");
  const bool seeded = build.given_for("seed", "order", "random");
  if (name == "explicit") {
    if (!listed)
      build.fail("features", "is needed by order: explicit: all features, counted from 0, the first one first");
    return listed_order(build);
  }
  const Index size = build.event_size();
  std::vector<Index> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), Index{0});
  if (name == "reversed") std::reverse(order.begin(), order.end());
  if (name == "random") {
    if (!seeded) build.fail("seed", "is needed by order: random; give every bijector of a list another one");
    random_permutation(static_cast<std::uint64_t>(build.integer("seed")), 0,
                       static_cast<std::uint32_t>(build.repetition() / 2), size, order.data());
  }
  return order;
}

/// Features that are transformed at once, in increasing order: none of them depends on another one.
using Group = std::vector<Index>;

template <class T>
std::vector<Group> groups_of(Build<T>& build) {
  std::vector<Index> order = order_of(build);
  if (build.repetition() % 2 == 1) std::reverse(order.begin(), order.end());
  const auto size = static_cast<Index>(order.size());
  const Index passes = build.given("passes") ? build.integer("passes") : std::max<Index>(size, 1);
  if (passes > size && size > 0)
    build.fail("passes", "is " + std::to_string(passes) + ", but there are " + std::to_string(size) + " features");
  std::vector<Group> groups(static_cast<std::size_t>(size > 0 ? passes : 0));
  for (Index k = 0; k < size; ++k)
    groups[static_cast<std::size_t>(k * passes / size)].push_back(order[static_cast<std::size_t>(k)]);
  for (Group& g : groups) std::sort(g.begin(), g.end());
  return groups;
}

template <class T>
class Autoregressive final : public Bijector<T> {
 public:
  explicit Autoregressive(Build<T>& build)
      : evaluates_forward_(build.text("maps") == "base_to_data"),
        size_(build.event_size()),
        transformer_(build.transformer("transformer")),
        each_(transformer_->parameters()),
        groups_(groups_of(build)) {
    if (each_ == 0)
      build.fail("transformer", "has no parameters for the network to give; put it into `bijectors` by itself");
    NetworkShape shape{size_, size_ * each_, build.context_size(), identity_start(*transformer_, size_), {}, {}};
    shape.input_degrees.resize(static_cast<std::size_t>(size_));
    shape.output_degrees.resize(static_cast<std::size_t>(size_ * each_));
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (const Index j : groups_[g]) {
        shape.input_degrees[static_cast<std::size_t>(j)] = degree(g);
        std::fill_n(shape.output_degrees.begin() + j * each_, each_, degree(g));
      }
    network_ = build.network("network", shape);
    if (!network_->masked()) build.fail("network", "gives every output all inputs; name a masked one, as `made` is");
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    return evaluates_forward_ ? evaluate(x, pass) : invert(x, pass);
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    return evaluates_forward_ ? invert(y, pass) : evaluate(y, pass);
  }

  Support domain() const override { return evaluates_forward_ ? transformer_->domain() : transformer_->codomain(); }
  Support codomain() const override { return evaluates_forward_ ? transformer_->codomain() : transformer_->domain(); }

  Traits traits() const override {
    Traits t = evaluates_forward_ ? transformer_->traits() : reversed(transformer_->traits());
    const Traits network = network_->traits();
    t.forward = std::max(t.forward, Cost::one_pass);
    t.inverse = std::max(t.inverse, Cost::one_pass);
    t.elementwise &= groups_.size() <= 1;
    t.increasing &= groups_.size() <= 1;
    t.triangular &= in_natural_order();
    t.couples_rows |= network.couples_rows;
    t.uses_draws |= network.uses_draws;
    return t;
  }

 private:
  static Index degree(std::size_t group) { return static_cast<Index>(group) + 1; }

  bool in_natural_order() const {
    Index last = -1;
    for (const Group& g : groups_) {
      if (g.front() < last) return false;
      last = g.back();
    }
    return true;
  }

  Mapped<T> evaluate(Var<T> x, const Pass<T>& pass) const {
    require_columns("autoregressive", x.columns(), size_);
    const Var<T> theta = (*network_)(x, pass);
    pass.check_finite(*network_, theta);
    return transformer_->evaluate(x, theta, pass);
  }

  Mapped<T> invert(Var<T> z, const Pass<T>& pass) const {
    require_columns("autoregressive", z.columns(), size_);
    const Index n = z.rows();
    const Var<T> x = pass.tape.make(n, size_), log_det = pass.tape.full(n, 1, T(0));
    {
      const typename Tape<T>::Unrecorded unrecorded(pass.tape);
      step_through(z, x, log_det, pass);
    }
    const Pass<T>* again = &pass;
    pass.tape.primitive(
        "autoregressive: inverse of the evaluated direction", {z, pass.anchor(), pass.context}, {x, log_det},
        [this, again](Vjp<T>& v) { adjoint(v, *again); }, no_tangent);
    return {x, log_det};
  }

  /// Group after group, each from those before it.
  void step_through(Var<T> z, Var<T> x, Var<T> log_det, const Pass<T>& pass) const {
    const StepperPointer<T> stepper = network_->masked()->start(z.rows(), pass);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const Block<const T> theta = stepper->advance(degree(g), before(g, x.value(), pass.tape));
      const Var<T> own = pass.tape.constant(gather(groups_[g], z.value(), 1, pass.tape));
      const Mapped<T> m = transformer_->invert(own, pass.tape.constant(theta), pass);
      scatter(groups_[g], m.value.value(), 1, x.data());
      for (Index i = 0; i < z.rows(); ++i) log_det.data().data[i] += m.log_det.value().data[i];
    }
  }

  /// x solves g(x) = z, where g is what `evaluate` does and L its log_det. With J = dg/dx and cotangents x_bar and
  /// l_bar (of -L): u = J^-T (x_bar - l_bar dL/dx) is the gradient of z, and parameters and context receive what the
  /// seeds -u for g and -l_bar for L bring them. J is triangular: u follows group by group, the last one first, with
  /// the network's adjoint at the pace of its stepper.
  void adjoint(Vjp<T>& v, const Pass<T>& pass) const {
    typename Tape<T>::Inner inner = v.tape().inner();
    Tape<T>& tape = v.tape();
    const Index n = v.result(0).rows;
    const Block<T> value_seed = tape.block(n, size_), log_det_seed = tape.block(n, 1);
    const Block<const T> log_det_bar = v.adjoint(1);
    for (Index i = 0; i < n; ++i) log_det_seed.data[i] = -log_det_bar.data[i];
    solve(v.result(0), v.adjoint(0), log_det_seed, value_seed, pass);
    if (v.wants(0)) {
      const Block<T> gradient = v.gradient(0);
      for (Index j = 0; j < size_; ++j)
        for (Index i = 0; i < n; ++i) gradient(i, j) -= value_seed(i, j);
    }
    const Mapped<T> z = evaluate(tape.constant(v.result(0)), pass);
    const typename Tape<T>::Seed seeds[] = {{z.value, value_seed}, {z.log_det, log_det_seed}};
    inner.backward(seeds);
  }

  /// seed = -u.
  void solve(Block<const T> x, Block<const T> x_bar, Block<const T> log_det_seed, Block<T> seed,
             const Pass<T>& pass) const {
    Tape<T>& tape = pass.tape;
    typename Tape<T>::Inner inner = tape.inner();
    const Pass<T>& plain = pass.context ? pass.without_gradient().with_context(tape.constant(pass.context.value()))
                                        : pass.without_gradient();
    const StepperPointer<T> stepper = network_->masked()->start(x.rows, plain);
    const Block<T> theta = tape.block(x.rows, size_ * each_);
    for (std::size_t g = 0; g < groups_.size(); ++g)
      scatter(groups_[g], stepper->advance(degree(g), before(g, x, tape)), each_, theta);
    // f is elementwise: with ones as the seed, the derivative of each value with respect to its own x and theta.
    const Slopes of_value = slopes(x, theta, {}, plain, inner),
                 of_log_det = slopes(x, theta, log_det_seed, plain, inner);
    Block<const T> through_theta{nullptr, x.rows, 0, x.stride};
    for (std::size_t g = groups_.size(); g-- > 0;) {
      const Group& group = groups_[g];
      const Block<T> theta_bar = tape.block(x.rows, static_cast<Index>(group.size()) * each_);
      for (std::size_t k = 0; k < group.size(); ++k) {
        const Index j = group[k];
        const T* later = g + 1 < groups_.size() ? through_theta.column(static_cast<Index>(k)) : nullptr;
        for (Index i = 0; i < x.rows; ++i)
          seed(i, j) = -(x_bar(i, j) + of_log_det.x(i, j) + (later ? later[i] : T(0))) / of_value.x(i, j);
        for (Index p = 0; p < each_; ++p)
          for (Index i = 0; i < x.rows; ++i)
            theta_bar(i, static_cast<Index>(k) * each_ + p) =
                seed(i, j) * of_value.theta(i, j * each_ + p) + of_log_det.theta(i, j * each_ + p);
      }
      through_theta = stepper->retreat(degree(g), theta_bar);
    }
  }

  struct Slopes {
    Block<const T> x, theta;
  };
  /// Gradients of f's value with the seed one, or of its log_det with the given seed.
  Slopes slopes(Block<const T> x, Block<const T> theta, Block<const T> log_det_seed, const Pass<T>& pass,
                typename Tape<T>::Inner& inner) const {
    Tape<T>& tape = pass.tape;
    const Block<T> x_bar = zeros(tape, x), theta_bar = zeros(tape, theta);
    const Mapped<T> m = transformer_->evaluate(tape.leaf(x, x_bar), tape.leaf(theta, theta_bar), pass);
    inner.backward(log_det_seed.data ? m.log_det : m.value, log_det_seed);
    return {x_bar, theta_bar};
  }
  static Block<T> zeros(Tape<T>& tape, Block<const T> like) { return tape.full(like.rows, like.columns, T(0)).data(); }

  /// The columns of the group before this one, `each` of them for each feature.
  Block<const T> before(std::size_t g, Block<const T> x, Tape<T>& tape) const {
    return g > 0 ? gather(groups_[g - 1], x, 1, tape) : Block<const T>{nullptr, x.rows, 0, x.stride};
  }
  static Block<const T> gather(const Group& group, Block<const T> from, Index each, Tape<T>& tape) {
    const auto count = static_cast<Index>(group.size());
    if (group.back() - group.front() + 1 == count) return from.middle_columns(group.front() * each, count * each);
    const Block<T> to = tape.block(from.rows, count * each);
    for (Index k = 0; k < count * each; ++k)
      std::copy_n(from.column(group[static_cast<std::size_t>(k / each)] * each + k % each), from.rows, to.column(k));
    return to;
  }
  static void scatter(const Group& group, Block<const T> from, Index each, Block<T> to) {
    for (Index k = 0; k < from.columns; ++k)
      std::copy_n(from.column(k), from.rows, to.column(group[static_cast<std::size_t>(k / each)] * each + k % each));
  }

  bool evaluates_forward_;
  Index size_;
  std::unique_ptr<Transformer<T>> transformer_;
  Index each_;  // raw parameters of a feature
  std::vector<Group> groups_;
  std::unique_ptr<Network<T>> network_;
};

constexpr Field kFields[] = {
    component("transformer", "transformer", kRequired, "the scalar map f of each feature"),
    component("network", "network", "made",
              "gives f's parameters, from the features before it and the context; masked"),
    choice("order", "natural", "natural|reversed|random|explicit",
           "which feature comes first: as in the data, the other way round, drawn from `seed`, or `features`; in a "
           "`repeat`, odd repetitions take the order of the even ones backwards"),
    integers("features", kOptional, "with order: explicit: all features, counted from 0, the first one first")
        .at_least(0),
    integer("seed", kOptional, "with order: random: bijectors with the same seed have the same order").at_least(0),
    integer("passes", kOptional,
            "groups of about the same size into which the order is cut, whose features are transformed at once; two "
            "make a coupling whose first half has a map of its own; left out, each feature is a group of its own")
        .at_least(1),
    choice("maps", "data_to_base", "data_to_base|base_to_data",
           "the direction in which f itself is evaluated, in one pass; the other one inverts it, feature by feature"),
};

constexpr Example kExamples[] = {
    {"affine", "autoregressive: {transformer: affine}", 3},
    {"spline",
     "autoregressive: {transformer: rational_quadratic_spline, network: {made: {hidden: [20], activation: tanh}}}", 4},
    {"reversed",
     "autoregressive: {transformer: affine, network: {made: {hidden: [12, 12], activation: tanh}}, order: reversed}",
     3},
    {"random",
     "autoregressive: {transformer: affine, network: {made: {hidden: [20], activation: tanh}}, order: random, seed: 1}",
     5},
    {"explicit",
     "autoregressive: {transformer: affine, network: {made: {hidden: [12], activation: softplus}}, order: explicit, "
     "features: [1, 2, 0]}",
     3},
    {"passes",
     "autoregressive: {transformer: affine, network: {made: {hidden: [12], activation: tanh}}, order: random, seed: 2, "
     "passes: 2}",
     5},
    {"base_to_data",
     "autoregressive: {transformer: rational_quadratic_spline, network: {made: {hidden: [12], activation: tanh}}, "
     "maps: "
     "base_to_data}",
     3},
    {"conditional", "autoregressive: {transformer: affine, network: {made: {hidden: [12, 12], activation: tanh}}}", 3,
     2},
    {"one_element", "autoregressive: {transformer: affine}", 1},
};

constexpr const char kDocumentation[] = R"(
In the evaluated direction (`maps: data_to_base`, the default, from data y to base x), with the features in their order:

`x_j = f(y_j; theta_j)` with `theta_j = network(y_0, ..., y_{j-1}, context)`, log_det `sum_j log |f'(y_j; theta_j)|`

in one pass through the network. The other direction finds one feature after the other; a masked network computes each
of its units once for all of them, so it costs little more than one pass, too, and its gradient about twice that of the
evaluated direction. (Forward mode is there for the evaluated direction alone.)

With `maps: data_to_base`, f = `affine` is a masked autoregressive flow (MAF), f = `rational_quadratic_spline` an
autoregressive neural spline flow. `maps: base_to_data` makes an inverse autoregressive flow (IAF): samples first. In
other libraries: `nflows.transforms.MaskedAffineAutoregressiveTransform`, `zuko.flows.MAF`, `zuko.flows.NSF`,
`flowtorch.bijectors.AffineAutoregressive`, `pyro.distributions.transforms.affine_autoregressive`,
`tfb.MaskedAutoregressiveFlow`, `flowjax.bijections.MaskedAutoregressive`.

The network starts at the transformer's identity, so the bijector starts as the identity. Several of them need another
order each: `repeat` turns it around.

D. P. Kingma, T. Salimans, R. Jozefowicz, X. Chen, I. Sutskever, M. Welling, Improved variational inference with inverse
autoregressive flow, NeurIPS 2016.
G. Papamakarios, T. Pavlakou, I. Murray, Masked autoregressive flow for density estimation, NeurIPS 2017.
C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr ComponentInfo kComponents[] = {describe<Autoregressive>(
    "bijector", "autoregressive", "Transforms each feature by a masked network of those before it (MAF, IAF)", kFields,
    kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("autoregressive", "0.1.0", "MIT", kComponents);
