// standardize: every column to mean 0 and standard deviation 1 over the training rows.
//
// | state | meaning |
// | --- | --- |
// | 0 .. D-1 | means |
// | D .. 2D-1 | standard deviations |
#include <algorithm>
#include <cmath>

#include "pushforward/linear_algebra.h"
#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Standardize final : public Preprocess<T> {
 public:
  explicit Standardize(Build<T>&) {}

  Index state_size(Index columns) const override { return 2 * columns; }

  void fit(const Table& training, std::span<double> state) const override {
    require_state(training, state.size());
    if (training.rows == 0) throw DataError("standardize: there are no training rows to take means from");
    const double rows = static_cast<double>(training.rows);
    std::vector<double> centred(static_cast<std::size_t>(training.rows));
    for (Index j = 0; j < training.columns(); ++j) {
      const std::span<const double> x = training.column(j);
      const double mean = sum_in_order(x.data(), training.rows) / rows;
      for (std::size_t i = 0; i < x.size(); ++i) centred[i] = x[i] - mean;
      const double deviation = std::sqrt(dot_in_order(centred.data(), centred.data(), training.rows) / rows);
      require_spread(training, j, deviation);
      state[static_cast<std::size_t>(j)] = mean;
      state[static_cast<std::size_t>(training.columns() + j)] = deviation;
    }
  }

  void apply(Table& table, std::span<const double> state, std::span<double> log_det) const override {
    require_state(table, state.size());
    const std::size_t columns = static_cast<std::size_t>(table.columns());
    double slope = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      const double mean = state[j], deviation = state[columns + j];
      for (double& x : table.column(static_cast<Index>(j))) x = (x - mean) / deviation;
      slope -= std::log(deviation);
    }
    for (double& row : log_det) row += slope;
  }

  void undo(Table& table, std::span<const double> state) const override {
    require_state(table, state.size());
    const std::size_t columns = static_cast<std::size_t>(table.columns());
    for (std::size_t j = 0; j < columns; ++j)
      for (double& x : table.column(static_cast<Index>(j))) x = x * state[columns + j] + state[j];
  }

 private:
  static void require_state(const Table& table, std::size_t size) {
    if (static_cast<Index>(size) != 2 * table.columns())
      throw ShapeError("standardize: a table of " + std::to_string(table.columns()) + " columns needs " +
                       std::to_string(2 * table.columns()) + " numbers of state, not " + std::to_string(size));
  }
  /// The rounding of a mean gives a constant column a tiny deviation, so its values are looked at.
  static void require_spread(const Table& table, Index j, double deviation) {
    const std::span<const double> x = table.column(j);
    const std::string column = "standardize: column '" + table.names[static_cast<std::size_t>(j)] + "' ";
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    if (*low == *high)
      throw DataError(
          column + "is " + number_text(*low) +
          (table.rows == 1 ? " in the only training row" : " in all " + std::to_string(table.rows) + " training rows") +
          ", so it has no standard deviation to divide by; " +
          (table.rows == 1 ? "give more rows" : "leave the column out of the data"));
    if (!std::isfinite(deviation) || deviation == 0)
      throw DataError(column + "has the standard deviation " + number_text(deviation) +
                      " over the training rows, but it must be finite and above 0; look for values that are not "
                      "finite, or give the column in other units");
  }
};

constexpr Example kExamples[] = {{"default", "standardize"}};

constexpr const char kDocumentation[] = R"(
`x_j = (y_j - m_j) / s_j` with the mean `m_j = sum_i y_ij / n` and the population standard deviation
`s_j = sqrt(sum_i (y_ij - m_j)^2 / n)` of column j over the n training rows; log_det `-sum_j log s_j`, the same for
every row. A column that is constant in the training rows is an error.

Other libraries: scikit-learn's `StandardScaler`.
)";

constexpr ComponentInfo kComponents[] = {describe<Standardize>("preprocess", "standardize",
                                                               "Mean 0 and standard deviation 1 over the training rows",
                                                               nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("standardize", "0.1.0", "MIT", kComponents);
