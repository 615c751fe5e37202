// Witness: the maximum mean discrepancy between a model's samples and the data.
//
// It is the hardest consumer of objectives that are not separable: `rows` makes samples shard by shard, `reduce`
// compares all pairs of the batch, and the gradient of the whole is exact although no shard sees another.
//
// Gretton, Borgwardt, Rasch, Schoelkopf and Smola, "A kernel two-sample test", JMLR 13 (2012).
#include <algorithm>
#include <cmath>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// mean k(x, x') + mean k(y, y') - 2 mean k(x, y), k a sum of normal kernels; means over the data are weighted.
template <class T>
class MaximumMeanDiscrepancy final : public Objective<T> {
 public:
  explicit MaximumMeanDiscrepancy(Build<T>& build) : widths_(build.reals("widths")) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    return concatenate({model.sample(batch.rows, pass).value, batch.data});
  }
  Var<T> reduce(int, Var<T> rows, Var<T> weights, const Pass<T>& pass) const override {
    const Index size = rows.columns() / 2;
    const Var<T> x = columns(rows, 0, size), y = columns(rows, size, size);
    const Var<T> even = pass.tape.full(rows.rows(), 1, T(1) / static_cast<T>(rows.rows()));
    const Var<T> share = weights ? weights / sum(weights) : even;
    return mean(kernel(x, x), even, even) + mean(kernel(y, y), share, share) - mean(kernel(x, y), even, share) * T(2);
  }
  bool separable() const override { return false; }
  ObjectiveNeeds needs() const override {
    return {.data = true, .model_log_prob = false, .model_sample = true, .target = false};
  }

 private:
  Var<T> kernel(Var<T> a, Var<T> b) const {
    const Var<T> distance = row_sum(square(a)) + transpose(row_sum(square(b))) - matmul(a, b, false, true) * T(2);
    Var<T> k;
    for (const double w : widths_) {
      const Var<T> one = exp(distance * static_cast<T>(-0.5 / (w * w)));
      k = k ? k + one : one;
    }
    return k;
  }
  static Var<T> mean(Var<T> k, Var<T> left, Var<T> right) { return matmul(matmul(left, k, true), right); }
  std::vector<double> widths_;
};

constexpr Field kFields[] = {reals("widths", "[0.2, 0.5, 1.0]", "of the normal kernels").above(0)};
constexpr Example kExamples[] = {{"default", "witness_mmd"}};
constexpr ComponentInfo kComponents[] = {describe<MaximumMeanDiscrepancy>(
    "objective", "witness_mmd", "Maximum mean discrepancy of samples and data", kFields, kExamples)};

const char* const kFlow =
    "{base: normal, bijectors: [{repeat: {times: 4, bijectors: [{coupling: {transformer: rational_quadratic_spline, "
    "maps: base_to_data, "
    "network: {mlp: {hidden: [32], activation: tanh}}}}]}}, affine]}";

Matrix<double> circles(const Registry& registry, Index rows) {
  const auto source = make_plain<Dataset<double>>(registry, "circles: {samples: " + std::to_string(rows) + "}");
  const Table table = source->load(1);
  Matrix<double> m(rows, 2);
  for (Index j = 0; j < 2; ++j) std::copy_n(table.column(j).data(), rows, m.block().column(j));
  return m;
}

/// The definition, pair by pair.
double plain(const std::vector<double>& widths, const Matrix<double>& x, const Matrix<double>& y,
             const Matrix<double>& weights) {
  double total = 0;
  for (Index i = 0; i < weights.rows(); ++i) total += weights(i, 0);
  const auto k = [&](const Matrix<double>& a, Index i, const Matrix<double>& b, Index j) {
    double sum = 0;
    for (const double w : widths)
      sum += std::exp(-0.5 * (std::pow(a(i, 0) - b(j, 0), 2) + std::pow(a(i, 1) - b(j, 1), 2)) / (w * w));
    return sum;
  };
  const double n = static_cast<double>(x.rows());
  double result = 0;
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.rows(); ++j)
      result += k(x, i, x, j) / n / n + k(y, i, y, j) * weights(i, 0) * weights(j, 0) / total / total -
                2 * k(x, i, y, j) * weights(j, 0) / n / total;
  return result;
}

}  // namespace

TEST_CASE("the maximum mean discrepancy conforms") { check_component(kComponents); }

TEST_CASE("shards or not, the loss is the one over all pairs, and its gradient is exact") {
  const auto registry = load_plugins(kComponents);
  Model<double> model =
      make_model<double>(*registry,
                         "{base: normal, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: "
                         "[4], activation: tanh}}}}, affine]}",
                         around(2), "witness_mmd: {widths: [0.4, 1.1]}");
  scatter(model);
  const Index n = 150;
  const Matrix<double> data = circles(*registry, n);
  Matrix<double> weights(n, 1), even(n, 1), samples(n, 2);
  for (Index i = 0; i < n; ++i) {
    weights(i, 0) = 0.5 + static_cast<double>(i % 7);
    even(i, 0) = 1;
  }
  Rows<double> weighted = rows_of(data);
  weighted.weights = weights;
  for (const EngineSettings& settings : {EngineSettings{.seed = 1, .lanes = 1, .shard_rows = 256, .threads = 1},
                                         EngineSettings{.seed = 1, .lanes = 8, .shard_rows = 16, .threads = 2}}) {
    Engine<double> engine(model, settings);
    engine.sample(n, {}, 3, samples.block());
    CHECK(engine.loss(0, rows_of(data), 3, model.store.parameters, {}) ==
          Approx(plain({0.4, 1.1}, samples, data, even)));
    CHECK(engine.loss(0, weighted, 3, model.store.parameters, {}) == Approx(plain({0.4, 1.1}, samples, data, weights)));
    CHECK(gradient_error(engine, weighted) < 1e-7);
  }
}

TEST_CASE("a small flow learns the circles from samples alone") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2), "witness_mmd");
  const Matrix<double> data = circles(*registry, 1000);
  Engine<double> engine(model, {.seed = 1, .lanes = 8, .shard_rows = 0, .threads = 2});
  const double before = engine.held_out_loss(0, rows_of(data), 99, model.store.parameters);
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 5e-3}");
  train(engine, *adam, rows_of(data), 600, 250);
  const double after = engine.held_out_loss(0, rows_of(data), 99, model.store.parameters);
  CAPTURE(before, after);
  CHECK(after < 0.1 * before);
}
