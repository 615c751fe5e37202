// Optimizers and schedules against PyTorch's: the parameters after each of 20 steps, the factors at every step.
#include <catch2/catch.hpp>
#include <cmath>

#include "support/models.h"
#include "support/reference.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// The file's loss, Rosenbrock's in a chain with a gentler valley.
class Chain final : public Evaluate<double> {
 public:
  double operator()(std::span<const double> x, std::span<double> g) override {
    double sum = 0;
    std::fill(g.begin(), g.end(), 0.0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
      sum += a * a + 10 * b * b;
      g[i] += -2 * a - 40 * x[i] * b;
      g[i + 1] += 20 * b;
    }
    return sum;
  }
  double loss(std::span<const double> x) override {
    std::vector<double> g(x.size());
    return (*this)(x, g);
  }
};

const Json& reference() {
  static const Json json = Json::parse(reference_text("optimizers.json"));
  return json;
}

}  // namespace

TEST_CASE("optimizers take the steps of PyTorch's") {
  for (const Json& example : reference()["optimizers"]) {
    const std::string spec = example["spec"];
    INFO(spec << ", " << example["source"]);
    const auto optimizer = make_plain<Optimizer<double>>(plugins(), spec);
    std::vector<double> theta = reference()["start"];
    const ParameterRange all[] = {{0, static_cast<Index>(theta.size()), 1, example["weight_decay"]}};
    OptimizerState<double> state;
    Chain loss;
    REQUIRE(example["theta"].size() == 20);
    for (const Json& expected : example["theta"]) {
      optimizer->step(loss, theta, {1, all}, state);
      double worst = 0;
      for (std::size_t i = 0; i < theta.size(); ++i)
        worst = std::max(worst, std::abs(theta[i] - expected[i].get<double>()));
      INFO("step " << state.step);
      REQUIRE(worst < 1e-9);
    }
  }
}

TEST_CASE("schedules have the factors of PyTorch's") {
  for (const Json& example : reference()["schedules"]) {
    const std::string spec = example["spec"];
    INFO(spec << ", " << example["source"]);
    const auto schedule = make_plain<Schedule<double>>(plugins(), spec);
    const std::int64_t steps = example["steps"];
    ScheduleState state;
    for (std::int64_t step = 0; step < steps; ++step) {
      const auto i = static_cast<std::size_t>(step);
      INFO("step " << step);
      REQUIRE(schedule->factor(step, steps, state) == Approx(example["factors"][i].get<double>()).epsilon(1e-12));
      if (example.contains("validation_losses")) schedule->observe(step + 1, example["validation_losses"][i], state);
    }
  }
}
