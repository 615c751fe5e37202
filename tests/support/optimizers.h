// What the tests of optimizers share: losses given by formulas, runs of steps, and the checks that every optimizer
// passes.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

#include "support/allocations.h"
#include "support/fake_build.h"

namespace pushforward::test {

/// f(theta, gradient), which overwrites the gradient.
using Formula = std::function<double(std::span<const double>, std::span<double>)>;

/// A formula in double precision as what optimizers evaluate, in theirs.
template <class T>
class FormulaLoss final : public Evaluate<T> {
 public:
  FormulaLoss(Formula formula, std::size_t size) : formula_(std::move(formula)), theta_(size), gradient_(size) {}
  double operator()(std::span<const T> theta, std::span<T> gradient) override {
    const double loss = this->loss(theta);
    std::copy(gradient_.begin(), gradient_.end(), gradient.begin());
    return loss;
  }
  double loss(std::span<const T> theta) override {
    std::copy(theta.begin(), theta.end(), theta_.begin());
    return formula_(theta_, gradient_);
  }

 private:
  Formula formula_;
  std::vector<double> theta_, gradient_;
};

/// Minimum 0 at 0.
inline double sphere(std::span<const double> x, std::span<double> g) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    g[i] = 2 * x[i];
    sum += x[i] * x[i];
  }
  return sum;
}
/// Minimum 0 at (1, 3).
inline double booth(std::span<const double> x, std::span<double> g) {
  const double a = x[0] + 2 * x[1] - 7, b = 2 * x[0] + x[1] - 5;
  g[0] = 2 * a + 4 * b;
  g[1] = 4 * a + 2 * b;
  return a * a + b * b;
}
/// Minimum 0 at (0, 0), in a valley with slope ratio 1 : 25.
inline double matyas(std::span<const double> x, std::span<double> g) {
  g[0] = 0.52 * x[0] - 0.48 * x[1];
  g[1] = 0.52 * x[1] - 0.48 * x[0];
  return 0.26 * (x[0] * x[0] + x[1] * x[1]) - 0.48 * x[0] * x[1];
}
/// Minimum 0 at (1, 1), in a bent valley.
inline double rosenbrock(std::span<const double> x, std::span<double> g) {
  const double a = 1 - x[0], b = x[1] - x[0] * x[0];
  g[0] = -2 * a - 400 * x[0] * b;
  g[1] = 200 * b;
  return a * a + 100 * b * b;
}

/// An optimizer at work on its parameters.
template <class T>
struct Descent {
  std::unique_ptr<Optimizer<T>> optimizer;
  std::vector<T> theta;
  OptimizerState<T> state = {};
  std::vector<ParameterRange> ranges = {};  // none: everything, plainly

  Descent(const ComponentInfo& info, const Fields& fields, const std::vector<double>& start)
      : optimizer(make_component<Optimizer<T>>(info, fields)), theta(start.begin(), start.end()) {}

  /// `steps` steps; the loss before the last of them.
  double run(Evaluate<T>& loss, int steps, double factor = 1) {
    if (ranges.empty()) ranges = {{0, static_cast<Index>(theta.size()), 1, 0}};
    double last = 0;
    for (int i = 0; i < steps; ++i) last = optimizer->step(loss, theta, {factor, ranges}, state);
    return last;
  }
  double run(const Formula& formula, int steps, double factor = 1) {
    FormulaLoss<T> loss(formula, theta.size());
    return run(loss, steps, factor);
  }
  std::vector<double> numbers() const { return {theta.begin(), theta.end()}; }
};

/// A different number for each parameter and size: more than one SIMD batch, and a tail.
inline std::vector<double> some_numbers(std::size_t size = 53) {
  std::vector<double> v(size);
  for (std::size_t i = 0; i < size; ++i) v[i] = std::sin(1.0 + 0.7 * static_cast<double>(i));
  return v;
}

inline double largest_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

/// A given gradient at every theta; one step for each list.
inline Formula given_gradients(std::vector<std::vector<double>> gradients) {
  return
      [gradients = std::move(gradients), step = std::size_t{0}](std::span<const double>, std::span<double> g) mutable {
        std::copy(gradients.at(step).begin(), gradients.at(step).end(), g.begin());
        return static_cast<double>(++step);
      };
}

/// The parameters after each step under given gradients, from (1, -0.5, 2).
inline std::vector<std::vector<double>> trajectory(const ComponentInfo& info, const Fields& fields,
                                                   const std::vector<std::vector<double>>& gradients,
                                                   double weight_decay = 0) {
  Descent<double> descent(info, fields, {1, -0.5, 2});
  descent.ranges = {{0, 3, 1, weight_decay}};
  FormulaLoss<double> loss(given_gradients(gradients), 3);
  std::vector<std::vector<double>> path;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    CHECK(descent.run(loss, 1) == static_cast<double>(i + 1));  // the loss that it was given
    path.push_back(descent.numbers());
  }
  return path;
}

template <class T>
void check_contract(const ComponentInfo& info, const Fields& fields) {
  const auto flat = [](std::span<const double>, std::span<double> g) {
    std::fill(g.begin(), g.end(), 0.0);
    return 1.0;
  };
  const auto bowl = [](std::span<const double> x, std::span<double> g) { return sphere(x, g); };

  SECTION("a zero gradient is a fixed point") {
    Descent<T> descent(info, fields, some_numbers());
    const std::vector<T> start = descent.theta;
    descent.run(flat, 3);
    CHECK(descent.theta == start);
    CHECK(descent.state.step == 3);
  }
  SECTION("what is in no range does not move") {
    Descent<T> descent(info, fields, some_numbers());
    const std::vector<T> start = descent.theta;
    descent.ranges = {{0, 5, 1, 0.1}, {16, 40, 1, 0}, {48, 49, 1, 0}};
    descent.run(bowl, 4);
    for (std::size_t i = 0; i < start.size(); ++i) {
      CAPTURE(i);
      const bool moves = i < 5 || (i >= 16 && i < 40) || i == 48;
      CHECK((descent.theta[i] != start[i]) == moves);
    }
  }
  SECTION("a range's factor and the schedule's multiply the learning rate") {
    Descent<T> halved(info, fields, some_numbers()), scheduled(info, fields, some_numbers());
    halved.ranges = {{0, 53, 0.5, 0}};
    halved.run(bowl, 3);
    scheduled.run(bowl, 3, 0.5);
    CHECK(halved.theta == scheduled.theta);
    Descent<T> full(info, fields, some_numbers());
    full.run(bowl, 3);
    CHECK(full.theta != halved.theta);
  }
  SECTION("a run that is saved and goes on gives the same bits") {
    Descent<T> whole(info, fields, some_numbers()), first(info, fields, some_numbers());
    whole.run(bowl, 9);
    first.run(bowl, 4);
    Descent<T> second(info, fields, first.numbers());
    second.state.step = first.state.step;  // what a checkpoint holds
    second.state.arrays = first.state.arrays;
    second.state.numbers = first.state.numbers;
    second.run(bowl, 5);
    CHECK(second.theta == whole.theta);
    CHECK(second.state.arrays == whole.state.arrays);
  }
  SECTION("nothing is allocated after the first step") {
    Descent<T> descent(info, fields, some_numbers());
    FormulaLoss<T> loss(bowl, 53);
    descent.run(loss, 1);
    const std::int64_t before = allocations();
    descent.run(loss, 10);
    CHECK(allocations() == before);
  }
}

/// A state of other sizes is the state of another model.
inline void check_state_of_another_model(const ComponentInfo& info, const Fields& fields, const std::string& array) {
  Descent<double> descent(info, fields, {1, 2, 3});
  descent.state.array(array.c_str(), 2);
  CHECK_THROWS_WITH(descent.run(sphere, 1),
                    "the optimizer's saved array '" + array +
                        "' has 2 numbers, but this model needs 3; go on with the spec and the optimizer that wrote "
                        "the checkpoint");
  CHECK(descent.state.step == 0);
  CHECK(descent.numbers() == std::vector<double>{1, 2, 3});
}

}  // namespace pushforward::test
