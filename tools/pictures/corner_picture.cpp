// corner: every pair of elements, and each alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/kernel_density.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

constexpr Index kCells = 64;    // of a density, along each axis
constexpr Index kPoints = 400;  // in each panel
constexpr std::size_t kNameLength = 14;
constexpr int kTicksOfPanel = 3;
constexpr double kShares[] = {0.9, 0.5};

/// Places of panels, in points.
struct Places {
  Index elements;
  double panel, left, bottom = 44, top = 10, right = 10, gap = 8;
  double side(double before, double after) const {
    const auto n = static_cast<double>(elements);
    return before + n * panel + (n - 1) * gap + after;
  }
  double width() const { return std::round(side(left, right)); }
  double height() const { return std::round(side(top, bottom)); }
  double from_left(Index column) const { return left + static_cast<double>(column) * (panel + gap); }
  double from_top(Index row) const { return top + static_cast<double>(row) * (panel + gap); }
  double middle(Index row) const { return 1 - (from_top(row) + panel / 2) / height(); }
  std::string margins(Index column, Index row) const {
    return fmt::format(
        "  set lmargin at screen {:.5f}\n  set rmargin at screen {:.5f}\n"
        "  set tmargin at screen {:.5f}\n  set bmargin at screen {:.5f}\n",
        from_left(column) / width(), (from_left(column) + panel) / width(), 1 - from_top(row) / height(),
        1 - (from_top(row) + panel) / height());
  }
};

class Corner {
 public:
  explicit Corner(const PictureNumbers& numbers)
      : numbers_(numbers),
        rows_(shown_rows(numbers)),
        elements_(worst_elements(numbers, kMostInCorner)),
        places_{.elements = static_cast<Index>(elements_.size()),
                .panel = elements_.size() <= 3   ? 150.0
                         : elements_.size() <= 4 ? 130.0
                                                 : 108.0,
                .left = 0} {
    for (const Index j : elements_) ranges_.push_back(shown_range(rows_.column(j), kCurveMargin));
    for (std::size_t i = 1; i < ranges_.size(); ++i)
      places_.left = std::max(places_.left, room_beside(ranges_[i], kTicksOfPanel));
  }

  Picture picture() {
    std::string script = gnuplot_beginning("corner", "Pairs of elements: training data and model",
                                           static_cast<int>(places_.width()), static_cast<int>(places_.height()));
    script +=
        "  set tics font ',8'\n  set xlabel font ',9'\n  set xtics scale 0.4\n  set boxwidth 1 relative\n  unset key\n "
        " unset grid\n";
    script += "  set multiplot\n" + legend_text();
    for (Index row = 0; row < places_.elements; ++row)
      for (Index column = 0; column <= row; ++column) {
        script += places_.margins(column, row) + axis(true, column, row) + axis(false, column, row);
        script += column == row ? diagonal(row) : pair(column, row);
        script += "  unset label\n";
      }
    std::vector<TextFile> files{csv_file("curves.csv", curves_), csv_file("bars.csv", bars_)};
    if (numbers_.data) files.push_back(csv_file("data.csv", scattered_data(numbers_).rows));
    if (!contours_.empty()) files.push_back({"contours.csv", contours_});
    return {"corner", script + "  unset multiplot\n" + gnuplot_end(), files};
  }

 private:
  std::size_t element(Index i) const { return static_cast<std::size_t>(elements_[static_cast<std::size_t>(i)]); }
  const AxisRange& range(Index i) const { return ranges_[static_cast<std::size_t>(i)]; }

  std::string legend_text() const {
    std::string text;
    double down = 18;
    const auto line = [&](const std::string& words, const char* colour) {
      text += fmt::format("  set label '{}' at screen {:.5f}, screen {:.5f} right textcolor rgb {}\n", words,
                          1 - places_.right / places_.width(), 1 - down / places_.height(), colour);
      down += 17;
    };
    if (numbers_.data) line("● training data", "data_colour");
    if (numbers_.samples) line("━ model, contours of 50 % and 90 %", "model_colour");
    if (places_.elements < rows_.columns())
      line(fmt::format("{} of {} columns, those that fit worst", places_.elements, rows_.columns()), "'#707070'");
    if (const Index count = outside()) line(fmt::format("{} outside", counted(count, "row")), "'#707070'");
    return text;
  }

  /// How many rows have an element that lies outside of its range.
  Index outside() const {
    Index count = 0;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows_.rows); ++row) {
      bool beyond = false;
      for (Index i = 0; i < places_.elements; ++i) {
        const double v = rows_.column(static_cast<Index>(element(i)))[row];
        beyond = beyond || v < range(i).low || v > range(i).high;
      }
      count += beyond ? 1 : 0;
    }
    return count;
  }

  /// Labels and ticks stand on the outer panels alone.
  std::string axis(bool horizontal, Index column, Index row) const {
    const bool outer = horizontal ? row + 1 == places_.elements : column == 0 && row > 0;
    const Index i = horizontal ? column : row;
    const char letter = horizontal ? 'x' : 'y';
    const std::string name = outer ? shortened(rows_.names[element(i)], kNameLength) : "";
    std::string text = axis_text(letter, horizontal ? name : "", range(i), kTicksOfPanel);
    if (!outer) text += fmt::format("  set format {} ''\n", letter);
    if (!horizontal) text += "  set ytics nomirror out scale 0.4 font ',8' textcolor rgb '#303030'\n";
    if (!horizontal && outer)  // all in one line, however wide the ticks are
      text += fmt::format(
          "  set label {} at screen {:.5f}, screen {:.5f} center rotate textcolor rgb '#202020' font ',9'\n",
          gnuplot_string(name), 12 / places_.width(), places_.middle(row));
    return text;
  }

  std::string diagonal(Index i) {
    const Curves curves = curves_of(numbers_, elements_[static_cast<std::size_t>(i)]);
    const auto j = static_cast<Index>(element(i));
    const std::string& name = rows_.names[element(i)];
    const auto add = [](Table& table, const std::string& column, const std::vector<double>& values) {
      table.rows = static_cast<Index>(values.size());
      table.names.push_back(column);
      table.values.insert(table.values.end(), values.begin(), values.end());
      return table.columns();
    };
    const Index bar = add_histogram(bars_, rows_, j);
    std::string text = fmt::format(
        "  unset ytics\n  set yrange [0:*]\n  set offsets 0, 0, graph 0.08, 0\n"
        "  plot 'bars.csv' skip 1 using {}:{} with boxes fillstyle solid 0.25 noborder linecolor rgb {} notitle",
        bar, bar + 1, numbers_.data ? "data_colour" : "model_colour");
    const Index at = add(curves_, name, curves.at);
    if (!curves.model.empty()) {
      add(curves_, name + " model", curves.model);
      text += fmt::format(
          ", \\\n       'curves.csv' skip 1 using {}:{} with lines linewidth 1.5 linecolor rgb model_colour notitle",
          at, at + 1);
    }
    return text + "\n  set offsets 0, 0, 0, 0\n";
  }

  std::string pair(Index column, Index row) {
    std::string text;
    if (numbers_.data) {
      const Index rows = scattered_data(numbers_).rows.rows;
      text += fmt::format(
          "'data.csv' skip 1 every {} using {}:{} with points pointtype 7 pointsize 0.2 linecolor rgb "
          "'#80'.data_colour[2:] "
          "notitle",
          (rows + kPoints - 1) / kPoints, element(column) + 1, element(row) + 1);
    }
    if (numbers_.samples && add_contours(column, row))
      text += fmt::format(
          "{}'contours.csv' skip 1 index {} using 1:2 with lines linewidth 1.1 linecolor rgb model_colour notitle",
          text.empty() ? "" : ", \\\n       ", blocks_++);
    return text.empty() ? "" : "  plot " + text + "\n";
  }

  bool add_contours(Index column, Index row) {
    const DensityGrid grid =
        kernel_density(numbers_.samples->column(static_cast<Index>(element(column))),
                       numbers_.samples->column(static_cast<Index>(element(row))), range(column), range(row), kCells);
    std::string block;
    for (const double share : kShares)
      for (const Polyline& line : contour_lines(grid, level_of_mass(grid, share))) {
        for (const auto& [x, y] : line)
          fmt::format_to(std::back_inserter(block), "{:.{}g},{:.{}g}\n", x, digits_of(range(column)), y,
                         digits_of(range(row)));
        block += '\n';
      }
    if (block.empty()) return false;
    if (contours_.empty()) contours_ = "x,y\n";
    contours_ += block + "\n";
    return true;
  }

  const PictureNumbers& numbers_;
  const Table& rows_;
  std::vector<Index> elements_;
  std::vector<AxisRange> ranges_;
  Places places_;
  Table curves_, bars_;
  std::string contours_;
  Index blocks_ = 0;
};

}  // namespace

Picture corner_picture(const PictureNumbers& numbers) { return Corner(numbers).picture(); }

}  // namespace pushforward
