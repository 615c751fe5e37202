#include "../../plugins/optimizers/lion.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo& kLion = kComponents[0];

}  // namespace

TEMPLATE_TEST_CASE("every step of lion is the learning rate, against the sign", "", float, double) {
  const std::vector<double> start = some_numbers();
  Descent<TestType> descent(kLion, {{"learning_rate", "0.01"}}, start);
  descent.run(sphere, 1);
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] - std::copysign(0.01, start[i])).margin(1e-7));
}

// By hand, learning rate 1: c = (m + g) / 2, m <- (3 m + g) / 4.
TEST_CASE("lion goes by the sign of the momentum and the gradient together") {
  const auto path = trajectory(kLion, {{"learning_rate", "1"}, {"beta1", "0.5"}, {"beta2", "0.75"}},
                               {{8, -8, 0}, {-1, 2, 0}, {-4, 3, 0}});
  CHECK(path[0] == std::vector<double>{0, 0.5, 2});
  CHECK(path[1] == std::vector<double>{-1, 0.5, 2});  // of zero: no step
  CHECK(path[2] == std::vector<double>{0, -0.5, 2});
}

TEST_CASE("lion's weight decay shrinks the parameters apart from the step") {
  CHECK(largest_distance(trajectory(kLion, {{"learning_rate", "0.1"}}, {{0, 2, -3}}, 0.5)[0],
                         {0.95, -0.5 * 0.95 - 0.1, 2 * 0.95 + 0.1}) < 1e-15);
  CHECK(make_component<Optimizer<double>>(kLion, {{"weight_decay", "0.5"}})->weight_decay() == 0.5);
}

TEMPLATE_TEST_CASE("lion keeps the optimizers' contract", "", float, double) { check_contract<TestType>(kLion, {}); }

TEST_CASE("lion refuses the state of another model") { check_state_of_another_model(kLion, {}, "momentum"); }

TEST_CASE("lion finds a minimum as its rate falls") {
  Descent<double> descent(kLion, {{"learning_rate", "0.05"}}, {-4, 7});
  for (const double factor : {1.0, 0.1, 0.01, 0.001}) descent.run(booth, 1000, factor);
  CHECK(largest_distance(descent.numbers(), {1, 3}) < 1e-3);
}
