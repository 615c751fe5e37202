// Numbers that pictures show: ranges of axes, histograms, and which of many rows are drawn.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pushforward/dataset.h"

namespace pushforward {

struct AxisRange {
  double low = 0, high = 0;
  double width() const { return high - low; }
  /// The centre of the i-th of `cells` equal cells.
  double centre(Index i, Index cells) const {
    return low + width() * (static_cast<double>(i) + 0.5) / static_cast<double>(cells);
  }
};

/// Numbers at either end of the doubles have no axis: its steps would be zero or infinite.
inline constexpr double kLargestShown = 1e300, kNarrowestShown = 1e-300;

/// From the least to the greatest of the values up to kLargestShown, widened on both sides by `margin` times the width.
/// Equal values get a range around them; none at all [0, 1].
AxisRange axis_range(std::span<const double> values, double margin);

/// The same for a picture, without values so far off that they would leave the rest a dot: beyond one and a half times
/// the range of the middle 99 of 100 and, where a tail begins within it, beyond the middle 95 of 100 and five widths of
/// the middle half around it.
AxisRange shown_range(std::span<const double> values, double margin);

/// Axes of which one is shorter than this share of the other are not drawn to one scale.
inline constexpr double kMostUnlike = 0.45;
/// Gives two axes the same length, by widening the shorter, unless they differ too much for one scale.
void give_one_scale(AxisRange& x, AxisRange& y);

/// Values of a density over a grid of one or two axes, at the centres of equal cells.
struct DensityGrid {
  std::vector<AxisRange> axes;
  Index cells = 0;              // along each axis
  std::vector<double> density;  // the first axis fastest
};
/// The density of one element of two: the sum over the other one's cells. Empty unless nearly all of the density lies
/// on the grid, and is resolved by it.
std::vector<double> marginal(const DensityGrid& grid, std::size_t axis);

/// The greatest distance between the distribution functions of two columns: Kolmogorov and Smirnov's statistic.
double marginal_distance(std::span<const double> a, std::span<const double> b);

/// The density of values in `bins` equal bins of a range: counts over their number and the bin's width. Values outside
/// the range count in the number, so a bar never promises more than there is.
std::vector<double> histogram(std::span<const double> values, const AxisRange& range, Index bins);
/// How many bins so many values fill well: Rice's rule, 2 n^(1/3), between 10 and 60.
Index histogram_bins(Index values);

/// Up to `limit` of `rows` rows, in order. Without weights (empty) each at most once, all of them if they are few;
/// otherwise as often as their weights say, by systematic resampling. The same rows every time.
std::vector<Index> picked_rows(Index rows, Index limit, std::span<const double> weights);

/// Columns step, loss and validation_loss of a run's metrics.csv, with NaN where a cell is empty. A line that a run
/// left unfinished is left out. Throws DataError if the text is no table of metrics; `name` is the file in its message.
Table losses_of(const std::string& metrics, const std::string& name);

}  // namespace pushforward
