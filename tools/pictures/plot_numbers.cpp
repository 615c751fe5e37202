#include "pictures/plot_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <random>

#include "pushforward/error.h"

namespace pushforward {
namespace {

constexpr std::uint64_t kPickSeed = 1;
constexpr double kFarOut = 5;          // widths of the middle half; one in a hundred of an exponential tail is at 3.8
constexpr double kMostSteps = 0x1p53;  // more are no whole numbers in a table
constexpr std::array<const char*, 3> kLossColumns{"step", "loss", "validation_loss"};

/// Every row at most once: the first `limit` of a shuffle. Modulo rather than a distribution of the library's, so that
/// every library picks the same; its bias is that of 2^64 against the number of rows.
std::vector<Index> without_weights(Index rows, Index limit) {
  std::vector<Index> picked(static_cast<std::size_t>(rows));
  std::iota(picked.begin(), picked.end(), Index{0});
  if (rows <= limit) return picked;
  std::mt19937_64 random(kPickSeed);
  for (Index i = 0; i < limit; ++i) {
    const auto left = static_cast<std::uint64_t>(rows - i);
    std::swap(picked[static_cast<std::size_t>(i)],
              picked[static_cast<std::size_t>(i) + static_cast<std::size_t>(random() % left)]);
  }
  picked.resize(static_cast<std::size_t>(limit));
  std::sort(picked.begin(), picked.end());
  return picked;
}

/// The cells of one line; those that are missing are empty.
std::array<std::string_view, kLossColumns.size()> first_cells(std::string_view line) {
  std::array<std::string_view, kLossColumns.size()> cells;
  for (std::string_view& cell : cells) {
    cell = line.substr(0, line.find(','));
    line.remove_prefix(std::min(line.size(), cell.size() + 1));
  }
  return cells;
}

/// NaN for an empty cell; none for one that holds something else than a number.
std::optional<double> number_of(std::string_view cell) {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (cell.empty()) return number;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return number;
}

}  // namespace

AxisRange axis_range(std::span<const double> values, double margin) {
  AxisRange range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double v : values) {
    if (!(std::abs(v) <= kLargestShown)) continue;
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  }
  if (range.low > range.high) return {0, 1};
  if (range.width() < kNarrowestShown) {
    const double half = std::abs(range.low) < kNarrowestShown ? 0.5 : 0.5 * std::abs(range.low);
    return {range.low - half, range.high + half};
  }
  const double added = margin * range.width();
  return {range.low - added, range.high + added};
}

AxisRange shown_range(std::span<const double> values, double margin) {
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted), [](double v) { return std::isfinite(v); });
  std::sort(sorted.begin(), sorted.end());
  const std::size_t tail = sorted.size() / 200;
  if (tail == 0) return axis_range(sorted, margin);
  const auto from_ends = [&](std::size_t n) { return AxisRange{sorted[n], sorted[sorted.size() - 1 - n]}; };
  const AxisRange middle = from_ends(tail), half = from_ends(sorted.size() / 4), most = from_ends(sorted.size() / 40);
  const double reach = 0.5 * middle.width(), far = kFarOut * half.width();
  double ends[] = {std::max(sorted.front(), middle.low - reach), std::min(sorted.back(), middle.high + reach)};
  if (half.width() > 0 && middle.low < half.low - far)
    ends[0] = std::max(middle.low, std::min(half.low - far, most.low));
  if (half.width() > 0 && middle.high > half.high + far)
    ends[1] = std::min(middle.high, std::max(half.high + far, most.high));
  return axis_range(ends, margin);
}

void give_one_scale(AxisRange& x, AxisRange& y) {
  const double width = std::max(x.width(), y.width());
  if (std::min(x.width(), y.width()) < kMostUnlike * width) return;
  for (AxisRange* range : {&x, &y}) {
    const double added = (width - range->width()) / 2;
    *range = {range->low - added, range->high + added};
  }
}

std::vector<double> marginal(const DensityGrid& grid, std::size_t axis) {
  const auto n = static_cast<std::size_t>(grid.cells);
  const double other = grid.axes[1 - axis].width() / static_cast<double>(n);
  std::vector<double> density(n);
  for (std::size_t i = 0; i < grid.density.size(); ++i) density[axis == 0 ? i % n : i / n] += grid.density[i] * other;
  const double mass =
      std::accumulate(density.begin(), density.end(), 0.0) * grid.axes[axis].width() / static_cast<double>(n);
  return std::abs(mass - 1) < 0.03 ? density : std::vector<double>();
}

double marginal_distance(std::span<const double> a, std::span<const double> b) {
  std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  for (std::vector<double>* values : {&x, &y}) {
    std::erase_if(*values, [](double v) { return std::isnan(v); });
    std::sort(values->begin(), values->end());
  }
  if (x.empty() || y.empty()) return 1;
  double distance = 0;
  for (std::size_t i = 0, j = 0; i < x.size() && j < y.size();) {
    const double at = std::min(x[i], y[j]);
    while (i < x.size() && x[i] == at) ++i;
    while (j < y.size() && y[j] == at) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / static_cast<double>(x.size()) -
                                           static_cast<double>(j) / static_cast<double>(y.size())));
  }
  return distance;
}

std::vector<double> histogram(std::span<const double> values, const AxisRange& range, Index bins) {
  std::vector<double> density(static_cast<std::size_t>(bins));
  const double each =
      static_cast<double>(bins) / (range.width() * static_cast<double>(std::max<std::size_t>(values.size(), 1)));
  for (const double v : values) {
    const double place = (v - range.low) / range.width() * static_cast<double>(bins);
    // The upper end belongs to the last bin; NaN to none.
    if (place >= 0 && place <= static_cast<double>(bins))
      density[std::min(static_cast<std::size_t>(place), density.size() - 1)] += each;
  }
  return density;
}

Index histogram_bins(Index values) {
  return std::clamp(static_cast<Index>(std::ceil(2 * std::cbrt(static_cast<double>(values)))), Index{10}, Index{60});
}

std::vector<Index> picked_rows(Index rows, Index limit, std::span<const double> weights) {
  if (weights.empty()) return without_weights(rows, limit);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const Index n = std::min(rows, limit);
  const double step = total / static_cast<double>(n);
  std::vector<Index> picked;
  double reached = 0;
  for (Index i = 0; i < rows; ++i) {
    reached += weights[static_cast<std::size_t>(i)];
    while (static_cast<Index>(picked.size()) < n && (static_cast<double>(picked.size()) + 0.5) * step < reached)
      picked.push_back(i);
  }
  return picked;
}

Table losses_of(const std::string& metrics, const std::string& name) {
  const std::string_view text = metrics;
  std::array<std::vector<double>, kLossColumns.size()> columns;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const auto cells = first_cells(text.substr(begin, end - begin));
    if (begin == 0) {
      if (!std::equal(cells.begin(), cells.end(), kLossColumns.begin()))
        throw DataError(fmt::format("{}:1:1: error: the first line is not that of a table of metrics", name));
      continue;
    }
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const std::optional<double> number = number_of(cells[j]);
      if (!number)
        throw DataError(fmt::format("{}:{}:{}: error: the column '{}' holds something that is no number; correct it",
                                    name, columns[j].size() + 2, cells[j].data() - text.data() - begin + 1,
                                    kLossColumns[j]));
      columns[j].push_back(*number);
    }
    if (std::isnan(columns[0].back()))
      throw DataError(fmt::format("{}:{}:1: error: this line has no step; remove it", name, columns[0].size() + 1));
    if (const double step = columns[0].back(); step < 0 || step > kMostSteps || step != std::floor(step))
      throw DataError(
          fmt::format("{}:{}:1: error: this line's step is {}, but steps are whole numbers of at most 2^53; "
                      "correct it, or remove the line",
                      name, columns[0].size() + 1, step));
  }
  Table table{
      .rows = static_cast<Index>(columns[0].size()), .names = {kLossColumns.begin(), kLossColumns.end()}, .values = {}};
  for (const auto& column : columns) table.values.insert(table.values.end(), column.begin(), column.end());
  return table;
}

}  // namespace pushforward
