#include "../../plugins/optimizers/sgd.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo& kSgd = kComponents[0];
const Fields kMomentum = {{"learning_rate", "0.1"}, {"momentum", "0.9"}};
const Fields kNesterov = {{"learning_rate", "0.1"}, {"momentum", "0.9"}, {"nesterov", "true"}};
const std::vector<std::vector<double>> kGradients = {{0.5, -2, 1e-6}, {0.25, 3, -2e-6}, {-1, 0.125, 0}, {0, -4, 5e-6}};

void check_path(const std::vector<std::vector<double>>& path, const std::vector<std::vector<double>>& expected) {
  REQUIRE(path.size() == expected.size());
  for (std::size_t step = 0; step < path.size(); ++step) {
    CAPTURE(step);
    CHECK(largest_distance(path[step], expected[step]) < 1e-14);
  }
}

}  // namespace

// The numbers were computed from the formulas of PyTorch's documentation with 60 digits.
TEST_CASE("sgd's path is that of PyTorch's SGD") {
  check_path(
      trajectory(kSgd, {{"learning_rate", "0.1"}}, kGradients),
      {{0.95, -0.3, 1.9999999}, {0.925, -0.6, 2.0000001}, {1.025, -0.6125, 2.0000001}, {1.025, -0.2125, 1.9999996}});
  check_path(trajectory(kSgd, kMomentum, kGradients, 0.1), {{0.94, -0.295, 1.9799999},
                                                            {0.8516, -0.40755, 1.942200011},
                                                            {0.863524, -0.5172695, 1.88875811079},
                                                            {0.86562036, -0.210844355, 1.8217723194931}});
  check_path(trajectory(kSgd, kNesterov, kGradients, 0.1), {{0.886, -0.1105, 1.96199981},
                                                            {0.773066, -0.5123505, 1.90852211261},
                                                            {0.877211146, -0.6190257905, 1.84178808310941},
                                                            {0.871232359626, 0.0633667835695, 1.7639092319932903}});
}

TEMPLATE_TEST_CASE("sgd's first step is the learning rate times the gradient", "", float, double) {
  const std::vector<double> start = some_numbers();
  for (const Fields& fields : {Fields{{"learning_rate", "0.1"}}, kMomentum}) {
    Descent<TestType> descent(kSgd, fields, start);
    descent.run(sphere, 1);
    for (std::size_t i = 0; i < start.size(); ++i)
      CHECK(static_cast<double>(descent.theta[i]) == Approx(0.8 * start[i]).epsilon(1e-6));
  }
}

TEMPLATE_TEST_CASE("sgd keeps the optimizers' contract", "", float, double) {
  SECTION("plain") { check_contract<TestType>(kSgd, {}); }
  SECTION("momentum") { check_contract<TestType>(kSgd, kMomentum); }
  SECTION("nesterov") { check_contract<TestType>(kSgd, kNesterov); }
}

TEST_CASE("sgd refuses the state of another model") { check_state_of_another_model(kSgd, kMomentum, "velocity"); }

TEST_CASE("sgd without momentum keeps no arrays") {
  Descent<double> descent(kSgd, {}, {1, 2});
  descent.run(sphere, 2);
  CHECK(descent.state.arrays.empty());
}

TEST_CASE("sgd refuses Nesterov's momentum without momentum") {
  CHECK_THROWS_WITH(make_component<Optimizer<double>>(kSgd, {{"nesterov", "true"}}),
                    "nesterov: needs a momentum above 0");
}

TEST_CASE("sgd finds the minima of the test functions") {
  const auto distance = [](Fields fields, const char* rate, const Formula& f, const std::vector<double>& start,
                           const std::vector<double>& minimum, int steps) {
    fields["learning_rate"] = rate;
    Descent<double> descent(kSgd, fields, start);
    descent.run(f, steps);
    return largest_distance(descent.numbers(), minimum);
  };
  for (const Fields& fields : {Fields{}, kMomentum, kNesterov}) {
    CHECK(distance(fields, "0.05", sphere, some_numbers(), std::vector<double>(53, 0.0), 1000) < 1e-6);
    CHECK(distance(fields, "0.05", booth, {-4, 7}, {1, 3}, 1000) < 1e-6);
    CHECK(distance(fields, "0.5", matyas, {5, -8}, {0, 0}, 1000) < 1e-6);
  }
  CHECK(distance(kMomentum, "2e-4", rosenbrock, {-1.2, 1}, {1, 1}, 20000) < 1e-4);
  CHECK(distance(kNesterov, "2e-4", rosenbrock, {-1.2, 1}, {1, 1}, 20000) < 1e-4);
}
