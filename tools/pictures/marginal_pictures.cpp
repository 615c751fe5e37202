// data_marginals, marginals: curves over histograms.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

/// Three columns for each element: points, densities of the data and of the model there.
TextFile curves_file(const std::vector<Curves>& curves, const Table& rows, const std::vector<Index>& elements) {
  Table table{.rows = static_cast<Index>(curves.front().at.size()), .names = {}, .values = {}};
  for (std::size_t e = 0; e < curves.size(); ++e) {
    const std::string& name = rows.names[static_cast<std::size_t>(elements[e])];
    const auto add = [&](const std::string& column, const std::vector<double>& values) {
      if (values.empty()) return;
      table.names.push_back(column);
      table.values.insert(table.values.end(), values.begin(), values.end());
    };
    add(name, curves[e].at);
    add(name + " data", curves[e].data);
    add(name + " model", curves[e].model);
  }
  return csv_file("marginals.csv", std::move(table));
}

/// Sizes and distances in points.
struct Layout {
  int across, down;
  double panel_width, panel_height, left, gap_x, gap_y;
  double right = 14, top = 34, bottom = 46;  // beside, above and below all panels
  int width() const { return static_cast<int>(left + across * panel_width + (across - 1) * gap_x + right); }
  int height() const { return static_cast<int>(top + down * panel_height + (down - 1) * gap_y + bottom); }
};
Layout layout_of(int panels) {
  if (panels == 1) return {1, 1, 420, 250, 0, 0, 50};
  if (panels == 2) return {2, 1, 280, 210, 0, 0, 50};
  int across = std::min(panels, 5);
  for (int fewer = across - 1; fewer >= 3; --fewer)  // as few empty places as can be
    if ((panels + fewer - 1) / fewer * fewer < (panels + across - 1) / across * across) across = fewer;
  const double panel = across == 3 ? 190 : across == 4 ? 160 : 135;
  return {across, (panels + across - 1) / across, panel, 0.72 * panel, 14, 14, 50};
}

constexpr int kTicksOfSmall = 3;
constexpr double kSmallPrint = 11;  // height of the line above a panel, in points

/// How many rows a panel does not show, above its right end.
std::string outside_text(std::span<const double> values, const AxisRange& range) {
  const auto count = std::count_if(values.begin(), values.end(),
                                   [&](double v) { return std::isfinite(v) && (v < range.low || v > range.high); });
  if (count == 0) return "";
  return fmt::format(
      "  set label '{} outside' at graph 1, graph 1 right offset 0,0.55 textcolor rgb '#707070' font ',8'\n",
      counted(count, "row"));
}

/// The greatest of the densities that a panel shows.
double greatest(std::span<const double> a, std::span<const double> b, std::span<const double> c) {
  double most = 0;
  for (const auto values : {a, b, c})
    for (const double v : values) most = std::max(most, v);
  return most > 0 ? most : 1;
}

/// Panels of curves; `model`: with the model's.
Picture curves_picture(const PictureNumbers& numbers, const std::string& name, const std::string& title, bool model) {
  const Table& rows = shown_rows(numbers);
  const std::vector<Index> elements = worst_elements(numbers, kMostMarginals);
  std::vector<Curves> curves;
  for (const Index j : elements) curves.push_back(curves_of(numbers, j));
  const std::vector<double> none;
  Table histograms;
  const bool data_curve = numbers.data.has_value(), model_curve = !curves.front().model.empty();
  const auto columns = 1 + (data_curve ? 1 : 0) + (model_curve ? 1 : 0);

  Layout layout = layout_of(static_cast<int>(elements.size()));
  const bool small = layout.across > 2;
  std::vector<AxisRange> heights;
  std::vector<std::string> outside;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    add_histogram(histograms, rows, elements[e]);
    outside.push_back(outside_text(rows.column(elements[e]), curves[e].range));
    const Overhang beyond = small ? overhang(curves[e].range, layout.panel_width, kTicksOfSmall, 5.9)
                                  : overhang(curves[e].range, layout.panel_width);
    layout.right = std::max(layout.right, beyond.right + 4);
    layout.left = std::max(layout.left, beyond.left + 4);
    layout.gap_x = std::max(layout.gap_x, std::max(beyond.left, beyond.right) + 6);
    heights.push_back({0, 1.06 * greatest(histograms.column(2 * static_cast<Index>(e) + 1), curves[e].data,
                                          model ? curves[e].model : none)});
    if (small) continue;
    const double room = room_beside(heights.back());
    (e == 0 ? layout.left : layout.gap_x) = e == 0 ? room : room - 6;
  }
  const bool chosen = elements.size() < static_cast<std::size_t>(rows.columns());
  if (chosen) layout.bottom += kCaption;
  if (std::any_of(outside.begin(), outside.end(), [](const std::string& text) { return !text.empty(); })) {
    layout.top += kSmallPrint;
    layout.gap_y += kSmallPrint;
  }
  const double width = layout.width(), height = layout.height();
  std::string script = gnuplot_beginning(name, title, layout.width(), layout.height());
  script += "  set boxwidth 1 relative\n  unset key\n";
  if (small) script += "  set tics font ',9'\n  unset ytics\n";
  script += fmt::format("  set multiplot layout {},{} margins {:.4f},{:.4f},{:.4f},{:.4f} spacing {:.4f},{:.4f}\n",
                        layout.down, layout.across, layout.left / width, 1 - layout.right / width,
                        layout.bottom / height, 1 - layout.top / height, layout.gap_x / width, layout.gap_y / height);
  PictureNumbers told;  // which of them the legend names
  if (numbers.data) told.data.emplace();
  if (model && model_curve) told.samples.emplace();
  script += legend(told, 1 - 15 / height, "━");
  if (chosen)
    script += fmt::format(
        "  set label '{} of {} columns, those that fit worst' at screen 0.5, screen {:.4f} center \\\n"
        "    textcolor rgb '#707070' font ',9'\n",
        elements.size(), rows.columns(), 9 / height);
  for (std::size_t e = 0; e < elements.size(); ++e) {
    const auto column = static_cast<Index>(e) * columns + 1;
    const std::string& element = rows.names[static_cast<std::size_t>(elements[e])];
    script += axis_text('x', small ? shortened(element, static_cast<std::size_t>(layout.panel_width / 6.8)) : element,
                        curves[e].range, small ? kTicksOfSmall : kTicks);
    script += outside[e];
    script += small ? fmt::format("  set yrange {}\n", range_text(heights[e]))
                    : axis_text('y', e == 0 ? "density" : "", heights[e]);
    script += fmt::format(
        "  plot 'histograms.csv' skip 1 using {}:{} with boxes fillstyle solid 0.25 noborder linecolor rgb {} notitle",
        2 * e + 1, 2 * e + 2, numbers.data ? "data_colour" : "model_colour");
    const auto line = [&](Index y, const char* colour) {
      script += fmt::format(
          ", \\\n       'marginals.csv' skip 1 using {}:{} with lines linewidth 1.7 linecolor rgb {} notitle", column,
          y, colour);
    };
    if (data_curve) line(column + 1, "data_colour");
    if (model && model_curve) line(column + columns - 1, "model_colour");
    script += "\n  unset label\n";
  }
  return {name,
          script + "  unset multiplot\n" + gnuplot_end(),
          {csv_file("histograms.csv", std::move(histograms)), curves_file(curves, rows, elements)}};
}

}  // namespace

Picture data_marginals_picture(const PictureNumbers& numbers) {
  return curves_picture(numbers, "data_marginals", "Marginal densities of the training data", false);
}

Picture marginals_picture(const PictureNumbers& numbers) {
  return curves_picture(numbers, "marginals", "Marginal densities of training data and model", true);
}

}  // namespace pushforward
