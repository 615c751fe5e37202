// Witness: an augmented flow. Data get E more features of noise, so that the base has D + E.
//
// It is the hardest consumer of a stochastic log_det: inverse draws the noise, log_prob becomes an estimate whose mean
// is a lower bound and whose exponential has the exact mean; traits say so up to the distribution.
//
// Huang, Dinh and Courville, "Augmented normalizing flows", 2020; Nielsen et al., "SurVAE flows", 2020.
#include <cmath>
#include <numbers>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// inverse: y to (y, e) with e drawn from `noise` given y, log_det = -log noise(e | y). forward: drops e.
template <class T>
class Augment final : public Bijector<T> {
 public:
  explicit Augment(Build<T>& build)
      : size_(build.event_size()),
        extra_(build.integer("extra")),
        conditional_(build.boolean("conditional")),
        context_(build.context_size()) {
    Surroundings around = build.surroundings();
    around.event_shape = Shape{extra_};
    if (conditional_) around.context += size_;
    noise_ = build.template child<Distribution<T>>("noise", around);
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("augment", x.columns(), size_ + extra_);
    const Var<T> y = columns(x, 0, size_), e = columns(x, size_, extra_);
    return {y, noise_->log_prob(e, pass_given(y, pass))};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("augment", y.columns(), size_);
    const Sampled<T> e = noise_->sample_with_log_prob(y.rows(), pass_given(y, pass));
    return {concatenate({y, e.value}), -e.log_prob};
  }
  Shape forward_event_shape(const Shape&) const override { return {size_}; }
  Shape inverse_event_shape(const Shape&) const override { return {size_ + extra_}; }
  Traits traits() const override {
    Traits t;
    t.log_det = LogDet::lower_bound;
    t.draws_inverse = true;
    return t;
  }

 private:
  const Pass<T>& pass_given(Var<T> y, const Pass<T>& pass) const {
    if (!conditional_) return pass;
    return pass.with_context(beside_context("augment", y, context_, pass));
  }

  Index size_, extra_;
  bool conditional_;
  Index context_;
  std::unique_ptr<Distribution<T>> noise_;
};

constexpr Field kFields[] = {
    integer("extra", "1", "features of noise").at_least(1),
    component("noise", "distribution", "normal", "of the extra features"),
    boolean("conditional", "false", "the data are part of the context of `noise`"),
};
constexpr Example kExamples[] = {
    {"default", "witness_augment: {extra: 2}", 3},
    {"conditional",
     "witness_augment: {conditional: true, noise: {normal: {mean: {network: {mlp: {hidden: [6], activation: tanh}}}, "
     "scale: {network: {mlp: "
     "{hidden: [6], activation: tanh}}}}}}",
     2, 1},
};
constexpr ComponentInfo kComponents[] = {
    describe<Augment>("bijector", "witness_augment", "Adds features of noise", kFields, kExamples)};

/// One point evaluated with n independent draws.
std::vector<double> estimates(Engine<double>& engine, double y, Index n) {
  Matrix<double> rows(n, 1);
  for (Index i = 0; i < n; ++i) rows(i, 0) = y;
  std::vector<double> out(static_cast<std::size_t>(n));
  engine.log_prob(rows_of(rows), out);
  return out;
}
struct Mean {
  double value = 0, error = 0;
};
Mean mean_of(const std::vector<double>& x) {
  Mean m;
  const double n = static_cast<double>(x.size());
  for (const double v : x) m.value += v / n;
  for (const double v : x) m.error += std::pow(v - m.value, 2) / n / n;
  m.error = std::sqrt(m.error);
  return m;
}
double log_normal(double x, double deviation = 1) {
  return -0.5 * std::log(2 * std::numbers::pi) - std::log(deviation) - 0.5 * x * x / (deviation * deviation);
}

}  // namespace

TEST_CASE("an augmented map conforms") { check_component(kComponents); }

TEST_CASE("the mean of the bound is the log density less the divergence of the noise") {
  const auto registry = load_plugins(kComponents);
  for (const double deviation : {0.6, 1.0, 1.5}) {
    Model<double> model = make_model<double>(
        *registry,
        "{base: normal, bijectors: [{witness_augment: {noise: {normal: {scale: " + std::to_string(deviation) + "}}}}]}",
        around(1));
    CHECK(model.distribution->traits().density == LogDet::lower_bound);
    CHECK(model.distribution->traits().uses_draws_in_log_prob);
    Engine<double> engine(model, {.seed = 8});
    const Mean m = mean_of(estimates(engine, 0.7, 40000));
    const double divergence = -std::log(deviation) + 0.5 * (deviation * deviation - 1);
    CAPTURE(deviation);
    CHECK(m.value == Approx(log_normal(0.7) - divergence).margin(5 * m.error + 1e-12));
  }
}

TEST_CASE("behind couplings it is a bound, and its exponential has the density as its exact mean") {
  const auto registry = load_plugins(kComponents);
  // z = T(y, e) with a coupling that bends y by e: the density of y is an integral over e without a closed form.
  const std::string coupling =
      "{coupling: {transformer: sinh_arcsinh, network: {mlp: {hidden: [6], activation: tanh}}, mask: ";
  const std::string tail = "bijectors: [" + coupling + "halves}}, " + coupling + "alternating}}";
  Model<double> joint = make_model<double>(*registry, "{base: normal, " + tail + "]}", around(2));
  Model<double> model = make_model<double>(*registry, "{base: normal, " + tail + ", witness_augment]}", around(1));
  scatter(joint, 0.5);
  model.store.parameters = joint.store.parameters;
  Engine<double> of_joint(joint, {}), engine(model, {.seed = 8});
  const double y = -0.4, reach = 12;
  const Index cells = 4000;
  Matrix<double> line(cells, 2);
  for (Index i = 0; i < cells; ++i) {
    line(i, 0) = y;
    line(i, 1) = reach * (2 * (static_cast<double>(i) + 0.5) / static_cast<double>(cells) - 1);
  }
  std::vector<double> log_joint(static_cast<std::size_t>(cells));
  of_joint.log_prob(rows_of(line), log_joint);
  double density = 0;
  for (const double l : log_joint) density += std::exp(l) * 2 * reach / static_cast<double>(cells);

  const std::vector<double> logs = estimates(engine, y, 100000);
  std::vector<double> exponentials;
  for (const double l : logs) exponentials.push_back(std::exp(l));
  const Mean bound = mean_of(logs), unbiased = mean_of(exponentials);
  CHECK(bound.value < std::log(density) - 5 * bound.error);
  CHECK(unbiased.value == Approx(density).margin(5 * unbiased.error));
}

TEST_CASE("it is trained by the bound, and inverted it takes the noise away") {
  const auto registry = load_plugins(kComponents);
  const std::string spec =
      "{base: normal, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [6], activation: tanh}}}}, "
      "{witness_augment: {conditional: true, noise: {normal: {mean: {network: {mlp: {hidden: [6], activation: "
      "tanh}}}}}}}]}";
  Model<double> model = make_model<double>(*registry, spec, around(1));
  scatter(model);
  Engine<double> engine(model, {.seed = 5, .lanes = 8, .shard_rows = 16});
  CHECK(gradient_error(engine, rows_of(normal_rows<double>(100, 1, 1))) < 1e-7);

  const auto map = make_runner("bijector", "witness_augment: {extra: 2}", around(3), *registry);
  const Array y = scattered(20, 3);
  const Response there = run(*map, "inverse", y), back = run(*map, "forward", there.outputs[0]);
  CHECK(back.outputs[0].values == y.values);
  for (Index i = 0; i < 20; ++i) CHECK(back.outputs[1](i, 0) == Approx(-there.outputs[1](i, 0)).epsilon(1e-12));
}
