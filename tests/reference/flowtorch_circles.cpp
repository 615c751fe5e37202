// configs/circles_csv.yaml, from FlowTorch's starts: a hundred steps of training, number for number. What must agree is
// everything from the file to the parameters: csv, spline and its gradient, the engine's sums, Adam.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/experiments.h"

using namespace pushforward::test;  // NOLINT
using namespace pushforward;        // NOLINT
using Json = nlohmann::json;

namespace {

/// One number for each raw parameter of the spline, in its order: all of one coordinate, then the other's.
std::vector<double> in_order(const Json& by_name) {
  std::vector<double> numbers;
  for (const std::size_t coordinate : {0, 1})
    for (const char* name : {"widths", "heights", "derivatives", "lambdas"})
      for (const Json& number : by_name[name][coordinate]) numbers.push_back(number);
  return numbers;
}

double largest_distance(std::span<const double> a, const std::vector<double>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

}  // namespace

TEST_CASE("training follows FlowTorch's, with PyTorch's Adam") {
  std::ifstream in(PUSHFORWARD_SOURCE_DIR "/tests/reference/data/flowtorch_circles.json");
  REQUIRE(in.good());
  const Json trajectories = Json::parse(in)["float64_trajectories"];
  REQUIRE(trajectories.size() == 3);
  for (const Json& reference : trajectories) {
    CAPTURE(reference["data"].get<std::string>());
    const std::string data = reference["data"];
    Experiment<double> experiment = ready_made<double>(
        "circles_csv", {"precision=float64", "training.steps=100",
                        "data.source.csv.file=" PUSHFORWARD_SOURCE_DIR "/configs/data/circles/" + data});
    Engine<double> engine(experiment.model, {.lanes = experiment.settings.lanes});
    REQUIRE(experiment.model.layout.parameters.size() == 1);
    const std::span<double> theta = experiment.model.store.parameters;
    const std::vector<double> start = in_order(reference["initial_parameters"]);
    REQUIRE(experiment.model.layout.trainable() == static_cast<Index>(start.size()));
    std::copy(start.begin(), start.end(), theta.begin());

    std::vector<double> gradient(theta.size());
    engine.loss(0, experiment.data->splits()[0].view(), 0, theta, gradient);
    CHECK(largest_distance(gradient, in_order(reference["gradient_at_start"])) < 1e-12);

    std::vector<double> losses;
    for (const MetricRow& row : train(experiment, engine)) losses.push_back(row.loss);
    const std::vector<double> expected = reference["loss_before_update"];
    REQUIRE(losses.size() == expected.size());
    // FlowTorch looks for a point's bin with knots moved by 1e-6, which a few points notice in a hundred steps.
    CHECK(largest_distance(losses, expected) < 1e-9);
    CHECK(largest_distance(theta, in_order(reference["final_parameters"])) < 1e-6);
    const double last = engine.loss(0, experiment.data->splits()[0].view(), 0, theta, {});
    CHECK(std::abs(last - reference["loss_after_100_updates"].get<double>()) < 1e-9);
  }
}
