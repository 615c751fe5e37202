// Witness: batch_norm, which normalises with the statistics of the batch in training and with running ones otherwise.
//
// It is the hardest consumer of `couples_rows` (its batch is one shard, in training alone), of `report` and `update`,
// and of modes: both directions and both modes have exact gradients.
//
// Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, appendix E.
#include <cmath>
#include <memory>
#include <mutex>
#include <numbers>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// From data to base z = (y - mean) / sqrt(variance + epsilon). Sampling uses the running statistics in every mode:
/// there is no batch of data to take them from.
template <class T>
class BatchNorm final : public Bijector<T> {
 public:
  explicit BatchNorm(Build<T>& build)
      : size_(build.event_size()),
        momentum_(build.real("momentum")),
        epsilon_(static_cast<T>(build.real("epsilon"))),
        mean_(build.state("mean", std::vector<double>(static_cast<std::size_t>(size_), 0))),
        variance_(build.state("variance", std::vector<double>(static_cast<std::size_t>(size_), 1))),
        sums_(build.statistic("sums", 2 * size_)) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("batch_norm", x.columns(), size_);
    const Var<T> variance = pass(variance_) + epsilon_;
    return {x * sqrt(variance) + pass(mean_), half_log(variance, x.rows())};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("batch_norm", y.columns(), size_);
    Var<T> mean = pass(mean_), variance = pass(variance_);
    if (pass.mode != Mode::evaluate && y.rows() > 0) {
      const T share = T(1) / static_cast<T>(y.rows());
      mean = column_sum(y) * share;
      variance = column_sum(square(y - mean)) * share;
      pass.report(sums_, concatenate({y, square(y)}));
      if (pass.mode == Mode::initialise) write(mean, variance, pass);
    }
    variance = variance + epsilon_;
    return {(y - mean) / sqrt(variance), -half_log(variance, y.rows())};
  }
  void update(StepPass<T>& step) const override {
    const std::span<const double> sums = step.statistic(sums_);
    for (Index j = 0; j < size_; ++j) {
      const double mean = sums[static_cast<std::size_t>(j)] / static_cast<double>(step.rows);
      const double square_mean = sums[static_cast<std::size_t>(size_ + j)] / static_cast<double>(step.rows);
      move(step.state(mean_)[static_cast<std::size_t>(j)], mean);
      move(step.state(variance_)[static_cast<std::size_t>(j)], square_mean - mean * mean);
    }
  }
  Traits traits() const override {
    Traits t;
    t.elementwise = t.triangular = t.constant_log_det = t.increasing = t.couples_rows = true;
    return t;
  }

 private:
  Var<T> half_log(Var<T> variance, Index rows) const { return repeat_rows(row_sum(log(variance)) * T(0.5), rows); }
  void move(T& running, double now) const {
    running += static_cast<T>(momentum_ * (now - static_cast<double>(running)));
  }
  void write(Var<T> mean, Var<T> variance, const Pass<T>& pass) const {
    std::copy_n(mean.value().data, size_, pass.writable(mean_).begin());
    std::copy_n(variance.value().data, size_, pass.writable(variance_).begin());
  }

  Index size_;
  double momentum_;
  T epsilon_;
  State mean_, variance_;
  Statistic sums_;
};

constexpr Field kFields[] = {
    real("momentum", "0.1", "share of the newest batch in the running statistics").above(0).at_most(1),
    real("epsilon", "1e-5", "added to the variance").above(0)};
constexpr Example kExamples[] = {{"default", "witness_batch_norm", 3}};
constexpr ComponentInfo kComponents[] = {
    describe<BatchNorm>("bijector", "witness_batch_norm", "Normalises by the batch's statistics", kFields, kExamples)};

/// Parameters on both sides of it, so that rows act on each other through them.
const char* const kFlow =
    "{base: normal, bijectors: [affine, {coupling: {transformer: affine, network: {mlp: {hidden: [5], activation: "
    "tanh}}}}, "
    "{witness_batch_norm: {momentum: 0.5}}, {coupling: {transformer: affine, mask: alternating, network: {mlp: "
    "{hidden: [5], "
    "activation: tanh}}}}, affine]}";

}  // namespace

TEST_CASE("batch_norm conforms") { check_component(kComponents); }

TEST_CASE("in training the batch is one shard and gradients run through its statistics; otherwise rows are apart") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  scatter(model);
  Engine<double> engine(model, {.seed = 1, .lanes = 8, .shard_rows = 32, .threads = 2});
  const Matrix<double> data = normal_rows<double>(300, 2, 7, 2.0, 1.0);
  CHECK(engine.shard_rows(300) >= 300);
  CHECK(gradient_error(engine, rows_of(data)) < 1e-7);

  // Evaluation: shards of 32 rows or less, so that memory does not grow with the rows, and no row knows of another.
  Index largest = 0;
  engine.for_each_shard(300, 0, Mode::evaluate,
                        [&, lock = std::make_shared<std::mutex>()](const Pass<double>&, Index, Index n) {
                          const std::lock_guard guard(*lock);
                          largest = std::max(largest, n);
                        });
  CHECK(largest == 32);
  std::vector<double> all(300), one(1);
  engine.log_prob(rows_of(data), all);
  engine.log_prob({.data = data.block().middle_rows(16, 1), .context = {}, .weights = {}, .count = 1}, one);
  CHECK(one[0] == Approx(all[16]).epsilon(1e-12));
}

TEST_CASE("the statistics of the batch become running ones, which evaluation uses") {
  const auto registry = load_plugins(kComponents);
  Model<double> model =
      make_model<double>(*registry, "{base: normal, bijectors: [{witness_batch_norm: {momentum: 0.25}}]}", around(1));
  const Matrix<double> data = normal_rows<double>(500, 1, 7, 3.0, 2.0);
  double mean = 0, variance = 0;
  for (Index i = 0; i < 500; ++i) mean += data(i, 0) / 500;
  for (Index i = 0; i < 500; ++i) variance += std::pow(data(i, 0) - mean, 2) / 500;
  Engine<double> engine(model, {});

  // Of a normal base after (y - mean) / sqrt(variance + epsilon).
  const auto loss = [&](double m, double v) {
    return 0.5 * (std::log(2 * std::numbers::pi * (v + 1e-5)) + (variance + (mean - m) * (mean - m)) / (v + 1e-5));
  };
  CHECK(engine.loss(0, rows_of(data), 0, model.store.parameters, {}) == Approx(loss(mean, variance)));
  CHECK(engine.held_out_loss(0, rows_of(data), 0, model.store.parameters) == Approx(loss(0, 1)));
  engine.update(0, model.store.parameters);
  CHECK(model.store.real_state[static_cast<std::size_t>(model.layout.states[0].handle.offset)] == Approx(0.25 * mean));
  CHECK(model.store.real_state[static_cast<std::size_t>(model.layout.states[1].handle.offset)] ==
        Approx(0.75 + 0.25 * variance));
  CHECK(engine.held_out_loss(0, rows_of(data), 1, model.store.parameters) ==
        Approx(loss(0.25 * mean, 0.75 + 0.25 * variance)));
  engine.initialise(rows_of(data));
  CHECK(engine.held_out_loss(0, rows_of(data), 2, model.store.parameters) == Approx(loss(mean, variance)));
}

TEST_CASE("a trained model's samples have the moments of the data") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  const Matrix<double> data = normal_rows<double>(2000, 2, 9, 3.0, 5.0);
  Engine<double> engine(model, {});
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 1e-2}");
  train(engine, *adam, rows_of(data), 200, 500);
  Matrix<double> samples(4000, 2);
  engine.sample(4000, {}, 0, samples.block());
  for (Index j = 0; j < 2; ++j) {
    double mean = 0, variance = 0;
    for (Index i = 0; i < 4000; ++i) mean += samples(i, j) / 4000;
    for (Index i = 0; i < 4000; ++i) variance += std::pow(samples(i, j) - mean, 2) / 4000;
    CHECK(mean == Approx(5).margin(0.3));
    CHECK(std::sqrt(variance) == Approx(3).margin(0.3));
  }
}
