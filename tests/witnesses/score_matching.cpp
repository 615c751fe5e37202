// Witness: score matching, whose loss holds second derivatives of the model's density with respect to the data.
//
// It is the hardest consumer of forward mode: tangents of tangents through a whole flow, in evaluations that record
// nothing as well as in those that do, and reverse mode through both of them for the parameters. No component of the
// flow writes a derivative of its own.
//
// Hyvarinen, "Estimation of non-normalized statistical models by score matching", JMLR 6 (2005).
#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// mean of sum_j (d2/dx_j^2 log p + 1/2 (d/dx_j log p)^2): no normalising constant in it.
template <class T>
class ScoreMatching final : public Objective<T> {
 public:
  explicit ScoreMatching(Build<T>&) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    Tape<T>& tape = pass.tape;
    const typename Tape<T>::Probe probe(tape);
    const Var<T> x = probe(batch.data), log_prob = model.log_prob(x, pass);
    Var<T> loss = tape.full(x.rows(), 1, T(0));
    for (Index j = 0; j < x.columns(); ++j) {
      const Var<T> direction = tape.full(x.rows(), x.columns(), T(0));
      std::fill_n(direction.data().column(j), x.rows(), T(1));
      const Var<T> score = tape.tangent(log_prob, x, direction);
      if (!score) continue;  // the density does not depend on x_j
      loss = loss + T(0.5) * square(score);
      if (const Var<T> curvature = tape.tangent(score, x, direction)) loss = loss + curvature;
    }
    return loss;
  }
};

/// y_b = x_b exp(tanh(s)) + t, where s and t are one tanh layer's functions of x_a: two halves, taken in turn.
template <class T>
class TanhCoupling final : public Bijector<T> {
 public:
  explicit TanhCoupling(Build<T>& build)
      : size_(build.event_size()),
        kept_(size_ / 2),
        second_(build.boolean("second")),
        hidden_(build.integer("hidden")) {
    if (size_ % 2) build.fail("hidden", "is for events of an even size");
    w_ = build.parameter("w", kept_, hidden_, Initial::normal(1), Role::weight);
    b_ = build.parameter("b", 1, hidden_, Initial::constant(0), Role::bias);
    v_ = build.parameter("v", hidden_, size_, Initial::normal(0.1), Role::weight);
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    const auto [a, b, s, t] = parts(x, pass);
    return {whole(a, b * exp(s) + t), row_sum(s)};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    const auto [a, b, s, t] = parts(y, pass);
    return {whole(a, (b - t) * exp(-s)), -row_sum(s)};
  }

 private:
  struct Parts {
    Var<T> a, b, s, t;
  };
  Parts parts(Var<T> x, const Pass<T>& pass) const {
    require_columns("tanh_coupling", x.columns(), size_);
    const Var<T> a = columns(x, second_ ? kept_ : 0, kept_), b = columns(x, second_ ? 0 : kept_, kept_);
    const Var<T> h = matmul(tanh(matmul(a, pass(w_)) + pass(b_)), pass(v_));
    return {a, b, tanh(columns(h, 0, kept_)), columns(h, kept_, kept_)};
  }
  Var<T> whole(Var<T> a, Var<T> b) const { return second_ ? concatenate({b, a}) : concatenate({a, b}); }

  Index size_, kept_;
  bool second_;
  Index hidden_;
  Parameter w_, b_, v_;
};

constexpr Field kCouplingFields[] = {boolean("second", "false", "keeps the second half"),
                                     integer("hidden", "6", "units of the layer").at_least(1)};
constexpr Example kCouplingExamples[] = {{"first", "witness_tanh_coupling", 2},
                                         {"second", "witness_tanh_coupling: {second: true, hidden: 3}", 4}};
constexpr Example kObjectiveExamples[] = {{"default", "witness_score_matching"}};
constexpr ComponentInfo kComponents[] = {
    describe<TanhCoupling>("bijector", "witness_tanh_coupling", "Affine coupling made of operations", kCouplingFields,
                           kCouplingExamples),
    describe<ScoreMatching>("objective", "witness_score_matching", "Hyvarinen's score matching", nullptr,
                            kObjectiveExamples),
};

constexpr const char kFlow[] =
    "{base: {normal: {mean: learnable, scale: learnable}}, "
    "bijectors: [witness_tanh_coupling, {witness_tanh_coupling: {second: true}}]}";

/// The loss from log_prob alone: second differences of it, in double.
double numeric_loss(Engine<double>& engine, const Matrix<double>& data) {
  const double h = 1e-3;
  const auto log_prob = [&](Index j, double shift) {
    Matrix<double> moved(data.rows(), data.columns());
    for (Index c = 0; c < data.columns(); ++c)
      for (Index i = 0; i < data.rows(); ++i) moved(i, c) = data(i, c) + (c == j ? shift : 0);
    std::vector<double> out(static_cast<std::size_t>(data.rows()));
    engine.log_prob(rows_of(moved), out);
    return out;
  };
  double sum = 0;
  for (Index j = 0; j < data.columns(); ++j) {
    const std::vector<double> at = log_prob(j, 0), above = log_prob(j, h), below = log_prob(j, -h);
    for (std::size_t i = 0; i < at.size(); ++i)
      sum += (above[i] - 2 * at[i] + below[i]) / (h * h) + 0.5 * std::pow((above[i] - below[i]) / (2 * h), 2);
  }
  return sum / static_cast<double>(data.rows());
}

}  // namespace

TEST_CASE("a coupling made of operations conforms") { check_component(kComponents); }

TEST_CASE("the loss is that of second differences, recorded or not") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2), "witness_score_matching");
  scatter(model);
  Engine<double> engine(model, {.seed = 1});
  const Matrix<double> data = normal_rows<double>(50, 2, 2);
  std::vector<double> gradient(model.store.parameters.size());
  const double loss = engine.loss(0, rows_of(data), 0, model.store.parameters, {});
  CHECK(loss == Approx(numeric_loss(engine, data)).epsilon(1e-5));
  CHECK(engine.loss(0, rows_of(data), 0, model.store.parameters, gradient) == loss);
  CHECK(engine.held_out_loss(0, rows_of(data), 0, model.store.parameters) == Approx(loss).epsilon(1e-14));
}

TEST_CASE("the parameters' gradient through two tangents is that of central differences") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2), "witness_score_matching");
  scatter(model);
  Engine<double> engine(model, {.seed = 1});
  const Matrix<double> data = normal_rows<double>(40, 2, 3);
  CHECK(gradient_error(engine, rows_of(data)) < 1e-7);
}

TEST_CASE("score matching recovers a normal distribution") {
  const auto registry = load_plugins(kComponents);
  Model<double> model =
      make_model<double>(*registry, "normal: {mean: learnable, scale: learnable}", around(2), "witness_score_matching");
  Engine<double> engine(model, {.seed = 1});
  const Matrix<double> data = normal_rows<double>(2000, 2, 4, 0.7, -1.2);
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 0.02}");
  train(engine, *adam, rows_of(data), 2000);
  // The minimum lies exactly at the sample's own mean and variance.
  std::vector<double> found;
  for (const ParameterInfo& p : model.layout.parameters)
    for (Index k = 0; k < p.handle.size(); ++k)
      found.push_back(model.store.parameters[static_cast<std::size_t>(p.handle.offset + k)]);
  for (Index j = 0; j < 2; ++j) {
    double mean = 0, square = 0;
    for (Index i = 0; i < data.rows(); ++i) {
      mean += data(i, j) / 2000;
      square += data(i, j) * data(i, j) / 2000;
    }
    CHECK(found[static_cast<std::size_t>(j)] == Approx(mean).margin(1e-4));
    CHECK(std::exp(found[static_cast<std::size_t>(2 + j)]) == Approx(std::sqrt(square - mean * mean)).epsilon(1e-4));
  }
}
