// coupling: one part of the features passes untouched and, with the context, says how the others are transformed.
//
// | features | what happens to them |
// | --- | --- |
// | kept, x_a | y_a = x_a |
// | moved, x_b | y_b = f(x_b; theta), theta = network(x_a, context) |
//
// Dinh, Krueger and Bengio, "NICE", 2014; Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017.
#include <algorithm>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Some features, in increasing order.
struct Subset {
  std::vector<Index> features;

  Index size() const { return static_cast<Index>(features.size()); }
  bool contiguous() const { return features.empty() || features.back() - features.front() == size() - 1; }
  bool starts_at_zero() const { return !features.empty() && features.front() == 0; }
  /// Their columns; a view, free, if they are neighbours.
  template <class T>
  Var<T> of(Var<T> x) const {
    return contiguous() ? columns(x, features.empty() ? 0 : features.front(), size()) : permute<T>(x, features);
  }
};

template <class T>
std::vector<Index> listed_features(Build<T>& build) {
  const Index size = build.event_size();
  std::vector<Index> kept = build.integers("features");
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::string holds = "holds " + std::to_string(kept[i]);
    if (kept[i] < 0 || kept[i] >= size)
      build.fail("features", holds + ", but the features are 0 to " + std::to_string(size - 1));
    if (i > 0 && kept[i] == kept[i - 1]) build.fail("features", holds + " twice");
  }
  if (static_cast<Index>(kept.size()) == size)
    build.fail("features", "keeps all " + std::to_string(size) + " features, so none would be transformed");
  return kept;
}

/// What an even repetition keeps.
template <class T>
std::vector<Index> kept_features(Build<T>& build) {
  const std::string mask = build.text("mask");
  const bool listed = build.given_for("features", "mask", "explicit");
  const bool seeded = build.given_for("seed", "mask", "random");
  if (mask == "explicit") {
    if (!listed) build.fail("features", "is needed by mask: explicit: the features to keep, counted from 0");
    return listed_features(build);
  }
  const Index size = build.event_size();
  std::vector<Index> order(static_cast<std::size_t>(size));
  if (mask == "random") {
    if (!seeded) build.fail("seed", "is needed by mask: random; give every coupling of a list another one");
    random_permutation(static_cast<std::uint64_t>(build.integer("seed")), 0,
                       static_cast<std::uint32_t>(build.repetition() / 2), size, order.data());
  } else {
    const bool halves = mask == "halves";
    for (Index j = 0; j < size / 2; ++j) order[static_cast<std::size_t>(j)] = halves ? j : 2 * j + 1;
  }
  order.resize(static_cast<std::size_t>(size / 2));
  return order;
}

template <class T>
class Coupling final : public Bijector<T> {
 public:
  explicit Coupling(Build<T>& build)
      : evaluates_forward_(build.text("maps") == "base_to_data"), transformer_(build.transformer("transformer")) {
    if (transformer_->parameters() == 0)
      build.fail("transformer", "has no parameters for the network to give; put it into `bijectors` by itself");
    const std::vector<Index> kept = kept_features(build);
    std::vector<bool> mask(static_cast<std::size_t>(build.event_size()));
    for (const Index j : kept) mask[static_cast<std::size_t>(j)] = true;
    if (build.repetition() % 2 == 1 && !kept.empty()) mask.flip();
    split(mask);
    network_ = build.network("network", {kept_.size(),
                                         moved_.size() * transformer_->parameters(),
                                         build.context_size(),
                                         identity_start(*transformer_, moved_.size()),
                                         {},
                                         {}});
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return apply(x, pass, evaluates_forward_); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return apply(y, pass, !evaluates_forward_); }

  // Kept features lie on both sides where f may start; so the data lie there or where f ends.
  Support domain() const override { return evaluates_forward_ ? transformer_->domain() : image(); }
  Support codomain() const override { return evaluates_forward_ ? image() : transformer_->domain(); }

  Traits traits() const override {
    Traits t = evaluates_forward_ ? transformer_->traits() : reversed(transformer_->traits());
    const Traits network = network_->traits();
    t.forward = std::max(t.forward, Cost::one_pass);
    t.inverse = std::max(t.inverse, Cost::one_pass);
    t.elementwise &= kept_.size() == 0;
    t.increasing &= kept_.size() == 0;
    t.triangular &= kept_.size() == 0 || kept_.features.back() < moved_.features.front();
    t.couples_rows |= network.couples_rows;
    t.uses_draws |= network.uses_draws;
    return t;
  }

 private:
  /// True: kept.
  void split(const std::vector<bool>& mask) {
    for (std::size_t j = 0; j < mask.size(); ++j) (mask[j] ? kept_ : moved_).features.push_back(static_cast<Index>(j));
    place_.resize(mask.size());
    Index from = 0;
    for (const Subset* part : {&kept_, &moved_})
      for (const Index j : part->features) place_[static_cast<std::size_t>(j)] = from++;
  }

  Mapped<T> apply(Var<T> x, const Pass<T>& pass, bool evaluate) const {
    require_columns("coupling", x.columns(), kept_.size() + moved_.size());
    const Var<T> kept = kept_.of(x), moved = moved_.of(x);
    const Var<T> theta = (*network_)(kept, pass);
    pass.check_finite(*network_, theta);
    const Mapped<T> m =
        evaluate ? transformer_->evaluate(moved, theta, pass) : transformer_->invert(moved, theta, pass);
    return {merge(kept, m.value), m.log_det};
  }

  /// The columns in their order again.
  Var<T> merge(Var<T> kept, Var<T> moved) const {
    if (kept_.size() == 0) return moved;
    if (moved_.contiguous() && moved_.starts_at_zero()) return concatenate({moved, kept});
    const Var<T> parts = concatenate({kept, moved});
    return kept_.contiguous() && kept_.starts_at_zero() ? parts : permute<T>(parts, place_);
  }

  Support image() const {
    const Support from = transformer_->domain(), to = transformer_->codomain();
    if (kept_.size() == 0) return to;
    return {std::min(from.lower, to.lower), std::max(from.upper, to.upper)};
  }

  bool evaluates_forward_;
  std::unique_ptr<Transformer<T>> transformer_;
  std::unique_ptr<Network<T>> network_;
  Subset kept_, moved_;
  std::vector<Index> place_;  // of each feature among the kept ones, then the moved ones
};

constexpr Field kFields[] = {
    component("transformer", "transformer", kRequired, "the scalar map f of the moved features"),
    component("network", "network", "mlp", "gives f's parameters, from the kept features and the context"),
    choice(
        "mask", "halves", "halves|alternating|random|explicit",
        "what is kept: the first half, the features 1, 3, 5, ..., half of them drawn from `seed`, or `features`; in a "
        "`repeat`, odd repetitions keep what even ones move"),
    integers("features", kOptional, "with mask: explicit: the kept features, counted from 0").at_least(0),
    integer("seed", kOptional, "with mask: random: couplings with the same seed have the same mask").at_least(0),
    choice("maps", "data_to_base", "data_to_base|base_to_data",
           "the direction in which f itself is evaluated; the other one inverts it"),
};

constexpr Example kExamples[] = {
    {"affine", "coupling: {transformer: affine}", 3},
    {"spline",
     "coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [8], activation: tanh}}, "
     "mask: alternating}",
     5},
    {"random",
     "coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: silu}}, mask: random, seed: 1}", 4},
    {"explicit",
     "coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}, mask: explicit, features: [1, "
     "2]}",
     4},
    {"base_to_data",
     "coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [8], activation: tanh}}, "
     "maps: base_to_data}",
     2},
    {"conditional", "coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}}", 3, 2},
    {"context_alone", "coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}}", 1, 2},
    {"one_element", "coupling: {transformer: affine}", 1},
};

constexpr const char kDocumentation[] = R"(
With kept features a and moved features b, from data y to base x (`maps: data_to_base`, the default):

`x_a = y_a`, `x_b = f(y_b; theta)` with `theta = network(y_a, context)`, log_det `sum_b log |f'(y_b; theta)|`

The other direction inverts f, with the same theta: both cost one evaluation of the network. `f` may be any transformer:
`affine` makes this a RealNVP layer, `rational_quadratic_spline` one of a neural spline flow.

The network's outputs are the raw numbers of the moved features in increasing order, those of one feature side by side.
It starts at the transformer's identity, so the coupling starts as the identity. An event of one element keeps nothing:
its parameters depend on the context alone, or are learnable constants where there is none.

With `base_to_data`, training by likelihood inverts f; for splines it is another family of densities.

L. Dinh, D. Krueger, Y. Bengio, NICE: non-linear independent components estimation, 2014 (arXiv 1410.8516), where f
is a shift alone.
L. Dinh, J. Sohl-Dickstein, S. Bengio, Density estimation using Real NVP, ICLR 2017.
C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Coupling>("bijector", "coupling", "Transforms some features by a network of the others (RealNVP, NSF)",
                       kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("coupling", "0.1.0", "MIT", kComponents);
