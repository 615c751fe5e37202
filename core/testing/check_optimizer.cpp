// Checks 30 to 33, and 27 of optimizers.
#include <algorithm>
#include <cmath>

#include "kit.h"
#include "pushforward/testing/allocations.h"

namespace pushforward::testing {

namespace {

/// A loss with its gradient, at any precision.
template <class T>
class Problem final : public Evaluate<T> {
 public:
  using Loss = std::function<double(std::span<const double> theta, std::span<double> gradient)>;
  explicit Problem(Loss loss) : loss_(std::move(loss)) {}
  double operator()(std::span<const T> theta, std::span<T> gradient) override {
    const std::int64_t before = AllocationCount::thread;
    const double value = evaluate(theta, gradient);
    allocations_ += AllocationCount::thread - before;
    return value;
  }
  double loss(std::span<const T> theta) override {
    const std::int64_t before = AllocationCount::thread;
    std::vector<T> unused(theta.size());
    const double value = evaluate(theta, unused);
    allocations_ += AllocationCount::thread - before;
    return value;
  }
  /// By this problem itself, which are none of the optimizer's.
  std::int64_t allocations() const { return allocations_; }

 private:
  double evaluate(std::span<const T> theta, std::span<T> gradient) {
    const std::vector<double> at(theta.begin(), theta.end());
    std::vector<double> g(at.size(), 0.0);
    const double value = loss_(at, g);
    for (std::size_t i = 0; i < g.size(); ++i) gradient[i] = static_cast<T>(g[i]);
    return value;
  }

  Loss loss_;
  std::int64_t allocations_ = 0;
};

template <class T>
struct Run {
  std::unique_ptr<Built<T>> built;
  const Optimizer<T>* optimizer = nullptr;
  OptimizerState<T> state;
  std::vector<T> theta;
  std::vector<ParameterRange> ranges;

  Run(const Subject& subject, std::vector<double> start)
      : built(std::make_unique<Built<T>>(subject.make<T>(subject.surroundings))), theta(start.begin(), start.end()) {
    optimizer = dynamic_cast<const Optimizer<T>*>(built->component.get());
    if (!optimizer) throw std::logic_error("the component of an optimizer's subject is no optimizer");
    ranges = {{0, static_cast<Index>(theta.size()), 1, 0}};
  }
  double step(const typename Problem<T>::Loss& loss, double factor = 1) {
    Problem<T> problem(loss);
    return optimizer->step(problem, theta, {factor, ranges}, state);
  }
};

double sphere(std::span<const double> x, std::span<double> g) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * x[i];
    g[i] = 2 * x[i];
  }
  return sum;
}
double booth(std::span<const double> x, std::span<double> g) {
  const double a = x[0] + 2 * x[1] - 7, b = 2 * x[0] + x[1] - 5;
  g[0] = 2 * a + 4 * b;
  g[1] = 4 * a + 2 * b;
  return a * a + b * b;
}
double matyas(std::span<const double> x, std::span<double> g) {
  g[0] = 0.52 * x[0] - 0.48 * x[1];
  g[1] = 0.52 * x[1] - 0.48 * x[0];
  return 0.26 * (x[0] * x[0] + x[1] * x[1]) - 0.48 * x[0] * x[1];
}
double rosenbrock(std::span<const double> x, std::span<double> g) {
  const double a = 1 - x[0], b = x[1] - x[0] * x[0];
  g[0] = -2 * a - 400 * x[0] * b;
  g[1] = 200 * b;
  return a * a + 100 * b * b;
}

struct Landscape {
  const char* name;
  double (*loss)(std::span<const double>, std::span<double>);
  std::vector<double> start;
};
const std::vector<Landscape>& landscapes() {
  static const std::vector<Landscape> all = {{"Sphere", sphere, {3, -2, 1, 0.5}},
                                             {"Booth", booth, {-4, 5}},
                                             {"Matyas", matyas, {6, -3}},
                                             {"Rosenbrock", rosenbrock, {-1.2, 1}}};
  return all;
}

/// Share of the start's loss that is left at the best of some learning rates: an example's own rate is made for
/// networks.
template <class T>
double lowest(const Subject& subject, const Landscape& l, double enough) {
  constexpr int kMostSteps = 20000, kLook = 100;
  double best = std::numeric_limits<double>::infinity();
  for (const double factor : {1.0, 0.1, 10.0, 0.01, 100.0, 1e-3, 1000.0}) {
    Run<T> run(subject, l.start);
    double first = 0;
    for (int i = 0; i < kMostSteps; ++i) {
      const double loss = run.step(l.loss, factor);
      if (i == 0) first = loss;
      if (!std::isfinite(loss) || loss > 1e6 * first) break;
      if (i % kLook == 0) best = std::min(best, loss / first);
      if (best <= enough) return best;
    }
  }
  return best;
}

template <class T>
void descend(const Subject& subject, Tally& t) {
  for (const Landscape& l : landscapes()) {
    const double left = lowest<T>(subject, l, t.tolerance());
    t.at(l.name);
    t.compare(
        -1, [] { return std::string("share of the loss that is left"); }, left, 0, t.tolerance());
  }
}

double nothing(std::span<const double>, std::span<double> g) {
  std::fill(g.begin(), g.end(), 0.0);
  return 1;
}

template <class T>
void stand_still(const Subject& subject, Tally& t) {
  Run<T> run(subject, {1.5, -2.25, 0.125, 1e-3, 40});
  const std::vector<T> before = run.theta;
  for (int i = 0; i < 3; ++i) {
    const double loss = run.step(nothing);
    t.require(loss == 1, [&] { return "`step` returned " + std::to_string(loss) + " for a loss of 1"; });
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    t.same(
        -1, [&] { return indexed("theta", static_cast<Index>(i)); }, static_cast<double>(run.theta[i]),
        static_cast<double>(before[i]));
  const auto after = [&] {
    Run<T> moving(subject, {0.4, -0.7});
    for (int i = 0; i < 3; ++i) moving.step(rosenbrock, 0.1);
    return moving.theta;
  };
  t.require(after() == after(), [] { return std::string("the same three steps of a new object lead elsewhere"); });
  t.require(run.state.step == 3, [&] { return "after 3 steps the state counts " + std::to_string(run.state.step); });
}

template <class T>
void go_on(const Subject& subject, Tally& t) {
  const std::vector<double> start = {0.4, -0.7};
  Run<T> whole(subject, start);
  for (int i = 0; i < 7; ++i) whole.step(rosenbrock, 0.1);
  Run<T> loaded(subject, start);
  loaded.theta = whole.theta;
  loaded.state.step = whole.state.step;
  loaded.state.arrays = whole.state.arrays;
  loaded.state.numbers = whole.state.numbers;
  for (int i = 0; i < 5; ++i) {
    const double a = whole.step(rosenbrock, 0.1), b = loaded.step(rosenbrock, 0.1);
    t.at("step " + std::to_string(i) + " after loading");
    t.same(
        -1, [] { return std::string("loss"); }, b, a);
    for (std::size_t j = 0; j < start.size(); ++j)
      t.same(
          -1, [&] { return indexed("theta", static_cast<Index>(j)); }, static_cast<double>(loaded.theta[j]),
          static_cast<double>(whole.theta[j]));
  }
}

/// Each range decays by its own number, and by none that a learning rate of 0 leaves.
template <class T>
void keep_decays(const Subject& subject, Tally& t) {
  const std::vector<double> start(64, 1.0);
  Run<T> run(subject, start);
  run.ranges = {{0, 16, 1, 0.1}, {16, 32, 1, 0}, {32, 64, 1, 0.1}};
  Run<T> still = Run<T>(subject, start);
  still.ranges = run.ranges;
  for (int i = 0; i < 3; ++i) {
    run.step(nothing);
    still.step(sphere, 0);
  }
  for (std::size_t i = 0; i < start.size(); ++i) {
    const bool decays = i < 16 || i >= 32;
    const auto name = [&] { return indexed("theta", static_cast<Index>(i)); };
    t.require(decays ? std::abs(run.theta[i]) < 1 : run.theta[i] == T(1), [&] {
      return decays ? "weight decay does not pull " + name() + " towards zero"
                    : name() + " stands in a range without weight decay and has no gradient, but moves";
    });
    t.require(still.theta[i] == T(1), [&] { return name() + " moves at a learning rate of 0"; });
  }
}

/// What counts is the product of the schedule's factor and the range's.
template <class T>
void keep_rates(const Subject& subject, Tally& t) {
  const auto after = [&](double of_schedule, double of_range) {
    Run<T> run(subject, {0.4, -0.7});
    run.ranges[0].learning_rate_factor = of_range;
    for (int i = 0; i < 4; ++i) run.step(rosenbrock, of_schedule);
    return run.theta;
  };
  const std::vector<T> plain = after(0.125, 1), halved = after(0.25, 0.5), all_of_range = after(1, 0.125);
  for (std::size_t i = 0; i < plain.size(); ++i)
    for (const std::vector<T>* other : {&halved, &all_of_range})
      t.require(std::abs((*other)[i] - plain[i]) <= T(1e-5) * std::max(T(1), std::abs(plain[i])), [&] {
        return "factors of the schedule and of the range whose product is 1/8 lead " +
               indexed("theta", static_cast<Index>(i)) + " to " + std::to_string(plain[i]) + " and to " +
               std::to_string((*other)[i]);
      });
}

/// Elements with one gradient and one start go one way, wherever they stand: also the last ones, which fill no vector.
template <class T>
void keep_places(const Subject& subject, Tally& t) {
  Run<T> run(subject, std::vector<double>(37, 1.0));
  run.ranges = {{0, 16, 1, 0}, {16, 37, 1, 0}};
  for (int i = 0; i < 5; ++i) run.step(sphere, 0.1);
  for (std::size_t i = 1; i < run.theta.size(); ++i)
    t.require(std::abs(run.theta[i] - run.theta[0]) <= T(1e-5), [&] {
      return "of elements with the same gradients theta[0] comes to " + std::to_string(run.theta[0]) + ", " +
             indexed("theta", static_cast<Index>(i)) + " to " + std::to_string(run.theta[i]);
    });
}

/// Two ranges of four move: one as it is, one with a rate of its own; the rest, as if frozen, has no gradient.
template <class T>
void keep_ranges(const Subject& subject, Tally& t) {
  const std::vector<double> start(64, 1.0);
  Run<T> run(subject, start);
  run.ranges = {{16, 32, 1, 0}, {48, 64, 0, 0}};
  const auto moves = [](Index i) { return i >= 16 && i < 32; };
  const auto loss = [&](std::span<const double> x, std::span<double> g) {
    double sum = 0;
    for (std::size_t i = 16; i < 64; ++i) {
      if (i >= 32 && i < 48) continue;
      sum += x[i] * x[i];
      g[i] = 2 * x[i];
    }
    return sum;
  };
  for (int i = 0; i < 3; ++i) run.step(loss);
  for (Index i = 0; i < 64; ++i) {
    const double now = static_cast<double>(run.theta[static_cast<std::size_t>(i)]);
    t.require((now != 1.0) == moves(i), [&] {
      return indexed("theta", i) + (moves(i) ? " stands in a range, but does not move"
                                             : " stands in no range, or in one whose rate is 0, but moves");
    });
  }
  keep_decays<T>(subject, t);
  keep_rates<T>(subject, t);
  keep_places<T>(subject, t);
}

template <class T>
void allocate_nothing(const Subject& subject, Tally& t) {
  if (!counts_allocations()) return t.skip("this program does not count allocations");
  constexpr int kWarm = 3, kSteps = 30;
  Run<T> run(subject, std::vector<double>(64, 1.0));
  Problem<T> problem(sphere);
  std::int64_t allocations = 0;
  for (int i = 0; i < kWarm + kSteps; ++i) {
    const std::int64_t before = AllocationCount::thread, of_problem = problem.allocations();
    run.optimizer->step(problem, run.theta, {1, run.ranges}, run.state);
    if (i < kWarm) continue;
    allocations += AllocationCount::thread - before - (problem.allocations() - of_problem);
  }
  t.require(allocations == 0, [&] {
    return std::to_string(allocations) + " heap allocations in " + std::to_string(kSteps) +
           " steps after the first; keep memory in the state (`array`, `room`)";
  });
}

}  // namespace

void check_descent(const Subject& s, Tally& t) { t.in_double() ? descend<double>(s, t) : descend<float>(s, t); }
void check_fixed_point(const Subject& s, Tally& t) {
  t.in_double() ? stand_still<double>(s, t) : stand_still<float>(s, t);
}
void check_optimizer_resume(const Subject& s, Tally& t) { t.in_double() ? go_on<double>(s, t) : go_on<float>(s, t); }
void check_optimizer_allocations(const Subject& s, Tally& t) {
  t.in_double() ? allocate_nothing<double>(s, t) : allocate_nothing<float>(s, t);
}
void check_ranges(const Subject& s, Tally& t) { t.in_double() ? keep_ranges<double>(s, t) : keep_ranges<float>(s, t); }

}  // namespace pushforward::testing
