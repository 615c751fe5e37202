// my_name: every column centred at its median and divided by the distance of two quantiles.
//
// | state | meaning |
// | --- | --- |
// | 0 .. D-1 | medians |
// | D .. 2D-1 | distances |
//
// What outliers do to a mean and a standard deviation they do not do to quantiles.
#include <algorithm>
#include <cmath>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Linear between the neighbouring order statistics (Hyndman and Fan 1996, definition 7).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

template <class T>
class MyName final : public Preprocess<T> {
 public:
  explicit MyName(Build<T>& build) : share_(build.real("share")) {}

  Index state_size(Index columns) const override { return 2 * columns; }

  /// Computes the state, which every checkpoint carries, from the training rows.
  void fit(const Table& training, std::span<double> state) const override {
    if (training.rows == 0) throw DataError("my_name: there are no training rows to take quantiles from");
    const std::size_t columns = static_cast<std::size_t>(training.columns());
    for (std::size_t j = 0; j < columns; ++j) {
      const std::span<const double> x = training.column(static_cast<Index>(j));
      std::vector<double> sorted(x.begin(), x.end());
      std::sort(sorted.begin(), sorted.end());
      const double spread = quantile(sorted, 1 - share_) - quantile(sorted, share_);
      if (!(spread > 0) || !std::isfinite(spread))
        throw DataError(
            "my_name: the quantiles of column '" + training.names[j] +
            "' are equal or not finite, so it cannot be divided by their distance; leave the column out, or "
            "choose a smaller share");
      state[j] = quantile(sorted, 0.5);
      state[columns + j] = spread;
    }
  }

  /// Raw to preprocessed, in place. What is in `log_det` already stays in it.
  void apply(Table& table, std::span<const double> state, std::span<double> log_det) const override {
    const std::size_t columns = static_cast<std::size_t>(table.columns());
    double slope = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      for (double& x : table.column(static_cast<Index>(j))) x = (x - state[j]) / state[columns + j];
      slope -= std::log(state[columns + j]);
    }
    for (double& row : log_det) row += slope;
  }

  void undo(Table& table, std::span<const double> state) const override {
    const std::size_t columns = static_cast<std::size_t>(table.columns());
    for (std::size_t j = 0; j < columns; ++j)
      for (double& x : table.column(static_cast<Index>(j))) x = x * state[columns + j] + state[j];
  }

 private:
  double share_;
};

constexpr Field kFields[] = {
    real("share", "0.25", "of the rows below the lower quantile, and above the upper one").above(0).below(0.5),
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"wide", "my_name: {share: 0.05}"},
};

constexpr const char kDocumentation[] = R"(
`x_j = (y_j - m_j) / d_j` with the median m and the distance d of the quantiles `share` and `1 - share` of column j over
the training rows; log_det `-sum_j log d_j`.

Other libraries: scikit-learn's `RobustScaler` is the default.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("preprocess", "my_name", "Centred and scaled by quantiles", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
