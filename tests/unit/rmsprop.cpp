#include "../../plugins/optimizers/rmsprop.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo& kRmsProp = kComponents[0];
const Fields kCentered = {{"centered", "true"}, {"momentum", "0.5"}, {"keep", "0.9"}};

}  // namespace

TEMPLATE_TEST_CASE("rmsprop's first step is the learning rate over the root of what the mean forgets", "", float,
                   double) {
  const std::vector<double> start = some_numbers();
  Descent<TestType> descent(kRmsProp, {{"learning_rate", "0.01"}, {"keep", "0.96"}, {"epsilon", "1e-12"}}, start);
  descent.run(sphere, 1);
  // v = 0.04 g^2: a step of 0.01 / 0.2 against the gradient's sign.
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] - std::copysign(0.05, start[i])).margin(1e-6));
}

TEST_CASE("centered rmsprop's first step is longer: the mean explains a part of the square") {
  Descent<double> descent(
      kRmsProp, {{"learning_rate", "0.01"}, {"keep", "0.5"}, {"epsilon", "1e-12"}, {"centered", "true"}}, {3});
  descent.run(sphere, 1);
  CHECK(descent.theta[0] == Approx(3 - 0.01 / std::sqrt(0.5 - 0.25)));
  // A gradient that stays the same has no variance: only epsilon bounds the step, whatever rounding says.
  Descent<double> still(kRmsProp, {{"keep", "0.0"}, {"epsilon", "0.5"}, {"centered", "true"}}, {3});
  still.run([](std::span<const double>, std::span<double> g) { return g[0] = 0.1; }, 3);
  CHECK(still.theta[0] == Approx(3 - 3 * 0.01 * 0.1 / 0.5));
}

TEST_CASE("rmsprop's weight decay adds to the gradient") {
  const auto path =
      trajectory(kRmsProp, {{"learning_rate", "0.1"}, {"keep", "0.75"}, {"epsilon", "1e-12"}}, {{0, 0, 0}}, 0.1);
  CHECK(largest_distance(path[0], {0.8, -0.3, 1.8}) < 1e-10);  // 0.1 / sqrt(0.25)
}

TEMPLATE_TEST_CASE("rmsprop keeps the optimizers' contract", "", float, double) {
  SECTION("plain") { check_contract<TestType>(kRmsProp, {}); }
  SECTION("centered, with momentum") { check_contract<TestType>(kRmsProp, kCentered); }
}

TEST_CASE("rmsprop refuses the state of another model") {
  check_state_of_another_model(kRmsProp, kCentered, "first_moment");
  check_state_of_another_model(kRmsProp, kCentered, "second_moment");
  check_state_of_another_model(kRmsProp, kCentered, "velocity");
}

TEST_CASE("rmsprop finds the minima of the test functions") {
  for (const Fields& fields : {Fields{}, kCentered}) {
    Descent<double> descent(kRmsProp, fields, {-4, 7});
    for (const double factor : {1.0, 0.1, 0.01}) descent.run(booth, 3000, factor);
    CHECK(largest_distance(descent.numbers(), {1, 3}) < 1e-3);
  }
}

TEST_CASE("rmsprop gives its learning rate for the metrics") {
  CHECK(make_component<Optimizer<float>>(kRmsProp, {{"learning_rate", "0.25"}})->learning_rate() == 0.25);
}
