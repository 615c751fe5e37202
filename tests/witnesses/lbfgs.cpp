// Witness: L-BFGS with a line search, an optimizer that asks for the loss at points of its own choice.
//
// It is the hardest consumer of Evaluate (any number of evaluations within a step, all with the same draws, some of
// them where the loss is not finite) and of OptimizerState (a history of any size, and exact counters, saved and
// restored).
//
// Liu and Nocedal, "On the limited memory BFGS method", 1989; Lewis and Overton, "Nonsmooth optimization via
// quasi-Newton methods", 2013, whose bisection finds a step that satisfies the weak Wolfe conditions.
#include <array>
#include <limits>

#include "pushforward/linear_algebra.h"
#include "pushforward/operations.h"
#include "support/session.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

template <class T>
class Lbfgs final : public Optimizer<T> {
 public:
  explicit Lbfgs(Build<T>& build) : memory_(build.integer("memory")), trials_(build.integer("trials")) {}

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::size_t n = theta.size();
    const std::span<T> room = state.room(5 * n), g = room.subspan(0, n), d = room.subspan(n, n);
    const std::span<T> start = room.subspan(2 * n, n), there = room.subspan(3 * n, n), found = room.subspan(4 * n, n);
    std::vector<double>& pairs = state.numbers["pairs"];
    if (pairs.empty()) pairs.push_back(0);
    const std::span<T> steps = state.array("steps", n * static_cast<std::size_t>(memory_));
    const std::span<T> changes = state.array("changes", n * static_cast<std::size_t>(memory_));
    ++state.step;

    const double loss = evaluate(theta, g);
    const double first = loss + decay(theta, g, settings);
    std::copy(g.begin(), g.end(), d.begin());
    direction(d, steps, changes, static_cast<Index>(pairs[0]));
    for (const ParameterRange& range : settings.ranges)
      for (Index i = range.begin; i < range.end; ++i)
        d[static_cast<std::size_t>(i)] *= -static_cast<T>(settings.learning_rate_factor * range.learning_rate_factor);
    const double slope = dot(g, d);
    if (!(slope < 0)) return loss;  // a stationary point

    std::copy(theta.begin(), theta.end(), start.begin());
    double low = 0, high = std::numeric_limits<double>::infinity(), t = 1;
    for (Index trial = 0; trial < trials_; ++trial, t = std::isinf(high) ? 2 * low : (low + high) / 2) {
      move(theta, start, d, t);
      const double value = value_at(evaluate, theta, there, settings);
      if (!(value <= first + 1e-4 * t * slope)) {
        high = t;
        continue;
      }
      low = t;
      std::copy(there.begin(), there.end(), found.begin());
      if (dot(there, d) >= 0.9 * slope) break;
    }
    move(theta, start, d, low);
    if (low > 0) remember(start, theta, g, found, steps, changes, pairs[0]);
    return loss;
  }

 private:
  static double dot(std::span<const T> a, std::span<const T> b) {
    return dot_in_order(a.data(), b.data(), static_cast<Index>(a.size()));
  }
  static void move(std::span<T> theta, std::span<const T> start, std::span<const T> d, double t) {
    for (std::size_t i = 0; i < d.size(); ++i) theta[i] = start[i] + static_cast<T>(t) * d[i];
  }
  /// Adds the groups' weight decay to the gradient; what does not move has none. Returns its part of the loss.
  static double decay(std::span<const T> theta, std::span<T> g, const StepSettings& settings) {
    double sum = 0;
    auto rest = g.begin();
    for (const ParameterRange& range : settings.ranges) {
      std::fill(rest, g.begin() + range.begin, T(0));
      for (Index k = range.begin; k < range.end; ++k) {
        const auto i = static_cast<std::size_t>(k);
        sum += 0.5 * range.weight_decay * static_cast<double>(theta[i] * theta[i]);
        g[i] += static_cast<T>(range.weight_decay) * theta[i];
      }
      rest = g.begin() + range.end;
    }
    std::fill(rest, g.end(), T(0));
    return sum;
  }
  /// Infinite where the loss is not finite: a step too long.
  static double value_at(Evaluate<T>& evaluate, std::span<const T> theta, std::span<T> g,
                         const StepSettings& settings) {
    try {
      const double loss = evaluate(theta, g);
      return loss + decay(theta, g, settings);
    } catch (const NumericalError&) {
      return std::numeric_limits<double>::infinity();
    }
  }
  /// d: from the gradient to H times the gradient, by the two loops over the history.
  void direction(std::span<T> d, std::span<const T> steps, std::span<const T> changes, Index pairs) const {
    const std::size_t n = d.size();
    const Index held = std::min(pairs, memory_);
    const auto pair = [&](std::span<const T> all, Index k) {  // the k-th youngest
      return all.subspan(static_cast<std::size_t>((pairs - 1 - k) % memory_) * n, n);
    };
    std::array<double, kMostPairs> alpha;
    for (Index k = 0; k < held; ++k) {
      const std::span<const T> s = pair(steps, k), y = pair(changes, k);
      alpha[static_cast<std::size_t>(k)] = dot(s, d) / dot(s, y);
      move(d, d, y, -alpha[static_cast<std::size_t>(k)]);
    }
    const double scale = held ? dot(pair(steps, 0), pair(changes, 0)) / dot(pair(changes, 0), pair(changes, 0))
                              : std::min(1.0, 1 / std::sqrt(dot(d, d)));
    for (T& v : d) v *= static_cast<T>(scale);
    for (Index k = held; k-- > 0;) {
      const std::span<const T> s = pair(steps, k), y = pair(changes, k);
      move(d, d, s, alpha[static_cast<std::size_t>(k)] - dot(y, d) / dot(s, y));
    }
  }
  void remember(std::span<const T> from, std::span<const T> to, std::span<const T> g, std::span<const T> there,
                std::span<T> steps, std::span<T> changes, double& pairs) const {
    const std::size_t n = g.size(), place = static_cast<std::size_t>(static_cast<Index>(pairs) % memory_) * n;
    const std::span<T> s = steps.subspan(place, n), y = changes.subspan(place, n);
    move(s, to, from, -1);
    move(y, there, g, -1);
    if (dot(s, y) > 1e-10 * dot(y, y)) ++pairs;  // else the curvature says nothing: the place is taken by the next pair
  }

  static constexpr Index kMostPairs = 64;
  Index memory_, trials_;
};

constexpr Field kFields[] = {integer("memory", "10", "pairs that are remembered").at_least(1).at_most(64),
                             integer("trials", "25", "evaluations of one line search").at_least(1)};
constexpr Example kExamples[] = {{"default", "witness_lbfgs"}, {"short", "witness_lbfgs: {memory: 2}"}};
constexpr ComponentInfo kComponents[] = {
    describe<Lbfgs>("optimizer", "witness_lbfgs", "L-BFGS with a line search", kFields, kExamples)};

/// Rosenbrock's function of ten variables, in a chain; not finite outside of a box, where a line search may come.
class Rosenbrock final : public Evaluate<double> {
 public:
  double operator()(std::span<const double> x, std::span<double> g) override {
    ++evaluations;
    double sum = 0;
    std::fill(g.begin(), g.end(), 0.0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      if (std::abs(x[i]) > 3) throw NumericalError("outside");
      const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
      sum += a * a + 100 * b * b;
      g[i] += -2 * a - 400 * x[i] * b;
      g[i + 1] += 200 * b;
    }
    return sum;
  }
  double loss(std::span<const double> x) override {
    std::vector<double> g(x.size());
    return (*this)(x, g);
  }
  int evaluations = 0;
};

struct Run {
  std::vector<double> theta = std::vector<double>(10, -1.2);
  OptimizerState<double> state = {};
  double go(const Optimizer<double>& optimizer, Evaluate<double>& loss, int steps) {
    const ParameterRange all[] = {{0, static_cast<Index>(theta.size()), 1, 0}};
    double last = 0;
    for (int i = 0; i < steps; ++i) last = optimizer.step(loss, theta, {1, all}, state);
    return last;
  }
};

std::string circles(const std::string& optimizer, int steps) {
  return R"(
seed: 0
precision: float64
data: {source: circles, preprocess: [standardize]}
model:
  base: normal
  bijectors: [{elementwise: {transformer: {linear_rational_spline: {bins: 8, bound: 3.0}}}}]
training: {optimizer: )" +
         optimizer + ", steps: " + std::to_string(steps) + "}\n";
}

}  // namespace

TEST_CASE("an optimizer with a line search conforms") { check_component(kComponents); }

TEST_CASE("L-BFGS finds Rosenbrock's minimum to 1e-8, past points without a loss") {
  const auto registry = load_plugins(kComponents);
  const auto lbfgs = make_plain<Optimizer<double>>(*registry, "witness_lbfgs");
  Rosenbrock loss;
  Run run;
  run.go(*lbfgs, loss, 90);
  for (const double x : run.theta) CHECK(x == Approx(1).margin(1e-8));
  CHECK(loss.evaluations < 300);
}

TEST_CASE("a run that is saved and goes on gives the same bits") {
  const auto registry = load_plugins(kComponents);
  const auto lbfgs = make_plain<Optimizer<double>>(*registry, "witness_lbfgs: {memory: 4}");
  Rosenbrock loss;
  Run whole, first;
  whole.go(*lbfgs, loss, 31);
  first.go(*lbfgs, loss, 17);
  Run second;
  second.theta = first.theta;
  second.state.step = first.state.step;  // what a checkpoint holds
  second.state.arrays = first.state.arrays;
  second.state.numbers = first.state.numbers;
  second.go(*lbfgs, loss, 14);
  CHECK(second.theta == whole.theta);
  CHECK(second.state.numbers == whole.state.numbers);
}

TEST_CASE("L-BFGS fits the circles better in 30 steps than Adam in 100") {
  const auto registry = load_plugins(kComponents);
  Session<double> adam(*registry, circles("{adam: {learning_rate: 1e-2}}", 100));
  Session<double> lbfgs(*registry, circles("witness_lbfgs", 30));
  adam.run();
  lbfgs.run();
  CHECK(mean(lbfgs.log_prob()) > mean(adam.log_prob()) + 0.003);
}

namespace {
/// Draws in every evaluation.
class Noisy final : public Objective<double> {
 public:
  Var<double> rows(int, const Distribution<double>& model, const Batch<double>& batch,
                   const Pass<double>& pass) const override {
    return -model.log_prob(batch.data + pass.normal({99}, batch.rows, 2), pass);
  }
};
/// Evaluates one point again and again.
class Repeating final : public Optimizer<double> {
 public:
  double step(Evaluate<double>& evaluate, std::span<double> theta, const StepSettings&,
              OptimizerState<double>&) const override {
    std::vector<double> gradient(theta.size());
    const double loss = evaluate(theta, gradient);
    CHECK(evaluate(theta, gradient) == loss);
    CHECK(evaluate.loss(theta) == loss);
    losses.push_back(loss);
    return loss;
  }
  mutable std::vector<double> losses;
};
}  // namespace

TEST_CASE("all evaluations of one step see the same draws, and every step others") {
  Model<double> model = make_model<double>(plugins(), "normal", around(2));
  model.objective = std::make_unique<Noisy>();
  model.components.back() = model.objective.get();
  Engine<double> engine(model, {.seed = 1});
  const Repeating repeating;
  const Matrix<double> data = normal_rows<double>(100, 2, 2);
  train(engine, repeating, rows_of(data), 3);
  CHECK(repeating.losses[0] != repeating.losses[1]);
  CHECK(repeating.losses[1] != repeating.losses[2]);
}
