// Witness: a linear map whose matrix is given by its LU factors.
//
// It is the hardest consumer of `prepare`: the product, its inverse and the log_det are made once a step, whatever the
// number of shards, and gradients of all shards run back through them once.
//
// Kingma and Dhariwal, "Glow", 2018; Oliva et al., "Transformation autoregressive networks", 2018.
#include <atomic>
#include <cmath>
#include <numbers>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

std::atomic<int> products{0};

/// y = x W (a row is an event), W = L U with a unit lower L and an upper U whose diagonal is positive.
template <class T>
class Lu final : public Bijector<T> {
 public:
  explicit Lu(Build<T>& build)
      : size_(build.event_size()),
        lower_(build.parameter("lower", size_, size_, Initial::normal(build.real("deviation")), Role::weight)),
        upper_(build.parameter("upper", size_, size_, Initial::normal(build.real("deviation")), Role::weight)),
        log_diagonal_(build.parameter("log_diagonal", 1, size_, Initial::constant(0), Role::scale)),
        product_(build.derived("product", size_, size_)),
        inverse_(build.derived("inverse", size_, size_)),
        log_det_(build.derived("log_det", 1, 1)) {
    for (Index j = 0; j < size_; ++j)
      for (Index i = 0; i < size_; ++i) {
        below_.push_back(i > j ? T(1) : T(0));
        above_.push_back(i < j ? T(1) : T(0));
        identity_.push_back(i == j ? T(1) : T(0));
      }
  }
  void prepare(StepPass<T>& step) const override {
    ++products;
    const auto square_of = [&](const std::vector<T>& m) { return step.tape.constant(compact(m.data(), size_, size_)); };
    const Var<T> log_diagonal = step.pass(log_diagonal_), identity = square_of(identity_);
    const Var<T> lower = step.pass(lower_) * square_of(below_) + identity;
    const Var<T> upper = step.pass(upper_) * square_of(above_) + identity * exp(log_diagonal);
    step.set(product_, matmul(lower, upper));
    step.set(inverse_,
             triangular_solve(upper, triangular_solve(lower, identity, Triangle::lower, true), Triangle::upper));
    step.set(log_det_, row_sum(log_diagonal));
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return apply(x, product_, pass(log_det_), pass); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return apply(y, inverse_, -pass(log_det_), pass); }
  Traits traits() const override {
    Traits t;
    t.constant_log_det = true;
    return t;
  }

 private:
  Mapped<T> apply(Var<T> x, const Parameter& matrix, Var<T> log_det, const Pass<T>& pass) const {
    require_columns("lu", x.columns(), size_);
    return {matmul(x, pass(matrix)), repeat_rows(log_det, x.rows())};
  }

  Index size_;
  Parameter lower_, upper_, log_diagonal_, product_, inverse_, log_det_;
  std::vector<T> below_, above_, identity_;
};

constexpr Field kFields[] = {real("deviation", "0.1", "of the factors' random start").at_least(0)};
constexpr Example kExamples[] = {{"default", "witness_lu", 4}, {"two_elements", "witness_lu: {deviation: 0.5}", 2}};
constexpr ComponentInfo kComponents[] = {
    describe<Lu>("bijector", "witness_lu", "A linear map by its LU factors", kFields, kExamples)};

const char* const kFlow =
    "{base: normal, bijectors: [witness_lu, sinh_arcsinh, {repeat: {times: 2, share: true, bijectors: [witness_lu]}}]}";

}  // namespace

TEST_CASE("an LU map conforms") { check_component(kComponents); }

TEST_CASE("its matrices are made once a step, not once a shard") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(3));
  Engine<double> engine(model, {.seed = 0, .lanes = 8, .shard_rows = 16, .threads = 2});
  const Matrix<double> data = normal_rows<double>(1000, 3, 1);
  std::vector<double> gradient(model.store.parameters.size());
  products = 0;
  for (int step = 1; step <= 3; ++step) {
    engine.loss(0, rows_of(data), 0, model.store.parameters, gradient);
    CHECK(products == 2 * step);  // two maps, the shared one included once
  }
}

TEST_CASE("the gradient of many shards runs through the derived values exactly") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(3));
  scatter(model);
  Engine<double> engine(model, {.seed = 0, .lanes = 8, .shard_rows = 16, .threads = 2});
  CHECK(gradient_error(engine, rows_of(normal_rows<double>(200, 3, 1))) < 1e-7);
}

TEST_CASE("entries outside of the triangles do not matter and receive no gradient") {
  const auto registry = load_plugins(kComponents);
  const auto map = make_runner("bijector", "witness_lu", around(3), *registry);
  scatter_parameters(*map);
  Request r;
  r.function = function_index(*map, "inverse");
  r.x = scattered(20, 3);
  r.cotangents = {scattered(20, 3, 1), scattered(20, 1, 2)};
  const Response before = map->run(r);
  for (const char* factor : {"lower", "upper"}) {
    const Parameter p = parameter(*map, factor).handle;
    std::vector<double> moved = numbers_of(*map, factor);
    for (Index j = 0; j < 3; ++j)
      for (Index i = 0; i < 3; ++i) {
        const bool used = factor[0] == 'l' ? i > j : i < j;
        CAPTURE(factor, i, j);
        CHECK((before.parameters[static_cast<std::size_t>(p.offset + i + 3 * j)] != 0) == used);
        if (!used) moved[static_cast<std::size_t>(i + 3 * j)] += 1;
      }
    set_parameter(*map, factor, moved);
  }
  CHECK(map->run(r).outputs[0].values == before.outputs[0].values);
}

TEST_CASE("a correlated normal is found") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, "{base: normal, bijectors: [witness_lu]}", around(2));
  Matrix<double> data = normal_rows<double>(2000, 2, 1);
  double xx = 0, xy = 0, yy = 0;
  for (Index i = 0; i < 2000; ++i) {
    data(i, 1) = 2 * data(i, 0) + 0.5 * data(i, 1);
    xx += data(i, 0) * data(i, 0) / 2000;
    xy += data(i, 0) * data(i, 1) / 2000;
    yy += data(i, 1) * data(i, 1) / 2000;
  }
  Engine<double> engine(model, {});
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 2e-2}");
  const TrainingResult result = train(engine, *adam, rows_of(data), 1500);
  // The least loss of a normal without a mean: the entropy of its covariance.
  CHECK(result.loss ==
        Approx(std::log(2 * std::numbers::pi * std::exp(1.0)) + 0.5 * std::log(xx * yy - xy * xy)).margin(1e-4));
}
