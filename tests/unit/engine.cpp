// The engine: losses and gradients in shards, lanes and threads; derived values, statistics, phases, errors.
#include "pushforward/engine.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "pushforward/operations.h"
#include "pushforward/procedure.h"
#include "support/allocations.h"

using namespace pushforward;  // NOLINT

namespace {

/// A diagonal normal whose scale is a derived value: exp of a parameter, once a step.
template <class T>
class Bell final : public Distribution<T> {
 public:
  Bell(Layout& layout, Index size) : size_(size) {
    const auto declare = [&](const char* name) {
      const Parameter p{layout.parameter_size, 1, size, Role::other, false};
      layout.parameters.push_back({name, p});
      layout.parameter_size += round_up(size, kPadding);
      return p;
    };
    mean_ = declare("mean");
    log_scale_ = declare("log_scale");
    scale_ = {layout.derived_size, 1, size, Role::other, true};
    layout.derived.push_back({"scale", scale_});
    layout.derived_size += round_up(size, kPadding);
    sums_ = {layout.statistic_size, size};
    layout.statistic_size += size;
    seen_ = {layout.real_state_size, size + 1, false};
    layout.states.push_back({"seen", seen_});
    layout.real_state_size += size + 1;
    this->set_path("model.bell");
  }
  void prepare(StepPass<T>& step) const override {
    ++prepared;
    step.set(scale_, exp(step.pass(log_scale_)));
  }
  void update(StepPass<T>& step) const override {
    for (Index j = 0; j < size_; ++j)
      step.state(seen_)[static_cast<std::size_t>(j)] =
          static_cast<T>(step.statistic(sums_)[static_cast<std::size_t>(j)]);
    step.state(seen_)[static_cast<std::size_t>(size_)] = static_cast<T>(step.rows);
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    if (pass.training()) pass.report(sums_, y);
    const Var<T> z = (y - pass(mean_)) / pass(scale_);
    const Var<T> density = row_sum(T(-0.5) * square(z)) - row_sum(pass(log_scale_));
    pass.check_finite(*this, density);
    return density;
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    return {pass.normal({7}, n, size_) * pass(scale_) + pass(mean_), {}};
  }
  Shape event_shape() const override { return {size_}; }
  mutable std::atomic<int> prepared{0};

 private:
  Index size_;
  Parameter mean_, log_scale_, scale_;
  Statistic sums_;
  State seen_;
};

template <class T>
class Likelihood final : public Objective<T> {
 public:
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    return negate(model.log_prob(batch.data, pass));
  }
};

/// (mean of r)^2 + mean of r^2 over the batch, r the log densities and a noise that each row draws.
template <class T>
class Coupled final : public Objective<T> {
 public:
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Var<T> density = model.log_prob(batch.data, pass);
    const Var<T> drawn = model.log_prob(model.sample(batch.rows, pass).value, pass);
    return concatenate({density, drawn});
  }
  Var<T> reduce(int, Var<T> rows, Var<T>, const Pass<T>&) const override {
    const T n = static_cast<T>(rows.rows());
    return square(sum(columns(rows, 0, 1)) / n) + sum(square(columns(rows, 1, 1))) / n;
  }
  bool separable() const override { return false; }
};

template <class T>
struct Fixture {
  explicit Fixture(Index rows, Index size = 3, bool coupled = false) : data(rows, size), weights(rows, 1) {
    auto made = std::make_unique<Bell<T>>(model.layout, size);
    bell = made.get();
    model.distribution = std::move(made);
    if (coupled)
      model.objective = std::make_unique<Coupled<T>>();
    else
      model.objective = std::make_unique<Likelihood<T>>();
    model.components = {bell, model.objective.get()};
    model.objective_parameters = model.layout.parameter_size;
    model.store.parameters.assign(static_cast<std::size_t>(model.layout.parameter_size), T(0));
    model.store.derived.assign(static_cast<std::size_t>(model.layout.derived_size), T(0));
    model.store.real_state.assign(static_cast<std::size_t>(model.layout.real_state_size), T(0));
    for (const ParameterInfo& p : model.layout.parameters)
      for (Index k = 0; k < p.handle.size(); ++k)
        model.store.parameters[static_cast<std::size_t>(p.handle.offset + k)] = static_cast<T>(0.1 * (1 + k) - 0.15);
    Draws({3, 0, 0}, {1}, 0, 0).normal(data.block());
    Draws({3, 0, 0}, {2}, 0, 0).uniform(weights.block());
  }
  Rows<T> batch() const { return {.data = data, .context = {}, .weights = {}, .count = data.rows()}; }
  Rows<T> weighted() const { return {.data = data, .context = {}, .weights = weights, .count = data.rows()}; }
  std::vector<T> gradient() const { return std::vector<T>(model.store.parameters.size(), std::nanf("")); }

  Model<T> model;
  Bell<T>* bell = nullptr;
  Matrix<T> data, weights;
};

void check_gradient(Fixture<double>& f, const Rows<double>& batch, const EngineSettings& settings) {
  Engine<double> engine(f.model, settings);
  std::vector<double> theta = f.model.store.parameters, gradient = f.gradient();
  engine.loss(0, batch, 5, theta, gradient);
  for (const ParameterInfo& p : f.model.layout.parameters)
    for (Index k = 0; k < p.handle.size(); ++k) {
      const auto i = static_cast<std::size_t>(p.handle.offset + k);
      const double h = 1e-5, at = theta[i];
      theta[i] = at + h;
      const double above = engine.loss(0, batch, 5, theta, {});
      theta[i] = at - h;
      const double below = engine.loss(0, batch, 5, theta, {});
      theta[i] = at;
      CAPTURE(p.path, k);
      CHECK(gradient[i] == Approx((above - below) / (2 * h)).margin(1e-8));
    }
}

}  // namespace

TEST_CASE("the gradient of a loss is that of its shards, derived values included") {
  Fixture<double> f(300);
  SECTION("plain") { check_gradient(f, f.batch(), {}); }
  SECTION("weighted") { check_gradient(f, f.weighted(), {}); }
  SECTION("small shards, one lane") { check_gradient(f, f.weighted(), {.seed = 1, .lanes = 1, .shard_rows = 16}); }
}

TEST_CASE("an objective that is not separable gets the exact gradient in two passes") {
  Fixture<double> f(300, 3, true);
  check_gradient(f, f.batch(), {.seed = 9, .lanes = 8, .shard_rows = 32, .threads = 2});
}

TEST_CASE("weights are relative: the loss is the weighted mean") {
  Fixture<double> f(200);
  Engine<double> engine(f.model, {});
  const std::vector<double> theta = f.model.store.parameters;
  double total = 0, expected = 0;
  std::vector<double> density(200);
  engine.log_prob(f.batch(), density);
  for (Index i = 0; i < 200; ++i) {
    total += f.weights(i, 0);
    expected -= f.weights(i, 0) * density[static_cast<std::size_t>(i)];
  }
  CHECK(engine.loss(0, f.weighted(), 0, theta, {}) == Approx(expected / total));
}

TEMPLATE_TEST_CASE("the bits do not depend on the number of threads", "", float, double) {
  for (const bool coupled : {false, true}) {
    std::vector<TestType> reference;
    double reference_loss = 0;
    for (const int threads : {1, 2, 3, 8}) {
      Fixture<TestType> f(30000, 5, coupled);
      Engine<TestType> engine(f.model, {.seed = 4, .lanes = 8, .shard_rows = 0, .threads = threads});
      std::vector<TestType> gradient = f.gradient();
      // The first evaluation runs on one thread to see what it costs, the others on all.
      for (int i = 0; i < 4; ++i) {
        const double loss = engine.loss(0, f.batch(), 2, f.model.store.parameters, gradient);
        if (reference.empty()) {
          reference = gradient;
          reference_loss = loss;
        }
        CAPTURE(threads, i, coupled);
        CHECK(gradient == reference);
        CHECK(loss == reference_loss);
      }
    }
  }
}

TEST_CASE("derived values are prepared once a loss, not once a shard") {
  Fixture<float> f(1000);
  Engine<float> engine(f.model, {.seed = 0, .lanes = 8, .shard_rows = 32});
  std::vector<float> gradient = f.gradient();
  const int before = f.bell->prepared;
  engine.loss(0, f.batch(), 0, f.model.store.parameters, gradient);
  CHECK(f.bell->prepared == before + 1);
}

TEST_CASE("statistics of the whole batch reach the state") {
  Fixture<double> f(333);
  Engine<double> engine(f.model, {.seed = 0, .lanes = 4, .shard_rows = 32, .threads = 2});
  std::vector<double> gradient = f.gradient();
  engine.loss(0, f.batch(), 0, f.model.store.parameters, gradient);
  engine.update(0, f.model.store.parameters);
  CHECK(f.model.store.real_state[3] == 333);
  for (Index j = 0; j < 3; ++j) {
    double sum = 0;
    for (Index i = 0; i < 333; ++i) sum += f.data(i, j);
    CHECK(f.model.store.real_state[static_cast<std::size_t>(j)] == Approx(sum));
  }
}

TEST_CASE("frozen ranges get a zero gradient and the others the same as before") {
  Fixture<double> f(100);
  Engine<double> engine(f.model, {});
  std::vector<double> free = f.gradient(), frozen = f.gradient();
  engine.loss(0, f.batch(), 0, f.model.store.parameters, free);
  engine.set_frozen({0, 1});  // log_scale; it also acts through the derived scale
  engine.loss(0, f.batch(), 0, f.model.store.parameters, frozen);
  for (std::size_t i = 0; i < 16; ++i) CHECK(frozen[i] == free[i]);
  for (std::size_t i = 16; i < 32; ++i) CHECK(frozen[i] == 0);
}

TEST_CASE("samples and densities do not depend on shards or threads") {
  std::vector<double> reference;
  for (const EngineSettings& s : {EngineSettings{.seed = 5, .lanes = 8, .shard_rows = 0, .threads = 1},
                                  EngineSettings{.seed = 5, .lanes = 2, .shard_rows = 16, .threads = 2}}) {
    Fixture<double> f(10);
    Engine<double> engine(f.model, s);
    Matrix<double> out(1001, 3);
    std::vector<double> log_prob(1001), again(1001), all;
    engine.sample(1001, {}, 3, out.block(), log_prob);
    engine.log_prob({.data = out, .context = {}, .weights = {}, .count = 1001}, again);
    CHECK(log_prob == again);
    for (Index i = 0; i < 1001; ++i)
      for (Index j = 0; j < 3; ++j) all.push_back(out(i, j));
    if (reference.empty()) reference = all;
    CHECK(all == reference);
  }
}

TEST_CASE("a loss that is not finite names step, shard, row and component") {
  Fixture<double> f(100);
  f.data(70, 1) = std::numeric_limits<double>::quiet_NaN();
  Engine<double> engine(f.model, {.seed = 0, .lanes = 8, .shard_rows = 32});
  std::vector<double> gradient = f.gradient();
  CHECK_THROWS_WITH(engine.loss(0, f.batch(), 12, f.model.store.parameters, gradient),
                    "the loss is nan at step 12, first in shard 2, row 70 of the batch; the first component whose "
                    "output is not finite is model.bell. A lower learning rate, `training.clip` or standardised data "
                    "may help");
  // No learning rate is to blame for the start, and a NaN has no sign.
  f.data(70, 1) = -std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(engine.loss(0, f.batch(), 0, f.model.store.parameters, gradient),
                    Catch::StartsWith("the loss is nan at step 0, first in shard 2, row 70 of the batch") &&
                        Catch::EndsWith("is model.bell. No parameter has moved yet: look at the data (outliers, units, "
                                        "preprocessing) and at the values that the parameters start with"));
}

TEST_CASE("gradients that are not finite are named, the first and the last of several") {
  const auto refusal = [](float log_scale, float at) {
    Fixture<float> f(1, 2);
    for (const ParameterInfo& p : f.model.layout.parameters)
      for (Index k = 0; k < p.handle.size(); ++k)
        f.model.store.parameters[static_cast<std::size_t>(p.handle.offset + k)] = p.path == "mean" ? 0 : log_scale;
    f.data(0, 0) = at;
    f.data(0, 1) = 0;
    Engine<float> engine(f.model, {});
    std::vector<float> gradient = f.gradient();
    try {
      engine.loss(0, f.batch(), 3, f.model.store.parameters, gradient);
    } catch (const NumericalError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string end =
      " not finite at step 3, although the loss is. A lower learning rate, `training.clip` or "
      "standardised data may help";
  // With z = y / s the gradients are z / s and z^2 / s; the loss z^2 / 2 stays below the largest float.
  CHECK(refusal(-0.01f, 1.8217e19f) == "the gradient of log_scale is" + end);
  CHECK(refusal(-60, 1e-13f) == "the gradients of 2 of 2 sets of parameters, from mean to log_scale, are" + end);
  CHECK(refusal(0, 1).empty());
}

TEST_CASE("settings that cannot be are refused") {
  Fixture<double> f(10);
  CHECK_THROWS_WITH((Engine<double>(f.model, {.seed = 0, .lanes = 6})),
                    "training.lanes is 6, but must be a power of two");
  CHECK_THROWS_WITH((Engine<double>(f.model, {.seed = 0, .lanes = 8, .shard_rows = 20})),
                    "training.shard_rows is 20, but must be a multiple of 16");
  Engine<double> engine(f.model, {});
  CHECK_THROWS_AS(engine.loss(0, {}, 0, f.model.store.parameters, {}), DataError);
}

TEST_CASE("a step in steady state allocates nothing") {
  for (const int threads : {1, 2}) {
    Fixture<float> f(20000, 4);
    Engine<float> engine(f.model, {.seed = 0, .lanes = 8, .shard_rows = 0, .threads = threads});
    std::vector<float> gradient = f.gradient();
    const auto step = [&] {
      engine.loss(0, f.batch(), 0, f.model.store.parameters, gradient);
      engine.update(0, f.model.store.parameters);
    };
    // Which thread sees which shard first is chance; the tapes of all must have grown.
    for (int i = 0; i < 20; ++i) step();
    const std::int64_t before = test::allocations();
    for (int i = 0; i < 10; ++i) step();
    CHECK(test::allocations() == before);
  }
}

namespace {
/// Plain gradient descent with a memory, so that what a run forgets would show.
class Descent final : public Optimizer<double> {
 public:
  double step(Evaluate<double>& evaluate, std::span<double> theta, const StepSettings& settings,
              OptimizerState<double>& state) const override {
    const auto velocity = state.array("velocity", theta.size());
    std::vector<double> gradient(theta.size());
    const double loss = evaluate(theta, gradient);
    for (const ParameterRange& range : settings.ranges)
      for (Index i = range.begin; i < range.end; ++i) {
        const auto k = static_cast<std::size_t>(i);
        velocity[k] = 0.9 * velocity[k] + gradient[k];
        theta[k] -= 0.01 * settings.learning_rate_factor * velocity[k];
      }
    ++state.step;
    return loss;
  }
  double learning_rate() const override { return 0.01; }
};

Training<double> training_of(Engine<double>& engine, const Fixture<double>& f, const Descent& descent) {
  Training<double> t;
  t.engine = &engine;
  t.train = f.batch();
  t.optimizer = &descent;
  t.ranges = {{0, f.model.layout.parameter_size, 1, 0}};
  t.batch_size = 48;
  t.seed = 11;
  return t;
}
}  // namespace

TEST_CASE("training goes on where it stopped, bit for bit") {
  const Descent descent;
  Fixture<double> whole(200), parts(200);
  Engine<double> a(whole.model, {.seed = 11}), b(parts.model, {.seed = 11});
  Training<double> once = training_of(a, whole, descent);
  once.steps = 25;
  once.ema_decay = 0.9;
  const TrainingResult result = train_by_gradient(once);
  CHECK(result.steps == 25);

  Training<double> twice = training_of(b, parts, descent);
  twice.steps = 25;
  twice.ema_decay = 0.9;
  std::vector<std::int64_t> reports;
  twice.report_every = 5;
  twice.on_step = [&](const MetricRow& row, bool report) {
    if (report) reports.push_back(row.step);
    return row.step < 13;
  };
  const TrainingResult first = train_by_gradient(twice);
  CHECK(first.stopped);
  CHECK(first.steps == 13);
  CHECK(reports == std::vector<std::int64_t>{1, 5, 10});
  twice.first_step = first.steps;
  twice.on_step = {};
  const TrainingResult second = train_by_gradient(twice);
  CHECK(!second.stopped);
  CHECK(second.loss == result.loss);
  CHECK(parts.model.store.parameters == whole.model.store.parameters);
  CHECK(twice.averaged == once.averaged);
}

TEST_CASE("clipping bounds the norm of the gradient") {
  const Descent descent;
  Fixture<double> f(200);
  for (double& x : f.model.store.parameters) x *= 50;
  const std::vector<double> start = f.model.store.parameters;
  Engine<double> engine(f.model, {});
  Training<double> t = training_of(engine, f, descent);
  t.steps = 1;
  t.clip_norm = 0.5;
  train_by_gradient(t);
  double moved = 0;
  for (std::size_t i = 0; i < start.size(); ++i) moved += std::pow(start[i] - f.model.store.parameters[i], 2);
  CHECK(std::sqrt(moved) == Approx(0.01 * 0.5));
}
