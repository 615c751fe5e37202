// lbfgs: Newton steps with a curvature learned from the last gradients, and a line search.
//
// | state | meaning |
// | --- | --- |
// | steps | s, the last steps, `history` of them; one place after the other, around and around |
// | changes | y, how much the gradient changed over each |
// | pairs | how many were ever stored |
//
// Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989; Nocedal and Wright,
// "Numerical optimization", 2006: algorithm 7.4 (two loops), algorithms 3.5 and 3.6 (line search).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "pushforward/linear_algebra.h"
#include "pushforward/parameter_loops.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
double dot(std::span<const T> a, std::span<const T> b) {
  return dot_in_order(a.data(), b.data(), static_cast<Index>(a.size()));
}

/// out = x + a y; they may be the same.
template <class T>
void add_scaled(std::span<T> out, std::span<const T> x, double a, std::span<const T> y) {
  const simd::Batch<T> factor(static_cast<T>(a));
  for_each_batch<T>({0, static_cast<Index>(out.size())}, [&](Index i, Index lanes) {
    simd::store(out.data() + i, simd::fma(factor, simd::load(y.data() + i, lanes), simd::load(x.data() + i, lanes)),
                lanes);
  });
}
template <class T>
void scale(std::span<T> out, double a, std::span<const T> x) {
  const simd::Batch<T> factor(static_cast<T>(a));
  for_each_batch<T>({0, static_cast<Index>(out.size())}, [&](Index i, Index lanes) {
    simd::store(out.data() + i, factor * simd::load(x.data() + i, lanes), lanes);
  });
}

/// The loss and its gradient with the ranges' weight decay; a gradient of zero where nothing moves. Infinite where the
/// loss is not finite.
template <class T>
class Objective {
 public:
  Objective(Evaluate<T>& evaluate, const StepSettings& settings) : evaluate_(evaluate), settings_(settings) {}

  /// Throws what evaluating throws. Returns the weight decay's part of the loss apart from it.
  std::pair<double, double> operator()(std::span<const T> theta, std::span<T> gradient) const {
    const double loss = evaluate_(theta, gradient);
    return {loss, add_decay(theta, gradient)};
  }
  double at(std::span<const T> theta, std::span<T> gradient) const {
    try {
      const auto [loss, decay] = (*this)(theta, gradient);
      const double sum = loss + decay;
      return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
    } catch (const NumericalError&) {
      return std::numeric_limits<double>::infinity();
    }
  }

 private:
  double add_decay(std::span<const T> theta, std::span<T> gradient) const {
    double sum = 0;
    auto rest = gradient.begin();
    for (const ParameterRange& range : settings_.ranges) {
      std::fill(rest, gradient.begin() + range.begin, T(0));
      rest = gradient.begin() + range.end;
      if (range.weight_decay == 0) continue;
      const auto first = static_cast<std::size_t>(range.begin), count = static_cast<std::size_t>(range.end) - first;
      const std::span<const T> decaying = theta.subspan(first, count);
      add_scaled<T>(gradient.subspan(first, count), gradient.subspan(first, count), range.weight_decay, decaying);
      sum += 0.5 * range.weight_decay * dot(decaying, decaying);
    }
    std::fill(rest, gradient.end(), T(0));
    return sum;
  }

  Evaluate<T>& evaluate_;
  const StepSettings& settings_;
};

/// A point on the line theta + t d: the objective there, its slope along the line, and its gradient.
template <class T>
struct Point {
  double t = 0, value = 0, slope = 0;
  std::span<T> gradient;
};

/// Looks along a line for a point with the strong Wolfe conditions. The safeguards of the interpolation are those of
/// Schmidt's minFunc and of PyTorch.
template <class T>
class LineSearch {
  static constexpr double kDecrease = 1e-4, kCurvature = 0.9;  // c1 and c2
  static constexpr double kShortest = 1e-9;                    // the largest move within a bracket not worth a look

 public:
  /// `theta` holds the start; it is moved within `ranges` alone. `buffers`: three gradients.
  LineSearch(const Objective<T>& objective, std::span<T> theta, std::span<const T> start, std::span<const T> direction,
             std::span<const ParameterRange> ranges, std::array<std::span<T>, 3> buffers, const Point<T>& first)
      : objective_(objective),
        theta_(theta),
        start_(start),
        direction_(direction),
        ranges_(ranges),
        buffers_(buffers),
        first_(first) {}

  /// The best of at most `most` points, the first of them at `t`; the start itself if none is lower. Theta is left
  /// there.
  Point<T> search(double t, Index most) {
    const Point<T> found = widen(t, most);
    move_to(found.t);
    return found;
  }

 private:
  /// Algorithm 3.5: longer and longer steps, until one is good or two have a good one between them.
  Point<T> widen(double t, Index most) {
    Point<T> before = first_, now = look(t, before, before);
    for (Index looks = 1;; ++looks) {
      if (too_high(now) || (looks > 1 && now.value >= before.value)) return narrow(before, now, most - looks);
      if (flat(now)) return now;
      if (now.slope >= 0) return narrow(before, now, most - looks);
      if (looks == most) return now;
      const double next = interpolate(before, now, now.t + 0.01 * (now.t - before.t), 10 * now.t);
      before = now;
      now = look(next, before, before);
    }
  }

  /// Algorithm 3.6: between two points.
  Point<T> narrow(const Point<T>& a, const Point<T>& b, Index most) {
    Point<T> low = a.value <= b.value ? a : b, high = a.value <= b.value ? b : a;
    const double reach = largest_move();
    bool slow = false;  // the last point was close to an end
    for (Index looks = 0; looks < most && std::abs(high.t - low.t) * reach >= kShortest; ++looks) {
      const Point<T> now = look(between(low, high, slow), low, high);
      if (too_high(now) || now.value >= low.value) {
        high = now;
        if (high.value < low.value) std::swap(low, high);
      } else {
        if (flat(now)) return now;
        if (now.slope * (high.t - low.t) >= 0) high = low;
        low = now;
      }
    }
    return low;
  }

  /// Where to look next: the cubic's minimum, but not a second time near one end of the bracket.
  static double between(const Point<T>& low, const Point<T>& high, bool& slow) {
    const double left = std::min(low.t, high.t), right = std::max(low.t, high.t), margin = 0.1 * (right - left);
    const double t = interpolate(low, high, left, right);
    const bool near = std::min(right - t, t - left) < margin;
    const bool push = near && (slow || t >= right || t <= left);
    slow = near && !push;
    if (!push) return t;
    return std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
  }

  /// The minimum of the cubic through two points (Nocedal and Wright, 3.59), within bounds; their middle if it has
  /// none.
  static double interpolate(const Point<T>& a, const Point<T>& b, double lower, double upper) {
    const Point<T>&left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
    const double d1 = left.slope + right.slope - 3 * (left.value - right.value) / (left.t - right.t);
    const double square = d1 * d1 - left.slope * right.slope;
    if (!std::isfinite(square) || square < 0) return (lower + upper) / 2;
    const double d2 = std::sqrt(square);
    const double t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
    return std::isnan(t) ? (lower + upper) / 2 : std::min(std::max(t, lower), upper);
  }

  bool too_high(const Point<T>& p) const { return p.value > first_.value + kDecrease * p.t * first_.slope; }
  bool flat(const Point<T>& p) const { return std::abs(p.slope) <= -kCurvature * first_.slope; }

  /// The point at `t`; its gradient goes where neither of the two kept points has its own.
  Point<T> look(double t, const Point<T>& kept, const Point<T>& other) {
    std::span<T> room;
    for (const std::span<T> buffer : buffers_)
      if (buffer.data() != kept.gradient.data() && buffer.data() != other.gradient.data()) room = buffer;
    move_to(t);
    const double value = objective_.at(theta_, room);
    return {t, value, std::isfinite(value) ? dot<T>(room, direction_) : std::numeric_limits<double>::infinity(), room};
  }
  void move_to(double t) {
    const simd::Batch<T> factor(static_cast<T>(t));
    for (const ParameterRange& range : ranges_)
      for_each_batch<T>(range, [&](Index i, Index lanes) {
        const auto start = simd::load(start_.data() + i, lanes), d = simd::load(direction_.data() + i, lanes);
        simd::store(theta_.data() + i, simd::fma(factor, d, start), lanes);
      });
  }
  double largest_move() const {
    double largest = 0;
    for (const T d : direction_) largest = std::max(largest, static_cast<double>(std::abs(d)));
    return largest;
  }

  const Objective<T>& objective_;
  std::span<T> theta_;
  std::span<const T> start_, direction_;
  std::span<const ParameterRange> ranges_;
  std::array<std::span<T>, 3> buffers_;
  Point<T> first_;
};

/// The last steps and what they did to the gradient.
template <class T>
class History {
 public:
  static constexpr Index kMost = 200;

  History(OptimizerState<T>& state, std::size_t size, Index places)
      : size_(size),
        places_(places),
        steps_(state.array("steps", size * static_cast<std::size_t>(places))),
        changes_(state.array("changes", size * static_cast<std::size_t>(places))),
        pairs_(state.numbers["pairs"]) {
    if (pairs_.empty()) pairs_.push_back(0);
  }

  bool empty() const { return pairs_[0] == 0; }
  void clear() { pairs_[0] = 0; }

  /// A step t d that changed the gradient from `before` to `after`. One without positive curvature says nothing of a
  /// minimum: its place is taken by the next.
  void store(double t, std::span<const T> d, std::span<const T> before, std::span<const T> after) {
    const auto place = static_cast<std::size_t>(static_cast<Index>(pairs_[0]) % places_) * size_;
    const std::span<T> s = steps_.subspan(place, size_), y = changes_.subspan(place, size_);
    scale<T>(s, t, d);
    add_scaled<T>(y, after, -1, before);
    if (dot<T>(s, y) > 1e-10 * dot<T>(y, y)) pairs_[0] += 1;
  }

  /// q: from a gradient to the inverse of the curvature times it.
  void apply(std::span<T> q) const {
    const Index held = std::min(static_cast<Index>(pairs_[0]), places_);
    if (held == 0) return;
    std::array<double, kMost> alpha, curvature;
    for (Index k = 0; k < held; ++k) {
      const auto i = static_cast<std::size_t>(k);
      curvature[i] = dot<T>(step(k), change(k));
      alpha[i] = dot<T>(step(k), q) / curvature[i];
      add_scaled<T>(q, q, -alpha[i], change(k));
    }
    scale<T>(q, curvature[0] / dot<T>(change(0), change(0)), q);
    for (Index k = held; k-- > 0;) {
      const auto i = static_cast<std::size_t>(k);
      add_scaled<T>(q, q, alpha[i] - dot<T>(change(k), q) / curvature[i], step(k));
    }
  }

 private:
  std::span<const T> step(Index k) const { return steps_.subspan(place(k), size_); }
  std::span<const T> change(Index k) const { return changes_.subspan(place(k), size_); }
  /// Of the k-th youngest.
  std::size_t place(Index k) const {
    return static_cast<std::size_t>((static_cast<Index>(pairs_[0]) - 1 - k) % places_) * size_;
  }

  std::size_t size_;
  Index places_;
  std::span<T> steps_, changes_;
  std::vector<double>& pairs_;
};

template <class T>
class Lbfgs final : public Optimizer<T> {
 public:
  explicit Lbfgs(Build<T>& build)
      : learning_rate_(build.real("learning_rate")),
        tolerance_(build.real("tolerance")),
        history_(build.integer("history")),
        looks_(build.integer("line_search")) {}

  double learning_rate() const override { return learning_rate_; }

  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::size_t n = theta.size();
    const std::span<T> room = state.room(6 * n);
    const auto part = [&](std::size_t k) { return room.subspan(k * n, n); };
    const std::span<T> gradient = part(0), direction = part(1), start = part(2);
    History<T> history(state, n, history_);

    const Objective<T> objective(evaluate, settings);
    const auto [loss, decay] = objective(theta, gradient);
    ++state.step;
    double largest = 0, sum = 0;
    for (const T g : gradient) {
      largest = std::max(largest, static_cast<double>(std::abs(g)));
      sum += static_cast<double>(std::abs(g));
    }
    if (largest <= tolerance_) return loss;

    aim(history, gradient, direction, settings);
    const Point<T> first{0, loss + decay, dot<T>(gradient, direction), gradient};
    if (!(first.slope < 0)) {  // the history's numbers have run out of digits
      history.clear();
      return loss;
    }
    std::copy(theta.begin(), theta.end(), start.begin());
    LineSearch<T> line(objective, theta, start, direction, settings.ranges, {part(3), part(4), part(5)}, first);
    // Without a history, nothing is known of the size of a step.
    const Point<T> found = line.search(history.empty() ? std::min(1.0, 1 / sum) : 1, looks_);
    if (found.t > 0)
      history.store(found.t, direction, gradient, found.gradient);
    else
      history.clear();  // down the gradient in the next step
    return loss;
  }

 private:
  /// d = -R H R g, with R the root of each parameter's learning rate: it points down whatever the rates are.
  void aim(const History<T>& history, std::span<const T> gradient, std::span<T> direction,
           const StepSettings& settings) const {
    const auto stretch = [&](double sign) {
      for (const ParameterRange& range : settings.ranges) {
        const double rate = learning_rate_ * settings.learning_rate_factor * range.learning_rate_factor;
        const simd::Batch<T> root(static_cast<T>(sign * std::sqrt(rate)));
        for_each_batch<T>(range, [&](Index i, Index lanes) {
          simd::store(direction.data() + i, root * simd::load(direction.data() + i, lanes), lanes);
        });
      }
    };
    std::copy(gradient.begin(), gradient.end(), direction.begin());
    stretch(1);
    history.apply(direction);
    clear_rest(direction, settings.ranges);
    stretch(-1);
  }
  /// A history from before a parameter was frozen may lead out of the ranges.
  static void clear_rest(std::span<T> direction, std::span<const ParameterRange> ranges) {
    auto rest = direction.begin();
    for (const ParameterRange& range : ranges) {
      std::fill(rest, direction.begin() + range.begin, T(0));
      rest = direction.begin() + range.end;
    }
    std::fill(rest, direction.end(), T(0));
  }

  double learning_rate_, tolerance_;
  Index history_, looks_;
};

constexpr Field kFields[] = {
    real("learning_rate", "1.0", "gamma, the first step that a line search tries, in Newton steps").above(0),
    integer("history", "10", "pairs of steps and gradients' changes that are remembered")
        .at_least(1)
        .at_most(History<double>::kMost),
    integer("line_search", "25", "evaluations of the loss in one line search at most").at_least(1),
    real("tolerance", "1e-7", "where no element of the gradient is larger, the parameters stay").at_least(0),
};

constexpr Example kExamples[] = {
    {"default", "lbfgs"},
    {"short", "lbfgs: {history: 3, line_search: 10, tolerance: 1e-9}"},
    {"cautious", "lbfgs: {learning_rate: 0.5, history: 20}"},
};

constexpr const char kDocumentation[] = R"(
With the gradient `g` of the loss and the groups' weight decay, `lambda theta`, at the parameters `theta`:

`theta <- theta - t gamma H g`

`H` is the inverse of the curvature as the last `history` steps and the changes of the gradient over them show it
(without any: the identity). `t` is found by a line search, 1 at first: a cubic interpolation for a point with the
strong Wolfe conditions, a decrease of at least `1e-4 t` times the slope at the start, and a slope of at most 0.9
times that. Points whose loss is not finite count as too far. If no step is lower, the history is forgotten and the next
step follows the gradient.

Each step of the training is one such step, on its own batch, and costs an evaluation more than the line search, which
is mostly one or two. It is at its best on smooth losses with all rows in a batch: `training: {batch_size: all}`. The
curvature is measured within a batch, so that batches may change; they should be large. With objectives that draw, all
evaluations of a step see the same draws. Memory: `2 history` times the parameters.

The schedule and the parameter's group multiply `gamma`, the first trial, which the line search may still go beyond.

Other libraries: the sequence of parameters is that of PyTorch's `LBFGS` with `max_iter=1` and
`line_search_fn="strong_wolfe"` on one batch; its `history_size` is 100, and one of its steps makes up to 20 of these.
SciPy's `L-BFGS-B` has the same history.

D. C. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45,
1989. J. Nocedal, S. J. Wright, Numerical optimization, Springer 2006, chapters 3 and 7.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Lbfgs>("optimizer", "lbfgs", "Quasi-Newton steps with a line search", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("lbfgs", "0.1.0", "MIT", kComponents);
