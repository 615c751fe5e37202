#include "../../plugins/optimizers/adagrad.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo &kAdagrad = kComponents[0], &kAdadelta = kComponents[1];

}  // namespace

TEMPLATE_TEST_CASE("adagrad's steps are the learning rate over the root of their number", "", float, double) {
  const std::vector<double> start = some_numbers();
  Descent<TestType> descent(kAdagrad, {{"learning_rate", "0.01"}}, start);
  const auto slope = [](std::span<const double>, std::span<double> g) {
    std::fill(g.begin(), g.end(), -3.0);
    return 0.0;
  };
  descent.run(slope, 1);
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] + 0.01).margin(1e-6));
  descent.run(slope, 3);
  const double sum = 1 + 1 / std::sqrt(2) + 1 / std::sqrt(3) + 0.5;
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] + 0.01 * sum).margin(1e-6));
}

TEST_CASE("adagrad's sum starts where it is told to") {
  Descent<double> descent(kAdagrad, {{"learning_rate", "0.1"}, {"initial", "7"}}, {1.5});
  descent.run(sphere, 1);
  CHECK(descent.theta[0] == Approx(1.5 - 0.1 * 3 / 4));
}

TEMPLATE_TEST_CASE("adadelta's first step is the root of epsilon over that of what the mean forgets", "", float,
                   double) {
  const std::vector<double> start = some_numbers();
  Descent<TestType> descent(kAdadelta, {{"keep", "0.75"}, {"epsilon", "1e-6"}}, start);
  descent.run(sphere, 1);
  for (std::size_t i = 0; i < start.size(); ++i) {
    const double g = 2 * start[i];
    CHECK(static_cast<double>(descent.theta[i]) ==
          Approx(start[i] - 1e-3 * g / std::sqrt(0.25 * g * g + 1e-6)).margin(1e-6));
  }
}

TEST_CASE("weight decay adds to the gradient of adagrad and adadelta") {
  CHECK(largest_distance(trajectory(kAdagrad, {{"learning_rate", "0.1"}}, {{0, 0, 0}}, 0.1)[0], {0.9, -0.4, 1.9}) <
        1e-8);
  CHECK(largest_distance(trajectory(kAdadelta, {{"keep", "0.0"}}, {{0, 0, 0}}, 10)[0],
                         {1 - 1e-3, -0.5 + 1e-3, 2 - 1e-3}) < 1e-9);
}

TEMPLATE_TEST_CASE("adagrad and adadelta keep the optimizers' contract", "", float, double) {
  SECTION("adagrad") { check_contract<TestType>(kAdagrad, {}); }
  SECTION("adagrad, from a sum") { check_contract<TestType>(kAdagrad, {{"initial", "0.5"}}); }
  SECTION("adadelta") { check_contract<TestType>(kAdadelta, {}); }
}

TEST_CASE("adagrad and adadelta refuse the state of another model") {
  check_state_of_another_model(kAdagrad, {}, "squares");
  check_state_of_another_model(kAdadelta, {}, "squares");
  check_state_of_another_model(kAdadelta, {}, "moves");
}

TEST_CASE("adagrad and adadelta find a minimum") {
  Descent<double> adagrad(kAdagrad, {{"learning_rate", "1"}}, {-4, 7}), adadelta(kAdadelta, {}, {-4, 7});
  adagrad.run(booth, 3000);
  for (const double factor : {1.0, 0.1, 0.01}) adadelta.run(booth, 10000, factor);  // at one rate, it circles around
  CHECK(largest_distance(adagrad.numbers(), {1, 3}) < 1e-6);
  CHECK(largest_distance(adadelta.numbers(), {1, 3}) < 1e-2);
}
