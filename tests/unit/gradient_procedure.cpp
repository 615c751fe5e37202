#include <catch2/catch.hpp>

#include "support/experiments.h"

using namespace pushforward::test;  // NOLINT
using namespace pushforward;        // NOLINT

namespace {

/// The loss of each step, from the procedure of the spec or from core's own loop.
std::vector<double> losses(bool by_procedure) {
  Experiment<float> experiment = ready_made<float>("conditional", {"training.steps=30", "training.batch_size=32"});
  Engine<float> engine(experiment.model, {.lanes = experiment.settings.lanes});
  struct Loop final : Procedure<float> {
    TrainingResult run(Training<float>& training) const override { return train_by_gradient(training); }
  };
  if (!by_procedure) experiment.procedure = std::make_unique<Loop>();
  std::vector<double> values;
  for (const MetricRow& row : train(experiment, engine)) values.push_back(row.loss);
  return values;
}

}  // namespace

TEST_CASE("the procedure gradient is core's training by gradient") {
  const std::vector<double> by_procedure = losses(true);
  CHECK(by_procedure.size() == 30);
  CHECK(by_procedure == losses(false));
}
