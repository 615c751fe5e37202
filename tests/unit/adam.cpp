#include "../../plugins/optimizers/adam.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo &kAdam = kComponents[0], &kAdamW = kComponents[1], &kAmsGrad = kComponents[2],
                    &kNAdam = kComponents[3], &kAdamax = kComponents[4];
const std::vector<std::vector<double>> kGradients = {{0.5, -2, 1e-6}, {0.25, 3, -2e-6}, {-1, 0.125, 0}, {0, -4, 5e-6}};

void check_path(const std::vector<std::vector<double>>& path, const std::vector<std::vector<double>>& expected) {
  REQUIRE(path.size() == expected.size());
  for (std::size_t step = 0; step < path.size(); ++step) {
    CAPTURE(step);
    CHECK(largest_distance(path[step], expected[step]) < 1e-14);
  }
}

}  // namespace

// The numbers were computed from the formulas of PyTorch's documentation with 60 digits, learning rate 0.1.
TEST_CASE("adam's path is that of PyTorch's Adam") {
  check_path(trajectory(kAdam, {{"learning_rate", "0.1"}}, kGradients),
             {{0.900000002, -0.4000000005, 1.900990099009901},
              {0.8067820404774617, -0.4247701820162689, 1.9373703970289686},
              {0.8274177428854107, -0.4461208970265621, 1.9654527589449493},
              {0.844321254615014, -0.4146511145406433, 1.9220072254345502}});
}

TEST_CASE("adam with weight decay is PyTorch's Adam, and decoupled its AdamW") {
  check_path(trajectory(kAdam, {{"learning_rate", "0.1"}}, kGradients, 0.1),
             {{0.9000000016666666, -0.4000000004878049, 1.9000000049999748},
              {0.8050097658613192, -0.4230476626013825, 1.800166555999821},
              {0.8120982607786766, -0.4423266336228948, 1.7006234934725786},
              {0.8137911680720146, -0.4094014383899894, 1.6015048410976414}});
  check_path(trajectory(kAdam, {{"learning_rate", "0.1"}, {"decay", "decoupled"}}, kGradients, 0.1),
             {{0.890000002, -0.3950000005, 1.8809900990099009},
              {0.7878820404574617, -0.4158201820112689, 1.8985604960388698},
              {0.8006389224608361, -0.4330126952014494, 1.9076572529944615},
              {0.809536044965831, -0.3972127857635161, 1.845135146954118}});
}

TEMPLATE_TEST_CASE("adam's first step is the learning rate, against the gradient's sign", "", float, double) {
  const std::vector<double> start = some_numbers();
  Descent<TestType> descent(kAdam, {{"learning_rate", "0.01"}, {"epsilon", "1e-12"}}, start);
  descent.run(sphere, 1);
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] - std::copysign(0.01, start[i])).margin(1e-7));
}

TEMPLATE_TEST_CASE("adam keeps the optimizers' contract", "", float, double) {
  SECTION("plain") { check_contract<TestType>(kAdam, {}); }
  SECTION("decoupled") { check_contract<TestType>(kAdam, {{"decay", "decoupled"}, {"learning_rate", "0.1"}}); }
}

TEST_CASE("adam refuses the state of another model") {
  check_state_of_another_model(kAdam, {}, "first_moment");
  check_state_of_another_model(kAdam, {}, "second_moment");
}

TEST_CASE("adam finds the minima of the test functions") {
  const auto distance = [](const Formula& f, const std::vector<double>& start, const std::vector<double>& minimum,
                           int steps) {
    Descent<double> descent(kAdam, {{"learning_rate", "0.05"}}, start);
    for (const double factor : {1.0, 0.1, 0.01}) descent.run(f, steps, factor);  // at one rate, Adam circles around it
    return largest_distance(descent.numbers(), minimum);
  };
  CHECK(distance(sphere, some_numbers(), std::vector<double>(53, 0.0), 1000) < 1e-6);
  CHECK(distance(booth, {-4, 7}, {1, 3}, 1000) < 1e-6);
  CHECK(distance(matyas, {5, -8}, {0, 0}, 5000) < 1e-6);
  CHECK(distance(rosenbrock, {-1.2, 1}, {1, 1}, 5000) < 1e-4);
}

TEST_CASE("adam in float32 stays near float64") {
  Descent<float> single(kAdam, {{"learning_rate", "0.05"}}, {-4, 7});
  Descent<double> wide(kAdam, {{"learning_rate", "0.05"}}, {-4, 7});
  single.run(booth, 100);
  wide.run(booth, 100);
  CHECK(largest_distance(single.numbers(), wide.numbers()) < 1e-4);
}

TEST_CASE("adam gives its learning rate for the metrics") {
  CHECK(make_component<Optimizer<float>>(kAdam, {{"learning_rate", "0.25"}})->learning_rate() == 0.25);
}

TEST_CASE("adamw is adam with decoupled decay, and has a weight decay of its own for parameters without a group's") {
  CHECK(trajectory(kAdamW, {{"learning_rate", "0.1"}}, kGradients, 0.1) ==
        trajectory(kAdam, {{"learning_rate", "0.1"}, {"decay", "decoupled"}}, kGradients, 0.1));
  CHECK(make_component<Optimizer<float>>(kAdamW)->weight_decay() == 1e-2);
  CHECK(make_component<Optimizer<float>>(kAdamW, {{"weight_decay", "0.5"}})->weight_decay() == 0.5);
  CHECK(make_component<Optimizer<float>>(kAdam)->weight_decay() == 0);
}

TEST_CASE("amsgrad is adam until a gradient is smaller, and then takes shorter steps") {
  const Fields fields = {{"learning_rate", "0.1"}, {"beta1", "0.0"}, {"beta2", "0.5"}, {"epsilon", "1e-12"}};
  const std::vector<std::vector<double>> gradients = {{1, 1, 1}, {2, 0.5, 0}};
  const auto adam = trajectory(kAdam, fields, gradients), amsgrad = trajectory(kAmsGrad, fields, gradients);
  CHECK(adam[0] == amsgrad[0]);
  CHECK(adam[1][0] == amsgrad[1][0]);
  // v = 0.5, then 0.375, which is less: the largest one stands under the root.
  CHECK(amsgrad[1][1] == Approx(amsgrad[0][1] - 0.1 * 0.5 / std::sqrt(0.5 / 0.75)));
  CHECK(adam[1][1] == Approx(amsgrad[0][1] - 0.1 * 0.5 / std::sqrt(0.375 / 0.75)));
}

TEST_CASE("nadam's first step looks ahead") {
  // With a constant momentum mu = beta1 / 2: a move of mu / (1 + mu) (1 - beta1) / (1 - mu) + 1 in units of gamma.
  const auto path =
      trajectory(kNAdam, {{"learning_rate", "0.1"}, {"beta1", "0.8"}, {"momentum_decay", "0.0"}, {"epsilon", "1e-12"}},
                 {{1, -1, 1e-3}});
  const double moved = 0.1 * (0.4 * 0.2 / (1 - 0.16) + 1);
  CHECK(largest_distance(path[0], {1 - moved, -0.5 + moved, 2 - moved}) < 1e-8);
}

TEST_CASE("adamax divides by the largest gradient, which fades") {
  const auto path =
      trajectory(kAdamax, {{"learning_rate", "0.1"}, {"beta1", "0.0"}, {"beta2", "0.5"}, {"epsilon", "1e-12"}},
                 {{4, -4, 1}, {1, 3, 0.1}});
  CHECK(largest_distance(path[0], {0.9, -0.4, 1.9}) < 1e-10);
  CHECK(largest_distance(path[1], {0.9 - 0.1 / 2, -0.4 - 0.1, 1.9 - 0.1 * 0.1 / 0.5}) < 1e-10);
}

TEMPLATE_TEST_CASE("adam's kin keep the optimizers' contract", "", float, double) {
  SECTION("adamw") { check_contract<TestType>(kAdamW, {}); }
  SECTION("amsgrad") { check_contract<TestType>(kAmsGrad, {}); }
  SECTION("nadam") { check_contract<TestType>(kNAdam, {}); }
  SECTION("adamax") { check_contract<TestType>(kAdamax, {}); }
}

TEST_CASE("nadam's product of momenta goes on with a saved run") {
  Descent<double> whole(kNAdam, {}, {-4, 7}), second(kNAdam, {}, {-4, 7});
  whole.run(booth, 9);
  second.run(booth, 4);
  CHECK(second.state.numbers.at("momentum").at(0) > 0);
  second.run(booth, 5);
  CHECK(second.state.numbers == whole.state.numbers);
  CHECK(second.theta == whole.theta);
}
