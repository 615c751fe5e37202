// clip: values outside of the bounds of their column are moved to the bound, or refused.
//
// Tukey, "Exploratory data analysis" (1977): bounds by quartiles.
//
// | state | meaning |
// | --- | --- |
// | 0 .. D-1 | lower bounds |
// | D .. 2D-1 | upper bounds |
#include <algorithm>
#include <cmath>
#include <limits>

#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Between the sorted values next to it, linearly (numpy's default).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

template <class T>
class Clip final : public Preprocess<T> {
 public:
  explicit Clip(Build<T>& build)
      : quantiles_(build.reals("quantiles")),
        margin_(build.real("margin")),
        refuse_(build.text("outside") == "refuse"),
        place_(build.path()) {
    if (build.given("low")) low_ = build.real("low");
    if (build.given("high")) high_ = build.real("high");
    fixed_ = build.given("low") || build.given("high");
    if (low_ >= high_)
      build.fail("low", "is " + number_text(low_) + ", but must be below 'high', which is " + number_text(high_));
    if (quantiles_.size() != 2 || quantiles_[0] >= quantiles_[1])
      build.fail("quantiles", "must be two shares, the smaller one first, such as [0.25, 0.75]");
  }

  Index state_size(Index columns) const override { return 2 * columns; }

  void fit(const Table& training, std::span<double> state) const override {
    require_state(training, state.size());
    if (training.rows == 0) throw DataError(place_ + ": there are no training rows to take quantiles from");
    const std::size_t columns = static_cast<std::size_t>(training.columns());
    for (std::size_t j = 0; j < columns; ++j) {
      state[j] = low_;
      state[columns + j] = high_;
      if (fixed_) continue;
      const std::span<const double> x = training.column(static_cast<Index>(j));
      std::vector<double> sorted(x.begin(), x.end());
      std::sort(sorted.begin(), sorted.end());
      const double low = quantile(sorted, quantiles_[0]), high = quantile(sorted, quantiles_[1]);
      if (low == high)
        throw DataError(place_ + ": both quantiles of column '" + training.names[j] + "' are " + number_text(low) +
                        ", so all other values would be outside; give quantiles further apart, or 'low' and 'high'");
      state[j] = low - margin_ * (high - low);
      state[columns + j] = high + margin_ * (high - low);
    }
  }

  void apply(Table& table, std::span<const double> state, std::span<double>) const override {
    require_state(table, state.size());
    const std::size_t columns = static_cast<std::size_t>(table.columns());
    for (std::size_t j = 0; j < columns; ++j) {
      const double low = state[j], high = state[columns + j];
      const std::span<double> x = table.column(static_cast<Index>(j));
      if (refuse_)
        require_inside(x, low, high, table.names[j]);
      else
        for (double& value : x) value = std::min(std::max(value, low), high);
    }
  }

  /// Where a value came from that was moved, nobody knows.
  void undo(Table& table, std::span<const double> state) const override { require_state(table, state.size()); }

 private:
  void require_state(const Table& table, std::size_t size) const {
    if (static_cast<Index>(size) != 2 * table.columns())
      throw ShapeError("clip: a table of " + std::to_string(table.columns()) + " columns needs " +
                       std::to_string(2 * table.columns()) + " numbers of state, not " + std::to_string(size));
  }
  void require_inside(std::span<const double> x, double low, double high, const std::string& name) const {
    const auto outside =
        std::find_if(x.begin(), x.end(), [&](double value) { return !(value >= low && value <= high); });
    if (outside != x.end())
      throw DataError(place_ + ": column '" + name + "' holds " + number_text(*outside) + " in row " +
                      std::to_string(outside - x.begin()) + " of its split, but its bounds are " + number_text(low) +
                      " and " + number_text(high) +
                      "; rows are counted from 0. Remove that row, widen the bounds, or "
                      "set 'outside: move'");
  }

  double low_ = -std::numeric_limits<double>::infinity(), high_ = std::numeric_limits<double>::infinity();
  std::vector<double> quantiles_;
  double margin_;
  bool refuse_, fixed_ = false;
  std::string place_;
};

constexpr Field kFields[] = {
    real("low", kOptional, "lower bound of every column; with it or `high`, `quantiles` are not looked at"),
    real("high", kOptional, "upper bound of every column"),
    reals("quantiles", "[0.25, 0.75]", "two quantiles q0, q1 of each column's training rows").at_least(0).at_most(1),
    real("margin", "3.0", "the bounds are q0 - margin (q1 - q0) and q1 + margin (q1 - q0)").at_least(0),
    choice("outside", "move", "move|refuse",
           "whether a value outside is moved to the bound, or is an error with its row and column"),
};

constexpr Example kExamples[] = {
    {"default", "clip"},
    {"bounds", "clip: {low: -20.0, high: 20.0}"},
    {"one_bound", "clip: {low: -20.0}"},
    {"quantiles", "clip: {quantiles: [0.1, 0.9], margin: 1.5}"},
    {"refuse", "clip: {outside: refuse}"},
};

constexpr const char kDocumentation[] = R"(
`x_j = min(max(y_j, a_j), b_j)` for every column j, with the same numbers `low` and `high` for all, or with bounds from
the training rows. The default bounds are Tukey's outer fences: three times the distance between the quartiles beyond
them, which normal numbers pass once in 400,000 times.

**What it does to densities.** A row inside of the bounds is not changed, and its log density is exact (log_det 0). A
row outside is *another row* from there on: what is told of it, in the loss, by `evaluate` and by `log-prob`, is the log
density of the point on the bound, not its own, and mostly higher. Moved values are lumps of probability on the bounds,
which no density has. So compare test log-likelihoods only with those of models with the same bounds, choose bounds that
few values pass, or set `outside: refuse`, which changes no value and so leaves all densities exact: then this is a
check. The way back changes nothing: samples may lie outside, and moved values stay moved. The better remedy for wild
values is often a base with heavy tails.

Other libraries: `numpy.clip`; winsorizing, with `quantiles: [0.01, 0.99]` and `margin: 0.0`; scikit-learn's
`RobustScaler` takes the same quartiles, but only scales.

J. W. Tukey, Exploratory data analysis (1977).
)";

constexpr ComponentInfo kComponents[] = {describe<Clip>("preprocess", "clip",
                                                        "Moves values outside of bounds to the bound, or refuses them",
                                                        kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("clip", "0.1.0", "MIT", kComponents);
