// Witness: a planar flow, whose inverse cannot be computed, fitted to a target by the reverse divergence.
//
// It is the hardest consumer of Cost::none, of the log_prob that comes with a sample, of Target and of training without
// data: no inverse is called anywhere. A model whose objective would need one is refused.
//
// Rezende and Mohamed, "Variational inference with normalizing flows", 2015.
#include <atomic>
#include <cmath>
#include <numbers>

#include "pushforward/operations.h"
#include "pushforward/registry/experiment.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

std::atomic<int> inverses{0};

/// y = x + u' tanh(w . x + b), u' = u + (softplus(w . u) - 1 - w . u) w / |w|^2, so that w . u' > -1.
template <class T>
class Planar final : public Bijector<T> {
 public:
  explicit Planar(Build<T>& build)
      : size_(build.event_size()),
        u_(build.parameter("u", 1, size_, Initial::normal(0.1), Role::weight)),
        w_(build.parameter("w", 1, size_, Initial::normal(1.0), Role::weight)),
        b_(build.parameter("b", 1, 1, Initial::constant(0), Role::bias)) {}
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("planar", x.columns(), size_);
    const Var<T> w = pass(w_), u = pass(u_), wu = row_sum(w * u);
    const Var<T> push = u + w * ((softplus(wu) - T(1) - wu) / row_sum(square(w)));
    const Var<T> h = tanh(matmul(x, w, false, true) + pass(b_));
    return {x + h * push, log1p((T(1) - square(h)) * row_sum(w * push))};
  }
  Mapped<T> inverse(Var<T>, const Pass<T>&) const override {
    ++inverses;
    throw Error(this->path() + ": the inverse of a planar map cannot be computed");
  }
  Traits traits() const override {
    Traits t;
    t.inverse = Cost::none;
    return t;
  }

 private:
  Index size_;
  Parameter u_, w_, b_;
};

/// x_0 ~ N(0, 1.5^2), x_1 | x_0 ~ N(x_0^2 / 2 - 1, 0.6^2), without its constant.
template <class T>
class Banana final : public Target<T> {
 public:
  explicit Banana(Build<T>&) {}
  Var<T> log_density(Var<T> y, const Pass<T>&) const override {
    require_columns("banana", y.columns(), 2);
    const Var<T> x0 = columns(y, 0, 1), bend = columns(y, 1, 1) - square(x0) * T(0.5) + T(1);
    return square(x0) * T(-0.5 / (1.5 * 1.5)) + square(bend) * T(-0.5 / (0.6 * 0.6));
  }
  Shape event_shape() const override { return {2}; }
  double log_normaliser() const override { return std::log(2 * std::numbers::pi * 1.5 * 0.6); }
};

/// E_q[log q - log target]: the divergence of the model from the target, less the target's log_normaliser.
template <class T>
class ReverseKl final : public Objective<T> {
 public:
  explicit ReverseKl(Build<T>&) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Sampled<T> s = model.sample_with_log_prob(batch.rows, pass);
    return s.log_prob - batch.target->log_density(s.value, pass.without_gradient());
  }
  ObjectiveNeeds needs() const override {
    return {.data = false, .model_log_prob = false, .model_sample = true, .target = true};
  }
};

constexpr Example kPlanarExamples[] = {{"default", "witness_planar", 3}, {"one_element", "witness_planar", 1}};
constexpr Example kBananaExamples[] = {{"default", "witness_banana", 2}};
constexpr Example kReverseKlExamples[] = {{"default", "witness_reverse_kl"}};
constexpr ComponentInfo kComponents[] = {
    describe<Planar>("bijector", "witness_planar", "A planar flow's layer", nullptr, kPlanarExamples),
    describe<Banana>("target", "witness_banana", "A bent normal", nullptr, kBananaExamples),
    describe<ReverseKl>("objective", "witness_reverse_kl", "Divergence of the model from the target", nullptr,
                        kReverseKlExamples),
};

const char* const kFlow =
    "{base: normal, bijectors: [affine, {repeat: {times: 12, bijectors: [witness_planar]}}, affine]}";

}  // namespace

TEST_CASE("planar maps conform") { check_component(kComponents); }

TEST_CASE("a planar flow is fitted to a target without one inverse, and the divergence falls") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2), "witness_reverse_kl", "witness_banana");
  CHECK(model.distribution->traits().log_prob == Cost::none);
  Engine<double> engine(model, {.seed = 1});
  const double log_normaliser = model.target->log_normaliser();
  const auto divergence = [&] {
    return engine.held_out_loss(0, no_data<double>(20000), 77, model.store.parameters) + log_normaliser;
  };
  CHECK(gradient_error(engine, no_data<double>(50)) < 1e-7);
  const double before = divergence();
  CHECK(before > 2);
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 1e-2}");
  train(engine, *adam, no_data<double>(0), 3000, 256);
  const double after = divergence();
  CAPTURE(before);
  CHECK(after > -0.02);  // no less than 0, but for the noise of 20,000 samples
  CHECK(after < 0.1);
  CHECK(inverses == 0);

  // Samples are the target's: the mean of x_1 is 1.5^2 / 2 - 1, that of x_0 is 0.
  Matrix<double> samples(20000, 2);
  engine.sample(20000, {}, 3, samples.block());
  double first = 0, second = 0;
  for (Index i = 0; i < 20000; ++i) {
    first += samples(i, 0) / 20000;
    second += samples(i, 1) / 20000;
  }
  CHECK(first == Approx(0).margin(0.2));
  CHECK(second == Approx(0.125).margin(0.15));
}

TEST_CASE("a distribution is a target, and its parameters are not trained") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, "normal: {mean: learnable, scale: learnable}", around(2),
                                           "witness_reverse_kl", "normal: {mean: [1.0, -2.0], scale: [0.5, 3.0]}");
  scatter(model);
  Engine<double> engine(model, {.seed = 1});
  CHECK(gradient_error(engine, no_data<double>(50)) < 1e-7);
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 1e-2}");
  train(engine, *adam, no_data<double>(0), 1500, 256);
  CHECK(engine.held_out_loss(0, no_data<double>(20000), 77, model.store.parameters) == Approx(0).margin(1e-3));
}

TEST_CASE("an inverse that cannot be computed says so when it is called") {
  const auto registry = load_plugins(kComponents);
  const auto map = make_runner("bijector", "witness_planar", around(2), *registry);
  CHECK_THROWS_WITH(run(*map, "inverse", scattered(3, 2)), Catch::Contains("cannot be computed"));
}

TEST_CASE("a planar flow under maximum likelihood is refused before it is trained, with its place") {
  const auto registry = load_plugins(kComponents);
  const char* const spec = R"(
precision: float64
data: {source: circles}
model: {base: normal, bijectors: [affine, witness_planar]}
training: {objective: maximum_likelihood, steps: 10}
)";
  const ResolvedSpec resolved = resolve_spec(*registry, parse_spec_text(spec, "spec.yaml"));
  CHECK_THROWS_WITH(build_experiment<double>(*registry, resolved, true), Catch::Contains("model.bijectors[1]"));
}
