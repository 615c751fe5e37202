// Witness: a multiscale split. Some features go on through the rest of the chain, the others are factored out.
//
// It is the hardest consumer of event shapes that change, of maps that own a distribution, and of `with_context`:
// forward draws what inverse drops, and the factored part's log_prob, given what was kept, is part of log_det.
//
// Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017; Nielsen et al., "SurVAE flows", 2020.
#include <algorithm>
#include <cmath>
#include <utility>

#include "pushforward/chain.h"
#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// Data y = (a, b): the first `keep` features a go on to the base through `bijectors`, b has the distribution
/// `factored`.
template <class T>
class Split final : public Bijector<T> {
 public:
  explicit Split(Build<T>& build)
      : size_(build.event_size()),
        keep_(build.integer("keep")),
        conditional_(build.boolean("conditional")),
        context_(build.context_size()) {
    if (keep_ >= size_) build.fail("keep", "must be less than the " + std::to_string(size_) + " features of an event");
    Surroundings around = build.surroundings();
    around.event_shape = Shape{keep_};
    kept_ = build.chain("bijectors", around);
    around.event_shape = Shape{size_ - keep_};
    if (conditional_) around.context += keep_;
    factored_ = build.template child<Distribution<T>>("factored", around);
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    const Mapped<T> a = kept_->forward(x, pass);
    const Sampled<T> b = factored_->sample_with_log_prob(x.rows(), pass_given(a.value, pass));
    return {concatenate({a.value, b.value}), a.log_det - b.log_prob};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("split", y.columns(), size_);
    const Var<T> kept = columns(y, 0, keep_), rest = columns(y, keep_, size_ - keep_);
    const Mapped<T> a = kept_->inverse(kept, pass);
    return {a.value, a.log_det + factored_->log_prob(rest, pass_given(kept, pass))};
  }
  Shape forward_event_shape(const Shape&) const override { return {size_}; }
  Shape inverse_event_shape(const Shape&) const override { return kept_->inverse_event_shape({keep_}); }
  Traits traits() const override {
    const Traits kept = kept_->traits();
    const DistributionTraits factored = factored_->traits();
    Traits t;
    t.forward = std::max(kept.forward, factored.sample);
    t.inverse = std::max(kept.inverse, factored.log_prob);
    t.log_det = std::max(kept.log_det, factored.density);
    t.couples_rows = kept.couples_rows || factored.couples_rows;
    t.uses_draws = kept.uses_draws || factored.uses_draws_in_log_prob;
    t.draws_forward = true;
    t.draws_inverse = kept.draws_inverse;
    return t;
  }

 private:
  /// The factored part may depend on the kept one, whose columns come before those of the context.
  const Pass<T>& pass_given(Var<T> kept, const Pass<T>& pass) const {
    if (!conditional_) return pass;
    return pass.with_context(beside_context("split", kept, context_, pass));
  }

  Index size_, keep_;
  bool conditional_;
  Index context_;
  std::unique_ptr<Bijector<T>> kept_;
  std::unique_ptr<Distribution<T>> factored_;
};

constexpr Field kFields[] = {
    integer("keep", kRequired, "features that go on, the first ones").at_least(1),
    components("bijectors", "bijector", kRequired, "the rest of the chain, from base to data"),
    component("factored", "distribution", "normal", "of the other features"),
    boolean("conditional", "false", "the kept features are part of the context of `factored`"),
};
#define CONDITIONAL_NORMAL                                                                                   \
  "{normal: {mean: {network: {mlp: {hidden: [6], activation: tanh}}}, scale: {network: {mlp: {hidden: [6], " \
  "activation: tanh}}}}}"
constexpr Example kExamples[] = {
    {"default",
     "witness_split: {keep: 2, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [6], activation: "
     "tanh}}}}]}",
     4},
    {"conditional",
     "witness_split: {keep: 1, bijectors: [affine], conditional: true, factored: " CONDITIONAL_NORMAL "}", 3, 2},
    {"nested",
     "witness_split: {keep: 3, bijectors: [{witness_split: {keep: 1, bijectors: [sinh_arcsinh]}}, {coupling: "
     "{transformer: affine, "
     "network: {mlp: {hidden: [6], activation: tanh}}}}]}",
     4},
    {"flow",
     "witness_split: {keep: 1, bijectors: [affine], factored: {base: normal, bijectors: [sinh_arcsinh, affine]}}", 2},
};
constexpr ComponentInfo kComponents[] = {
    describe<Split>("bijector", "witness_split", "Factors features out", kFields, kExamples)};

const char* const kFlow =
    "{base: normal, bijectors: [{witness_split: {keep: 1, bijectors: [rational_quadratic_spline], conditional: true, "
    "factored: " CONDITIONAL_NORMAL
    "}}, {coupling: {transformer: affine, network: {mlp: {hidden: [6], activation: tanh}}}}]}";

}  // namespace

TEST_CASE("a split conforms") { check_component(kComponents); }

TEST_CASE("a flow with a split is a density, whose samples are its own") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  scatter(model, 0.3);
  Engine<double> engine(model, {.seed = 5});
  CHECK(model.distribution->traits().density == LogDet::exact);
  CHECK(!model.distribution->traits().uses_draws_in_log_prob);
  CHECK(total_probability(engine, 400, 12) == Approx(1).epsilon(1e-4));

  const Index n = 20000;
  Matrix<double> samples(n, 2);
  std::vector<double> sampled(static_cast<std::size_t>(n)), log_prob(static_cast<std::size_t>(n));
  engine.sample(n, {}, 0, samples.block(), sampled);
  engine.log_prob(rows_of(samples), log_prob);
  CHECK(distance(sampled, log_prob) < 1e-10);
  // Samples against the density: in each quadrant, and the mean of 1 / p over samples in a square, which is its area.
  double area = 0, square_sum = 0;
  for (Index i = 0; i < n; ++i) {
    if (std::abs(samples(i, 0)) > 1 || std::abs(samples(i, 1)) > 1) continue;
    const double w = std::exp(-log_prob[static_cast<std::size_t>(i)]);
    area += w / static_cast<double>(n);
    square_sum += w * w / static_cast<double>(n);
  }
  CHECK(area == Approx(4).margin(5 * std::sqrt(square_sum / static_cast<double>(n))));
}

TEST_CASE("the base of a flow sees the smaller event, and a wrong one is refused with both shapes") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  CHECK(dynamic_cast<const Flow<double>&>(*model.distribution).base().event_shape() == Shape{1});
  CHECK_THROWS_WITH(
      make_model<double>(*registry,
                         "{base: {normal: {shape: [2]}}, bijectors: [{witness_split: {keep: 1, bijectors: [affine]}}]}",
                         around(2)),
      Catch::Contains("[2]") && Catch::Contains("[1]"));
  CHECK_THROWS_WITH(
      make_model<double>(*registry, "{base: normal, bijectors: [{witness_split: {keep: 2, bijectors: [affine]}}]}",
                         around(2)),
      Catch::Contains("keep") && Catch::Contains("must be less than the 2 features"));
}

TEST_CASE("drawn parts are keyed: other shards draw the same, other steps do not") {
  const auto registry = load_plugins(kComponents);
  std::vector<std::vector<double>> drawn;
  for (const auto& [shard_rows, step] : {std::pair<Index, std::uint32_t>{16, 1}, {256, 1}, {16, 2}}) {
    Model<double> model = make_model<double>(*registry, kFlow, around(2));
    Engine<double> engine(model, {.seed = 5, .lanes = 8, .shard_rows = shard_rows, .threads = 2});
    Matrix<double> samples(300, 2);
    engine.sample(300, {}, step, samples.block());
    drawn.emplace_back(samples.block().column(1), samples.block().column(1) + 300);
  }
  CHECK(distance(drawn[0], drawn[1]) < 1e-12);
  CHECK(distance(drawn[0], drawn[2]) > 0.1);
}

TEST_CASE("it is trained by likelihood, and through its samples") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  scatter(model);
  CHECK(gradient_error(model, rows_of(normal_rows<double>(100, 2, 1))) < 1e-7);
  set_objective<double>(model, std::make_unique<OfSamples<double>>());
  CHECK(gradient_error(model, no_data<double>(40)) < 1e-7);
}
