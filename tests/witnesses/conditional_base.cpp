// Witness: a base whose mean and scale are a network of the context, and a context that is itself a network of the
// data's.
//
// It is the hardest consumer of the context: it changes on its way down (`Pass::with_context`), components at every
// depth read it, and gradients must come back through all of them to the network that made it.
#include <numbers>

#include "pushforward/operations.h"
#include "support/session.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

template <class T>
class ConditionalBase final : public Distribution<T> {
 public:
  explicit ConditionalBase(Build<T>& build) : shape_(build.event_shape()), id_(build.id()) {
    if (build.context_size() == 0) build.fail("network", "needs a context to look at");
    network_ = build.network("network", {0, 2 * shape_.size(), build.context_size(), {}, {}, {}});
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("conditional_base", y.columns(), shape_.size());
    const auto [mean, log_scale] = moments_of(pass);
    return density((y - mean) * exp(-log_scale), log_scale);
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const auto [mean, log_scale] = moments_of(pass);
    const Var<T> z = pass.normal(id_, n, shape_.size());
    return {mean + z * exp(log_scale), density(z, log_scale)};
  }
  Moments<T> moments(const Pass<T>& pass) const override {
    const auto [mean, log_scale] = moments_of(pass);
    return {mean, exp(T(2) * log_scale)};
  }
  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.needs_context = true;
    return t;
  }

 private:
  struct Shift {
    Var<T> mean, log_scale;
  };
  Shift moments_of(const Pass<T>& pass) const {
    const Var<T> h = (*network_)(Var<T>(), pass);
    return {columns(h, 0, shape_.size()), columns(h, shape_.size(), shape_.size())};
  }
  Var<T> density(Var<T> z, Var<T> log_scale) const {
    const double constant = 0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(shape_.size());
    return T(-0.5) * row_sum(square(z)) - row_sum(log_scale) - static_cast<T>(constant);
  }
  Shape shape_;
  ComponentId id_;
  std::unique_ptr<Network<T>> network_;
};

constexpr Field kFields[] = {component("network", "network", "{mlp: {hidden: [8], activation: tanh}}",
                                       "gives mean and log scale of every element, from the context")};
constexpr Example kExamples[] = {{"default", "witness_conditional_base", 2, 3},
                                 {"one", "witness_conditional_base", 1, 1}};
constexpr ComponentInfo kComponents[] = {describe<ConditionalBase>(
    "distribution", "witness_conditional_base", "A normal base for each context", kFields, kExamples)};

/// Which circle a point lies on is its context; both the base and the coupling see four numbers made of it.
constexpr const char* kSpec = R"(
seed: 3
precision: float64
data:
  source: {circles: {samples: 300, labels: true}}
  context: {labels: label, classes: 2}
model:
  base: witness_conditional_base
  bijectors:
    - elementwise: {transformer: sinh_arcsinh}
    - coupling: {transformer: affine, network: {mlp: {hidden: [6], activation: tanh}}}
  context: {network: {mlp: {hidden: [5], activation: tanh}}, features: 4}
training: {optimizer: {adam: {learning_rate: 0.01}}, steps: 100}
)";

}  // namespace

TEST_CASE("a base that depends on the context conforms") { check_component(kComponents); }

TEST_CASE("gradients reach the network that embeds the context, through the base and through the coupling") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, kSpec);
  scatter(session.model);
  CHECK(gradient_error(session.engine, session.training.train) < 1e-7);
  std::vector<double> gradient(session.model.store.parameters.size());
  session.engine.loss(0, session.training.train, 0, session.model.store.parameters, gradient);
  int embedding = 0;
  for (const ParameterInfo& p : session.model.layout.parameters) {
    if (!p.path.starts_with("model.context.network")) continue;
    ++embedding;
    for (Index k = 0; k < p.handle.size(); ++k) {
      CAPTURE(p.path, k);
      CHECK(gradient[static_cast<std::size_t>(p.handle.offset + k)] != 0);
    }
  }
  CHECK(embedding == 4);
}

TEST_CASE("the density integrates to 1 for each context, and differs between them") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, kSpec);
  session.run();
  const Matrix<double> points = grid<double>(800, 8);
  double middle[2];
  for (const Index label : {0, 1}) {
    Matrix<double> context(points.rows(), 2);
    for (Index i = 0; i < points.rows(); ++i)
      for (const Index c : {0, 1}) context(i, c) = c == label ? 1 : 0;
    Rows<double> rows = rows_of(points);
    rows.context = context;
    std::vector<double> log_prob(static_cast<std::size_t>(points.rows()));
    session.engine.log_prob(rows, log_prob);
    double sum = 0;
    for (const double l : log_prob) sum += std::exp(l);
    CHECK(sum * std::pow(16.0 / 800, 2) == Approx(1).epsilon(1e-6));
    middle[label] = log_prob[static_cast<std::size_t>(400 * 800 + 400)];
  }
  CHECK(middle[1] > middle[0] + 0.5);  // the inner circle's density is higher there
}

TEST_CASE("samples follow their row's context") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, kSpec);
  session.run();
  const Index n = 4000;
  Matrix<double> context(n, 2), out(n, 2);
  for (Index i = 0; i < n; ++i)
    for (const Index c : {0, 1}) context(i, c) = i % 2 == c ? 1 : 0;
  std::vector<double> log_prob(static_cast<std::size_t>(n)), again(static_cast<std::size_t>(n));
  session.engine.sample(n, context, 1, out.block(), log_prob);
  Rows<double> rows = rows_of(out);
  rows.context = context;
  session.engine.log_prob(rows, again);
  CHECK(distance(log_prob, again) < 1e-10);
  double squares[2] = {0, 0};
  for (Index i = 0; i < n; ++i) squares[i % 2] += out(i, 0) * out(i, 0) + out(i, 1) * out(i, 1);
  CHECK(squares[1] < 0.6 * squares[0]);
}
