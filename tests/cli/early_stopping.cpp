// fit with early stopping: what it says, what it writes, and that later commands see the best model.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/safetensors.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;

/// Of 40 rows, with a model that learns them by heart.
const char kSpec[] = R"(seed: 3
data:
  source: {circles: {samples: 80, noise: 0.1}}
  preprocess: [standardize]
  split: {train: 0.5, validation: 0.5}
model:
  base: normal
  bijectors:
    - coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [32]}}, mask: halves}
    - coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [32]}}, mask: alternating}
training:
  optimizer: {adam: {learning_rate: 5e-3}}
  steps: 400
  report_every: 10
  early_stopping: {patience: 4}
)";

struct Look {
  std::int64_t step;
  double loss;
};
/// The rows of metrics.csv with a validation loss.
std::vector<Look> looks(const std::string& metrics) {
  std::vector<Look> all;
  std::istringstream lines(metrics);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string step, loss, validation;
    std::getline(cells, step, ',') && std::getline(cells, loss, ',') && std::getline(cells, validation, ',');
    if (!validation.empty()) all.push_back({std::stoll(step), std::stod(validation)});
  }
  return all;
}
Look lowest(const std::vector<Look>& all) {
  return *std::min_element(all.begin(), all.end(), [](const Look& a, const Look& b) { return a.loss < b.loss; });
}

TEST_CASE("A fit that stops early ends with the best model, and later commands load it") {
  const TemporaryFolder folder;
  folder.write("spec.yaml", kSpec);
  const Outcome fit = pushforward({"fit", "spec.yaml", "-o", "run", "--format", "json", "--no-plots"}, folder.path());
  REQUIRE(fit.code == 0);
  const std::vector<Look> all = looks(read_text(folder / "run/metrics.csv"));
  const Look best = lowest(all);
  const Json object = Json::parse(fit.out);
  CHECK(object["early_stopping"]["stopped"] == true);
  CHECK(object["early_stopping"]["best_step"] == best.step);
  CHECK(object["early_stopping"]["best_validation_loss"].get<double>() == Approx(best.loss));
  CHECK(object["steps"] == best.step + 4 * 10);
  CHECK(all.back().step == object["steps"]);
  CHECK(all.back().loss > best.loss);
  CHECK(object["evaluation"]["validation"]["mean_log_prob"].get<double>() == Approx(-best.loss).epsilon(1e-6));

  const Outcome evaluation = pushforward({"evaluate", "run", "--format", "json"}, folder.path());
  CHECK(Json::parse(evaluation.out) == object["evaluation"]);
  // The file has both: what to go on with, and what the run came to.
  const ::pushforward::TensorFile file = ::pushforward::read_safetensors(folder / "run/checkpoint.safetensors");
  CHECK(file.metadata.at("step") == std::to_string(object["steps"].get<int>()));
  CHECK(file.tensors.at("early_stopping/counts").elements<std::int64_t>()[0] == best.step);
  CHECK(file.tensors.contains("best/model.bijectors[0].coupling.network.layers[0].weight"));
}

TEST_CASE("A fit says when it stopped, and which parameters it kept") {
  const TemporaryFolder folder;
  folder.write("spec.yaml", kSpec);
  const Outcome fit = pushforward({"fit", "spec.yaml", "-o", "run", "--no-plots"}, folder.path());
  REQUIRE(fit.code == 0);
  CHECK_THAT(fit.err, Contains("every 10 steps; the best parameters are kept; ends after 4 without an improvement"));
  CHECK_THAT(fit.err, Contains(" (best)"));
  const std::string best = std::to_string(lowest(looks(read_text(folder / "run/metrics.csv"))).step);
  CHECK_THAT(fit.out, Contains("stopped early: 4 looks at the validation rows without an improvement\n"
                               "the parameters are those of step " +
                               best + ", with the lowest validation loss, "));

  const Outcome never = pushforward({"fit", "spec.yaml", "-o", "never", "--no-plots", "--set",
                                     "training.early_stopping.patience=never", "--set", "training.steps=120"},
                                    folder.path());
  REQUIRE(never.code == 0);
  CHECK_THAT(never.err, Contains("every 10 steps; the best parameters are kept\n"));
  CHECK_THAT(never.out, Contains("120 steps") && !Contains("stopped early") &&
                            Contains("the parameters are those of step " + best + ", with the lowest"));
}

TEST_CASE("A fit with validation rows looks at them without being asked, and keeps the last parameters") {
  const TemporaryFolder folder;
  std::string spec = kSpec;
  spec.erase(spec.find("  early_stopping"));
  folder.write("spec.yaml", spec);
  const Outcome fit =
      pushforward({"fit", "spec.yaml", "-o", "run", "--no-plots", "--set", "training.steps=45"}, folder.path());
  REQUIRE(fit.code == 0);
  CHECK_THAT(fit.out, !Contains("parameters are those"));
  CHECK_THAT(fit.err, Contains("  validation  every 10 steps\n") && !Contains("best"));
  std::vector<std::int64_t> steps;
  for (const Look& look : looks(read_text(folder / "run/metrics.csv"))) steps.push_back(look.step);
  CHECK(steps == std::vector<std::int64_t>{10, 20, 30, 40, 45});
}

}  // namespace
