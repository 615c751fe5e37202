// Witness: a mixture whose parts are flows, with weights that are learned.
//
// It is the hardest consumer of Distribution: children that are distributions with maps of their own, `log_prob_parts`,
// and samples that pick their part by keyed draws, so that a row is the same in every shard.
#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

template <class T>
class FlowMixture final : public Distribution<T> {
 public:
  explicit FlowMixture(Build<T>& build) : shape_(build.event_shape()), id_(build.id()) {
    const Index count = build.count("parts");
    if (count == 0) build.fail("parts", "is empty: a mixture needs one distribution or more");
    for (Index k = 0; k < count; ++k) parts_.push_back(build.distribution("parts", shape_, k));
    logits_ = build.parameter("logits", 1, count, Initial::constant(0), Role::other);
  }

  Var<T> log_prob_parts(Var<T> y, const Pass<T>& pass) const override {
    const std::span<Var<T>> densities(pass.tape.template scratch<Var<T>>(static_cast<Index>(parts_.size())),
                                      parts_.size());
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      densities[k] = parts_[k]->log_prob(y, pass);
      pass.check_finite(*parts_[k], densities[k]);
    }
    const Var<T> logits = pass(logits_);
    return concatenate<T>(densities) + (logits - log_sum_exp(logits));
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("flow_mixture", y.columns(), shape_.size());
    return log_sum_exp(log_prob_parts(y, pass));
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> u = pass.uniform(id_, n, 1), below = cumulative_sum(softmax(pass(logits_)));
    Var<T> value = parts_[0]->sample(n, pass).value;
    for (Index k = 1; k < static_cast<Index>(parts_.size()); ++k)
      value = select(u - columns(below, k - 1, 1), parts_[static_cast<std::size_t>(k)]->sample(n, pass).value, value);
    return {value, {}};
  }

  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits all;
    for (const auto& part : parts_) {
      const DistributionTraits t = part->traits();
      all.can_sample &= t.can_sample;
      all.needs_context |= t.needs_context;
      all.couples_rows |= t.couples_rows;
      all.uses_draws_in_log_prob |= t.uses_draws_in_log_prob;
      all.log_prob = std::max(all.log_prob, t.log_prob);
      all.sample = std::max(all.sample, t.sample);
      all.density = std::max(all.density, t.density);
    }
    all.reparameterised = false;  // which part is picked has no gradient
    return all;
  }

 private:
  Shape shape_;
  ComponentId id_;
  std::vector<std::unique_ptr<Distribution<T>>> parts_;
  Parameter logits_;
};

constexpr Field kFields[] = {components("parts", "distribution", kRequired, "the distributions that are mixed")};
constexpr Example kExamples[] = {
    {"flows",
     "witness_flow_mixture: {parts: [{base: normal, bijectors: [{elementwise: {transformer: affine}}]}, "
     "{base: normal, bijectors: [{elementwise: {transformer: sinh_arcsinh}}]}, normal]}",
     2},
    {"conditional",
     "witness_flow_mixture: {parts: [{base: normal, bijectors: [{coupling: {transformer: affine, network: {mlp: "
     "{hidden: "
     "[4], activation: tanh}}}}]}, normal]}",
     2, 1},
    {"one_element", "witness_flow_mixture: {parts: [{base: normal, bijectors: [affine]}, normal]}", 1},
};
constexpr ComponentInfo kComponents[] = {
    describe<FlowMixture>("distribution", "witness_flow_mixture", "Weighted flows", kFields, kExamples)};

constexpr const char* kTwoPeaks =
    "witness_flow_mixture: {parts: [{base: normal, bijectors: [affine]}, {base: normal, bijectors: [affine]}]}";

/// Peaks at -3 and 3.
template <class T>
Model<T> two_peaks(const Registry& registry, double share_of_second) {
  Model<T> model = make_model<T>(registry, kTwoPeaks, around(1));
  for (const ParameterInfo& p : model.layout.parameters) {
    T* numbers = model.store.parameters.data() + p.handle.offset;
    if (p.path.ends_with("logits")) numbers[1] = static_cast<T>(std::log(share_of_second / (1 - share_of_second)));
    if (p.path.find("parts[0]") != std::string::npos) numbers[0] = -3;
    if (p.path.find("parts[1]") != std::string::npos) numbers[0] = 3;
  }
  return model;
}

}  // namespace

TEST_CASE("a mixture of flows conforms") { check_component(kComponents); }

TEST_CASE("the parts' densities add up to the mixture's") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = two_peaks<double>(*registry, 0.8);
  Engine<double> engine(model, {.seed = 1});
  const Matrix<double> data = normal_rows<double>(50, 1, 2, 3);
  engine.for_each_shard(50, 0, Mode::evaluate, [&](const Pass<double>& pass, Index first, Index rows) {
    const Var<double> y = pass.tape.constant(data.block().middle_rows(first, rows));
    const Var<double> parts = model.distribution->log_prob_parts(y, pass);
    const Var<double> whole = model.distribution->log_prob(y, pass);
    REQUIRE(parts.columns() == 2);
    for (Index i = 0; i < rows; ++i) {
      const double x = y.value()(i, 0);
      for (const int k : {0, 1}) {
        const double z = x - (k ? 3 : -3), weight = k ? 0.8 : 0.2;
        CHECK(parts.value()(i, k) == Approx(std::log(weight) - 0.5 * z * z - 0.9189385332046727));
      }
      CHECK(std::exp(whole.value()(i, 0)) == Approx(std::exp(parts.value()(i, 0)) + std::exp(parts.value()(i, 1))));
    }
  });
}

TEST_CASE("a row's part is a function of the keys: the same in every shard and on every thread") {
  const auto registry = load_plugins(kComponents);
  Model<float> model = two_peaks<float>(*registry, 0.8);
  const Index n = 5000;
  Matrix<float> once(n, 1), again(n, 1);
  Engine<float>(model, {.seed = 7, .lanes = 8, .shard_rows = 0, .threads = 1}).sample(n, {}, 1, once.block());
  Engine<float>(model, {.seed = 7, .lanes = 2, .shard_rows = 48, .threads = 2}).sample(n, {}, 1, again.block());
  Index second = 0, different = 0;
  for (Index i = 0; i < n; ++i) {
    second += once(i, 0) > 0;
    different += once(i, 0) != again(i, 0);
  }
  CHECK(different == 0);
  // Five standard errors around 0.8, and a normal's mass beyond three standard deviations.
  CHECK(static_cast<double>(second) / n == Approx(0.8).margin(5 * std::sqrt(0.16 / n) + 0.002));
}

TEST_CASE("weights are learned together with the parts") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = two_peaks<double>(*registry, 0.5);
  Engine<double> engine(model, {.seed = 1});
  Matrix<double> data = normal_rows<double>(1000, 1, 5, 0.5);
  for (Index i = 0; i < 1000; ++i) data(i, 0) += i % 10 < 3 ? -2 : 2;
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 0.05}");
  train(engine, *adam, rows_of(data), 300);
  for (const ParameterInfo& p : model.layout.parameters) {
    const double* numbers = model.store.parameters.data() + p.handle.offset;
    if (p.path.ends_with("logits")) CHECK(numbers[0] - numbers[1] == Approx(std::log(0.3 / 0.7)).margin(1e-3));
    if (p.path.find("parts[0]") != std::string::npos) CHECK(numbers[0] == Approx(-2).margin(0.1));
    if (p.path.find("parts[1]") != std::string::npos) CHECK(numbers[0] == Approx(2).margin(0.1));
  }
}
