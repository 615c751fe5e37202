// density, warp: what a model of two elements makes of the plane.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

/// The grid with the first axis' centres in the first row and the second's in the first column, for those who read it
/// without the script; where these meet stands their number, as everywhere in a matrix gnuplot wants one.
TextFile grid_file(const DensityGrid& grid) {
  std::string text = fmt::format("{}", grid.cells);
  const auto out = std::back_inserter(text);
  for (Index i = 0; i < grid.cells; ++i) fmt::format_to(out, ",{}", grid.axes[0].centre(i, grid.cells));
  text += '\n';
  for (Index j = 0; j < grid.cells; ++j) {
    fmt::format_to(out, "{}", grid.axes[1].centre(j, grid.cells));
    for (Index i = 0; i < grid.cells; ++i)
      fmt::format_to(out, ",{:.6g}", grid.density[static_cast<std::size_t>(i + j * grid.cells)]);
    text += '\n';
  }
  return {"density.csv", std::move(text)};
}

/// Where gnuplot finds the cells: their centres as functions of their numbers, which begin at 1. It would read those in
/// the file in single precision.
std::string grid_text(const DensityGrid& grid) {
  std::string text;
  for (const std::size_t axis : {0, 1})
    text +=
        fmt::format("  {}(i) = {:.17g} + (i - 1) * {:.17g}\n", axis ? "y_of" : "x_of",
                    grid.axes[axis].centre(0, grid.cells), grid.axes[axis].width() / static_cast<double>(grid.cells));
  return text;
}

/// The end of the colours: the greatest density, unless a few cells are so far above the rest that it would be dark.
double top_colour(const DensityGrid& grid) {
  std::vector<double> sorted = grid.density;
  std::sort(sorted.begin(), sorted.end());
  const double most = sorted[sorted.size() * 998 / 1000];
  return most > 0 && sorted.back() > 3 * most ? most : sorted.back();
}

const char* file_of_rows(const PictureNumbers& numbers) { return numbers.data ? "data.csv" : "samples.csv"; }

// --- warp ------------------------------------------------------------------------------------------------------------

void append_lines(std::string& text, const std::vector<WarpedLine>& lines, const Frame& frame) {
  const int x_digits = digits_of(frame.x), y_digits = digits_of(frame.y);
  const auto out = std::back_inserter(text);
  for (const WarpedLine& line : lines) {
    for (std::size_t i = 0; i < line.base.size(); ++i)
      fmt::format_to(out, "{:.6g},{:.6g},{:.{}g},{:.{}g}\n", line.base[i][0], line.base[i][1], line.data[i][0],
                     x_digits, line.data[i][1], y_digits);
    text += '\n';
  }
  text += '\n';
}

/// Blocks, two empty lines apart: upright lines, level lines, points, contours if there are any.
TextFile warp_file(const Warp& warp, const Table& rows, const Frame& frame) {
  Table names{.rows = 0, .names = {"z0", "z1", rows.names[0], rows.names[1]}, .values = {}};
  std::string text = csv_file("", names).text;
  append_lines(text, warp.upright, frame);
  append_lines(text, warp.level, frame);
  append_lines(text, {warp.draws}, frame);
  append_lines(text, warp.contours, frame);
  return {"warp.csv", std::move(text)};
}

AxisRange range_of(const std::vector<WarpedLine>& lines, std::size_t element) {
  std::vector<double> values;
  for (const WarpedLine& line : lines)
    for (const auto& point : line.base) values.push_back(point[element]);
  return axis_range(values, 0.06);
}

std::string warp_panel(const Warp& warp, int x, int y) {
  std::string text = "  plot ";
  const auto lines = [&](int block, const char* style) {
    text += fmt::format("'warp.csv' skip 1 index {} using {}:{} with {} notitle", block, x, y, style);
  };
  lines(2, "points pointtype 7 pointsize 0.2 linecolor rgb '#b0b0b0'");
  text += ", \\\n       ";
  lines(0, "lines linewidth 0.7 linecolor rgb '#0072b2'");
  text += ", \\\n       ";
  lines(1, "lines linewidth 0.7 linecolor rgb '#009e73'");
  if (!warp.contours.empty()) {
    text += ", \\\n       ";
    lines(3, "lines linewidth 2 linecolor rgb '#d55e00'");
  }
  return text + "\n";
}

/// What is drawn, in one line above the panels: the same in both, the flow's images on the right.
std::string warp_legend(const Warp& warp, const PanelRow& row) {
  struct Entry {
    std::string text;
    const char* colour;
  };
  std::vector<Entry> entries{{"● draws of the base", "#808080"}, {"━ z0 fixed", "#0072b2"}, {"━ z1 fixed", "#009e73"}};
  std::string shares;
  for (const double share : warp.contour_shares)
    shares += fmt::format("{}{:.0f} %", shares.empty() ? "" : " and ", 100 * share);
  if (!warp.contours.empty()) entries.push_back({"━ around " + shares + " of its mass", "#d55e00"});
  const auto length = [](const Entry& entry) {  // in points, with what lies between two entries
    return 6.0 * static_cast<double>(characters(entry.text)) + 28;
  };
  double place = row.width();
  for (const Entry& entry : entries) place -= length(entry);
  place = std::max(place / 2, 4.0);
  std::string text;
  for (const Entry& entry : entries) {
    text += fmt::format("  set label {} at screen {:.5f}, screen {:.5f} left textcolor rgb '{}'\n",
                        gnuplot_string(entry.text), place / row.width(), 1 - 13.0 / row.height(), entry.colour);
    place += length(entry);
  }
  return text;
}

}  // namespace

Picture density_picture(const PictureNumbers& numbers) {
  const DensityGrid& grid = *numbers.density;
  const Scattered points = numbers.data ? scattered_data(numbers) : scattered_samples(numbers);
  const double top = top_colour(grid);
  PanelRow row(1, 365, Frame{grid.axes[0], grid.axes[1]}.ratio());
  row.right = 36 + room_beside({0, top});
  row.left = room_beside(grid.axes[1]);
  row.bottom += kCaption;
  std::string script =
      gnuplot_beginning("density", "Density of the model", row.width(), row.height()) + "  " + gnuplot_palette();
  script += row.multiplot() + axis_text('x', points.rows.names[0], grid.axes[0]) +
            axis_text('y', points.rows.names[1], grid.axes[1]) + grid_text(grid);
  script +=
      fmt::format("  set cbrange [0:{:.6g}]\n  set cbtics {:.6g}\n  set cblabel 'density of the model' offset 0.5,0\n",
                  top, tick_step({0, top}, kTicks));
  if (top < *std::max_element(grid.density.begin(), grid.density.end()))
    script += "  # A few cells above would leave the rest dark.\n";
  const Index beyond = outside(points.rows, {grid.axes[0], grid.axes[1]});
  script += row.caption(
      fmt::format("white dots: {}{}", numbers.data ? "training data" : "samples of the model",
                  beyond ? fmt::format(", {} of {} outside", count_text(beyond), count_text(points.rows.rows)) : ""));
  script +=
      "  unset grid\n  set tics front\n"
      "  set colorbox user origin graph 1.035, graph 0 size graph 0.045, graph 1 noborder\n";
  script += fmt::format(
      "  plot 'density.csv' matrix every 1:1:1:1 using (x_of($1)):(y_of($2)):3 with image notitle, \\\n       '{}' "
      "skip "
      "1 using 1:2 with points pointtype 7 pointsize 0.17 linecolor rgb '#60ffffff' notitle\n",
      file_of_rows(numbers));
  return {"density",
          script + "  unset multiplot\n" + gnuplot_end(),
          {grid_file(grid), csv_file(file_of_rows(numbers), points.rows)}};
}

Picture warp_picture(const PictureNumbers& numbers) {
  const Warp& warp = *numbers.warp;
  const Table& rows = shown_rows(numbers);
  Frame frame = frame_of(rows);
  Frame base{range_of(warp.level, 0), range_of(warp.upright, 1)};
  give_one_scale(base.x, base.y);
  give_one_scale(frame.x, frame.y);
  PanelRow row(2, 290, 1);
  row.top = 54;
  row.left = room_beside(base.y);
  row.gap = room_beside(frame.y) + 8;
  std::string script =
      gnuplot_beginning("warp", "The plane of the base and what the flow makes of it", row.width(), row.height());
  row.make_room(frame.x);
  script += "  unset grid\n" + row.multiplot() + warp_legend(warp, row);
  script += "  set title 'base space'\n" + axis_text('x', "z0", base.x) + axis_text('y', "z1", base.y) +
            warp_panel(warp, 1, 2);
  script += "  unset label\n  set title 'data space'\n" + axis_text('x', rows.names[0], frame.x) +
            axis_text('y', rows.names[1], frame.y) + warp_panel(warp, 3, 4);
  return {"warp", script + "  unset multiplot\n" + gnuplot_end(), {warp_file(warp, rows, frame)}};
}

}  // namespace pushforward
