#include "pictures/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/csv_writer.h"
#include "pictures/gnuplot.h"
#include "pictures/kernel_density.h"

namespace pushforward {
namespace {

constexpr Index kScattered = 1500;  // points that a panel can show

/// A name on one line: column names are the user's, and a header is one line for gnuplot.
std::string one_line(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return name;
}

/// Digits that tell the ticks of a range apart.
int tick_digits(const AxisRange& range) {
  return static_cast<int>(std::ceil(std::log10(std::max(std::abs(range.low), std::abs(range.high)) / range.width()))) +
         3;
}
constexpr int kCommonDigits = 6;  // those that %g shows

/// In UTF-8, as against a byte that goes on with one.
bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

Scattered every(const Table& all, const std::vector<int>& classes, Index stride, Index most) {
  Scattered some;
  some.rows.names = all.names;
  some.rows.rows = std::min((all.rows + stride - 1) / stride, most);
  for (Index j = 0; j < all.columns(); ++j)
    for (Index i = 0; i < some.rows.rows; ++i)
      some.rows.values.push_back(all.column(j)[static_cast<std::size_t>(i * stride)]);
  if (!classes.empty())
    for (Index i = 0; i < some.rows.rows; ++i) some.classes.push_back(classes[static_cast<std::size_t>(i * stride)]);
  return some;
}

}  // namespace

TextFile csv_file(std::string name, Table table) {
  for (std::string& column : table.names) column = one_line(column);
  return {std::move(name), encode_csv(table)};
}

std::string range_text(const AxisRange& range) {
  const double step = std::pow(10, std::floor(std::log10(range.width())) - 5);
  return fmt::format("[{:.15g}:{:.15g}]", std::floor(range.low / step) * step, std::ceil(range.high / step) * step);
}

double tick_step(const AxisRange& range, int ticks) {
  double power = std::pow(10, std::floor(std::log10(range.width() / ticks)) - 1);
  for (;; power *= 10)
    for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
      const double step = factor * power;
      if (std::floor(range.high / step) - std::ceil(range.low / step) < ticks) return step;
    }
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shortened(const std::string& name, std::size_t most) {
  if (characters(name) <= most) return name;
  std::size_t seen = 0, end = 0;
  while (end < name.size() && !(begins_character(name[end]) && ++seen == most)) ++end;
  return name.substr(0, end) + "…";
}

namespace {

/// How the ticks of an axis are written, and how far apart they are.
struct Ticks {
  int digits;
  double step;
};
Ticks ticks_of(const AxisRange& range, int most) {
  const int digits = std::clamp(tick_digits(range), kCommonDigits, 15);
  return {digits, tick_step(range, digits > kCommonDigits ? most / 2 : most)};
}

}  // namespace

std::string axis_text(char axis, const std::string& name, const AxisRange& range, int ticks) {
  const Ticks shown = ticks_of(range, ticks);
  return fmt::format("  set {0}label {1}\n  set {0}range {2}\n  set format {0} '%.{3}g'\n  set {0}tics {4:.6g}\n", axis,
                     gnuplot_string(name), range_text(range), shown.digits, shown.step);
}

int digits_of(const AxisRange& range) { return std::clamp(tick_digits(range) + 3, 7, 17); }

double room_beside(const AxisRange& range, int ticks) {
  const Ticks shown = ticks_of(range, ticks);
  std::size_t longest = 0;
  const double first = std::ceil(range.low / shown.step);
  for (int i = 0; i < ticks && (first + i) * shown.step <= range.high; ++i)
    longest = std::max(longest, fmt::format("{:.{}g}", (first + i) * shown.step, shown.digits).size());
  return 46 + 6.5 * static_cast<double>(longest);
}

Overhang overhang(const AxisRange& range, double length, int ticks, double character) {
  const Ticks shown = ticks_of(range, ticks);
  const auto beyond = [&](double tick, double from_end) {
    const std::string text = fmt::format("{:.{}g}", tick == 0 ? 0.0 : tick, shown.digits);
    return std::max(0.0, character * static_cast<double>(text.size()) / 2 - length * from_end / range.width());
  };
  const double first = std::ceil(range.low / shown.step) * shown.step;
  const double last = std::floor(range.high / shown.step) * shown.step;
  return {beyond(first, first - range.low), beyond(last, range.high - last)};
}

Frame frame_of(const Table& rows) {
  return {shown_range(rows.column(0), kPointMargin), shown_range(rows.column(1), kPointMargin)};
}

double Frame::ratio() const {
  const double ratio = y.width() / x.width();
  return ratio >= kMostUnlike && ratio <= 1 / kMostUnlike ? ratio : 1;
}

PanelRow::PanelRow(int count, double longer_side, double ratio)
    : panels(count),
      panel_width(ratio <= 1 ? longer_side : longer_side / ratio),
      panel_height(ratio <= 1 ? longer_side * ratio : longer_side) {}

std::string PanelRow::caption(const std::string& text) const {
  return fmt::format("  set label {} at screen {:.5f}, screen {:.5f} center textcolor rgb '#707070' font ',9'\n",
                     gnuplot_string(text), (left + panel_width / 2) / width(), 9.0 / height());
}

void PanelRow::make_room(const AxisRange& x) {
  const Overhang beyond = overhang(x, panel_width);
  right = std::max(right, beyond.right + 4);
  gap = std::max(gap, beyond.left + beyond.right + 6);
}

std::string PanelRow::multiplot() const {
  const double w = width(), h = height();
  return fmt::format("  set multiplot layout 1,{} margins {:.5f},{:.5f},{:.5f},{:.5f} spacing {:.5f},0\n", panels,
                     left / w, 1 - right / w, bottom / h, 1 - top / h, gap / w);
}

Index outside(const Table& rows, const Frame& frame) {
  const auto beyond = [](const AxisRange& range, double v) { return !(v >= range.low && v <= range.high); };
  Index count = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.rows); ++i)
    count += beyond(frame.x, rows.column(0)[i]) || beyond(frame.y, rows.column(1)[i]) ? 1 : 0;
  return count;
}

const Table& shown_rows(const PictureNumbers& numbers) { return numbers.data ? *numbers.data : *numbers.samples; }

Scattered scattered_data(const PictureNumbers& numbers) {
  const Table& all = *numbers.data;
  return every(all, numbers.data_classes, std::max<Index>((all.rows + kScattered - 1) / kScattered, 1), kScattered);
}

Scattered scattered_samples(const PictureNumbers& numbers) {
  const Table& all = *numbers.samples;
  const Index shown = numbers.data ? scattered_data(numbers).rows.rows : kScattered;
  return every(all, numbers.sample_classes, std::max<Index>(all.rows / std::max<Index>(shown, 1), 1), shown);
}

std::string legend(const PictureNumbers& numbers, double height, const char* model_mark) {
  const bool both = numbers.data && numbers.samples;
  const auto entry = [&](const char* mark, const char* text, const char* align, double place, const char* colour) {
    return fmt::format("  set label '{} {}' at screen {}, screen {} {} textcolor rgb {}\n", mark, text, place, height,
                       align, colour);
  };
  std::string text;
  if (numbers.data) text += entry("■", "training data", both ? "right" : "center", both ? 0.49 : 0.5, "data_colour");
  if (numbers.samples) text += entry(model_mark, "model", both ? "left" : "center", both ? 0.53 : 0.5, "model_colour");
  return text;
}

std::vector<Index> worst_elements(const PictureNumbers& numbers, Index most) {
  std::vector<Index> elements(static_cast<std::size_t>(shown_rows(numbers).columns()));
  std::iota(elements.begin(), elements.end(), Index{0});
  if (static_cast<Index>(elements.size()) <= most) return elements;
  if (numbers.data && numbers.samples) {
    std::vector<double> distance;
    for (const Index j : elements)
      distance.push_back(marginal_distance(numbers.data->column(j), numbers.samples->column(j)));
    std::stable_sort(elements.begin(), elements.end(), [&](Index a, Index b) {
      return distance[static_cast<std::size_t>(a)] > distance[static_cast<std::size_t>(b)];
    });
  }
  elements.resize(static_cast<std::size_t>(most));
  std::sort(elements.begin(), elements.end());
  return elements;
}

Index add_histogram(Table& table, const Table& rows, Index element) {
  const AxisRange range = shown_range(rows.column(element), 0);
  table.rows = histogram_bins(rows.rows);
  for (Index i = 0; i < table.rows; ++i) table.values.push_back(range.centre(i, table.rows));
  const std::vector<double> density = histogram(rows.column(element), range, table.rows);
  table.values.insert(table.values.end(), density.begin(), density.end());
  const std::string& name = rows.names[static_cast<std::size_t>(element)];
  table.names.insert(table.names.end(), {name, name + " density"});
  return table.columns() - 1;
}

Curves curves_of(const PictureNumbers& numbers, Index element) {
  Curves curves;
  curves.range = shown_range(shown_rows(numbers).column(element), kCurveMargin);
  std::vector<double> exact;
  if (const auto& grid = numbers.density) {
    exact = grid->axes.size() == 1 ? grid->density : marginal(*grid, static_cast<std::size_t>(element));
    if (!exact.empty()) curves.range = grid->axes[static_cast<std::size_t>(element)];
  }
  const Index points = exact.empty() ? kCurvePoints : static_cast<Index>(exact.size());
  for (Index i = 0; i < points; ++i) curves.at.push_back(curves.range.centre(i, points));
  if (numbers.data) curves.data = kernel_density(numbers.data->column(element), curves.range, points);
  if (!exact.empty())
    curves.model = exact;
  else if (numbers.samples)
    curves.model = kernel_density(numbers.samples->column(element), curves.range, points);
  return curves;
}

}  // namespace pushforward
