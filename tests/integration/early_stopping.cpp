// Early stopping: a fit that overfits ends, and its result is the best model that it had; through a checkpoint, too.
#include <catch2/catch.hpp>
#include <cmath>

#include "io/checkpoint.h"
#include "support/session.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// 60 rows, and a model with many more numbers.
std::string spec(const std::string& training) {
  return R"(
seed: 4
precision: float64
data:
  source: {circles: {samples: 120}}
  preprocess: [standardize]
  split: {train: 0.5, validation: 0.5}
model:
  base: normal
  bijectors:
    - coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [32], activation: tanh}}}
    - coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [32], activation: tanh}}, mask: alternating}
training:
  optimizer: {adam: {learning_rate: 0.003}}
  steps: 300
  validate_every: 5
)" + training;
}

struct Fit {
  Session<double> session;
  std::vector<MetricRow> looks;  // at the validation rows
  std::int64_t reported = 0;     // the last step that was
  TrainingResult result;

  explicit Fit(const std::string& training, std::int64_t steps = 0) : session(plugins(), spec(training)) {
    session.training.on_step = [&](const MetricRow& row, bool report) {
      if (!std::isnan(row.validation_loss)) looks.push_back(row);
      if (report) reported = row.step;
      return true;
    };
    if (steps == 0) result = session.run();
    if (steps > 0) go_to(steps);
  }
  /// As if it was interrupted there.
  void go_to(std::int64_t steps) {
    const auto on_step = session.training.on_step;
    session.training.on_step = [&, on_step](const MetricRow& row, bool report) {
      return on_step(row, report) && row.step < steps;
    };
    result = session.run();
    session.training.on_step = on_step;
  }
  MetricRow lowest() const {
    return *std::min_element(looks.begin(), looks.end(), [](const MetricRow& a, const MetricRow& b) {
      return a.validation_loss < b.validation_loss;
    });
  }
  double held_out_loss(std::span<const double> theta) {
    return session.engine.held_out_loss(0, session.training.validation, 0, theta);
  }
};

constexpr const char* kStopping = "  early_stopping: {patience: 6}\n";

}  // namespace

TEST_CASE("a fit that overfits ends early, and keeps the parameters with the lowest validation loss") {
  Fit fit(kStopping);
  const BestParameters<double>& best = fit.session.training.best;
  CHECK(fit.result.stopped_early);
  CHECK_FALSE(fit.result.stopped);
  CHECK(fit.result.steps < 300);
  CHECK(fit.reported == fit.result.steps);  // the last row is a report
  CHECK(best.step == fit.lowest().step);
  CHECK(best.validation_loss == fit.lowest().validation_loss);
  CHECK(fit.result.steps == best.step + 6 * 5);
  CHECK(fit.looks.back().validation_loss > best.validation_loss);
  CHECK(fit.held_out_loss(best.parameters) == best.validation_loss);
  CHECK(best.parameters != fit.session.model.store.parameters);
}

TEST_CASE("with a patience of never every step is made, and the best parameters are kept all the same") {
  Fit fit("  early_stopping: {patience: never}\n");
  CHECK_FALSE(fit.result.stopped_early);
  CHECK(fit.result.steps == 300);
  CHECK(fit.looks.size() == 60);
  CHECK(fit.session.training.best.step == fit.lowest().step);
  CHECK(fit.held_out_loss(fit.session.training.best.parameters) == fit.lowest().validation_loss);
}

TEST_CASE("improvements that are too small end a fit, but the lowest loss is kept") {
  Fit patient("  early_stopping: {patience: 6}\n"),
      strict("  early_stopping: {patience: 6, minimum_improvement: 0.1}\n");
  CHECK(strict.result.stopped_early);
  CHECK(strict.result.steps < patient.result.steps);
  CHECK(strict.session.training.best.step == strict.lowest().step);
  CHECK(strict.session.training.best.validation_loss < strict.session.training.best.reference);
}

TEST_CASE("with averaging the best parameters are averaged ones") {
  Fit fit("  averaging: {ema: {decay: 0.9}}\n  early_stopping: {patience: 6}\n");
  CHECK(fit.result.stopped_early);
  CHECK(fit.held_out_loss(fit.session.training.best.parameters) == fit.lowest().validation_loss);
}

TEST_CASE("a run that goes on after early stopping makes no step, and one whose steps are made has not stopped early") {
  Fit fit(kStopping);
  REQUIRE(fit.result.stopped_early);
  const std::int64_t made = fit.result.steps;
  const std::vector<double> before = fit.session.model.store.parameters;
  fit.session.training.first_step = made;
  const TrainingResult again = fit.session.run();
  CHECK(again.stopped_early);
  CHECK(again.steps == made);
  CHECK(fit.session.model.store.parameters == before);

  fit.session.training.first_step = fit.session.training.steps;
  CHECK_FALSE(fit.session.run().stopped_early);
}

TEST_CASE("a run that is killed goes on from its checkpoint: the best so far is there, and the patience counts on") {
  const std::string training = std::string(kStopping) + "  schedule: {reduce_on_plateau: {factor: 0.5, patience: 1}}\n";
  Fit whole(training);
  REQUIRE(whole.result.stopped_early);
  CHECK(whole.session.training.schedule_state.numbers.at("plateau").at(0) < 1);
  const std::int64_t killed = whole.session.training.best.step + 12;  // after the best, which only memory had

  const TemporaryFolder folder;
  Fit first(training, killed);
  const auto data = first.session.experiment.data->state();
  Checkpoint::capture(first.session.model, &first.session.training, &data, spec(training), killed)
      .write(folder.file("checkpoint.safetensors"));
  const Checkpoint checkpoint = Checkpoint::read(folder.file("checkpoint.safetensors"));
  CHECK(checkpoint.keeps_best());

  Fit second(training, -1);
  checkpoint.restore(second.session.model);
  checkpoint.restore(second.session.training, second.session.model.layout);
  second.result = second.session.run();
  CHECK(second.result.stopped_early);
  CHECK(second.result.steps == whole.result.steps);
  CHECK(second.session.model.store.parameters == whole.session.model.store.parameters);
  CHECK(second.session.training.schedule_state.numbers == whole.session.training.schedule_state.numbers);
  CHECK(second.session.training.best.step == whole.session.training.best.step);
  CHECK(second.session.training.best.validation_loss == whole.session.training.best.validation_loss);
  CHECK(second.session.training.best.parameters == whole.session.training.best.parameters);

  // And what the checkpoint of the killed run is evaluated as is the best that it had.
  checkpoint.restore_result(second.session.model);
  CHECK(second.held_out_loss({}) == whole.session.training.best.validation_loss);
}

TEST_CASE("the best parameters come with the state that components had then") {
  Store<double> store;
  store.parameters = {1, 2};
  store.real_state = {3};
  store.integer_state = {4};
  BestParameters<double> best;
  best.look(10, NAN, 0, store.parameters, store);
  CHECK(best.step == 0);
  CHECK(best.waited == 1);
  best.look(20, -1.5, 0, std::vector<double>{5, 6}, store);
  CHECK(best.step == 20);
  CHECK(best.waited == 0);
  store.real_state = {7};
  store.integer_state = {8};
  best.look(30, -1.5, 0, store.parameters, store);  // as good is not better
  CHECK(best.step == 20);
  CHECK(best.waited == 1);
  best.exchange(store);
  CHECK(store.parameters == std::vector<double>{5, 6});
  CHECK(store.real_state == std::vector<double>{3});
  CHECK(store.integer_state == std::vector<std::int64_t>{4});
  CHECK(best.real_state == std::vector<double>{7});
}
