#include "../../plugins/optimizers/lbfgs.cpp"

#include "support/optimizers.h"

using namespace pushforward::test;  // NOLINT

namespace {

const ComponentInfo& kLbfgs = kComponents[0];

/// A formula that counts its evaluations, and has no value where an element is beyond a border.
class Counted final : public Evaluate<double> {
 public:
  explicit Counted(Formula formula, double border = INFINITY) : formula_(std::move(formula)), border_(border) {}
  double operator()(std::span<const double> x, std::span<double> g) override {
    ++evaluations;
    for (const double v : x)
      if (std::abs(v) > border_) throw NumericalError("outside");
    return formula_(x, g);
  }
  double loss(std::span<const double>) override { throw std::logic_error("not needed"); }
  int evaluations = 0;

 private:
  Formula formula_;
  double border_;
};

}  // namespace

TEMPLATE_TEST_CASE("lbfgs' first step is the gradient over the sum of its sizes, if that is good enough", "", float,
                   double) {
  const std::vector<double> start = some_numbers(9);
  Descent<TestType> descent(kLbfgs, {}, start);
  descent.run(sphere, 1);
  double sum = 0;
  for (const double v : start) sum += std::abs(2 * v);
  REQUIRE(sum < 20);  // else its slope is more than 0.9 times that at the start
  for (std::size_t i = 0; i < start.size(); ++i)
    CHECK(static_cast<double>(descent.theta[i]) == Approx(start[i] - 2 * start[i] / sum).margin(1e-6));
}

TEST_CASE("a trial that goes beyond the minimum is followed by the minimum of the cubic") {
  Descent<double> descent(kLbfgs, {}, {0.25, 0});  // |g|_1 = 1/2: the first trial is -0.25, just as high
  Counted loss(sphere);
  descent.run(loss, 1);
  CHECK(descent.theta[0] == Approx(0).margin(1e-15));
  CHECK(loss.evaluations == 3);
}

TEST_CASE("lbfgs takes Newton's step once it knows the curvature") {
  const auto parabola = [](std::span<const double> x, std::span<double> g) {
    g[0] = 50 * (x[0] - 2);
    return 25 * (x[0] - 2) * (x[0] - 2);
  };
  Descent<double> descent(kLbfgs, {{"line_search", "1"}}, {2.5});
  descent.run(parabola, 1);                // a trial alone: 2.5 - 25 / 25
  CHECK(descent.theta[0] == Approx(2.5));  // 1.5 is just as high, and there is no second trial
  Descent<double> searching(kLbfgs, {}, {40});
  searching.run(parabola, 2);
  CHECK(searching.theta[0] == Approx(2));
}

TEST_CASE("lbfgs finds the minima of the test functions in a few evaluations") {
  const auto evaluations = [](const Formula& f, const std::vector<double>& start, const std::vector<double>& minimum) {
    Descent<double> descent(kLbfgs, {}, start);
    Counted loss(f);
    int steps = 0;
    while (largest_distance(descent.numbers(), minimum) > 1e-7 && ++steps < 200) descent.run(loss, 1);
    CHECK(steps < 200);
    return loss.evaluations;
  };
  CHECK(evaluations(booth, {-4, 7}, {1, 3}) < 20);
  CHECK(evaluations(matyas, {5, -8}, {0, 0}) < 20);
  CHECK(evaluations(rosenbrock, {-1.2, 1}, {1, 1}) < 100);
}

TEST_CASE("lbfgs shortens steps to where there is no loss") {
  Descent<double> descent(kLbfgs, {}, {-1.2, 1});
  Counted loss(rosenbrock, 1.25);
  descent.run(loss, 60);
  CHECK(largest_distance(descent.numbers(), {1, 1}) < 1e-7);
  // Nothing but the start has a loss: it stays, and says nothing.
  Descent<double> alone(kLbfgs, {}, {1});
  Counted island([first = true](std::span<const double>, std::span<double> g) mutable {
    if (!std::exchange(first, false)) throw NumericalError("everywhere");
    return g[0] = 1;
  });
  alone.run(island, 1);
  CHECK(alone.theta[0] == 1);
  CHECK(alone.state.step == 1);
  CHECK_THROWS_AS(alone.run(island, 1), NumericalError);
}

TEST_CASE("lbfgs stays where the gradient is below its tolerance") {
  Descent<double> descent(kLbfgs, {{"tolerance", "0.1"}}, {0.04, -0.049});
  Counted loss(sphere);
  descent.run(loss, 3);
  CHECK(descent.theta == std::vector<double>{0.04, -0.049});
  CHECK(loss.evaluations == 3);
}

TEST_CASE("lbfgs minimises the loss with the groups' weight decay") {
  Descent<double> descent(kLbfgs, {}, {5, 5, 5});
  descent.ranges = {{0, 1, 1, 2}, {1, 2, 1, 0}};  // (x - 3)^2 + x^2 has its minimum at 1.5
  const auto shifted = [](std::span<const double> x, std::span<double> g) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      g[i] = 2 * (x[i] - 3);
      sum += (x[i] - 3) * (x[i] - 3);
    }
    return sum;
  };
  descent.run(shifted, 10);
  CHECK(largest_distance(descent.numbers(), {1.5, 3, 5}) < 1e-7);
}

TEST_CASE("lbfgs' learning rate is the first trial of its line search") {
  Descent<double> descent(kLbfgs, {{"learning_rate", "0.5"}}, {10});
  const auto bent = [](std::span<const double> x, std::span<double> g) {
    g[0] = std::tanh(x[0]);
    return std::log(std::cosh(x[0]));
  };
  Counted first(bent);
  descent.run(first, 1);
  CHECK(first.evaluations >= 2);
  CHECK(descent.theta[0] < 9.5);  // it goes beyond, where the loss still falls
  Descent<double> scheduled(kLbfgs, {}, {10});
  scheduled.run(bent, 1, 0.5);
  CHECK(scheduled.theta == descent.theta);
}

TEMPLATE_TEST_CASE("lbfgs keeps the optimizers' contract", "", float, double) {
  SECTION("plain") { check_contract<TestType>(kLbfgs, {}); }
  SECTION("with a short history") { check_contract<TestType>(kLbfgs, {{"history", "2"}}); }
}

TEST_CASE("lbfgs goes on with a saved history to the same bits") {
  const auto run = [](Descent<double>& d, int steps) { d.run(rosenbrock, steps); };
  Descent<double> whole(kLbfgs, {{"history", "3"}}, {-1.2, 1}), first(kLbfgs, {{"history", "3"}}, {-1.2, 1});
  run(whole, 20);
  run(first, 11);
  Descent<double> second(kLbfgs, {{"history", "3"}}, first.numbers());
  second.state.step = first.state.step;
  second.state.arrays = first.state.arrays;
  second.state.numbers = first.state.numbers;
  run(second, 9);
  CHECK(second.theta == whole.theta);
  CHECK(second.state.numbers == whole.state.numbers);
}

TEST_CASE("lbfgs refuses the state of another model") {
  Descent<double> descent(kLbfgs, {{"history", "3"}}, {1, 2, 3});
  descent.state.array("steps", 6);
  CHECK_THROWS_WITH(descent.run(sphere, 1),
                    "the optimizer's saved array 'steps' has 6 numbers, but this model needs 9; go on with the spec "
                    "and the optimizer that wrote the checkpoint");
  CHECK(descent.state.step == 0);
}
