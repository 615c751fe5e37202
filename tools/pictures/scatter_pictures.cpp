// data, samples: rows of two elements as points.
#include <fmt/format.h>

#include <set>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

constexpr Index kLayers = 10;  // of each kind, in turn, so that neither covers the other
// Okabe & Ito's, but for their yellow, which is too light for points.
constexpr const char* kClassColours = "#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00 #000000";

/// The rows, and each one's class where it has one.
TextFile points_file(const char* name, const Scattered& points) {
  Table table = points.rows;
  if (!points.classes.empty()) {
    table.names.emplace_back("class");
    table.values.insert(table.values.end(), points.classes.begin(), points.classes.end());
  }
  return csv_file(name, std::move(table));
}

/// The points of a file in one colour, or in that of each class.
std::string points_plot(const char* file, const Scattered& points, const char* colour, double size) {
  const std::string style = fmt::format("points pointtype 7 pointsize {}", size);
  if (points.classes.empty())
    return fmt::format("  plot '{}' skip 1 using 1:2 with {} linecolor rgb '#70'.{}[2:] notitle\n", file, style,
                       colour);
  std::string text;
  for (const int c : std::set<int>(points.classes.begin(), points.classes.end()))
    text += fmt::format(
        "{}'{}' skip 1 using 1:(column(3) == {} ? column(2) : NaN) with {} \\\n"
        "      linecolor rgb '#50'.word(class_colours, {})[2:] notitle",
        text.empty() ? "  plot " : ", \\\n    ", file, c, style, c + 1);
  return text + "\n";
}

/// The classes' colours and, above the panels, which is which.
std::string class_text(const PictureNumbers& numbers, const PanelRow& row) {
  const std::set<int> classes(numbers.data_classes.begin(), numbers.data_classes.end());
  if (classes.empty()) return "";
  std::string text = fmt::format("  class_colours = '{}'\n", kClassColours);
  const std::string name = shortened(numbers.class_name, 14);
  const double step = 72 + 6.5 * static_cast<double>(name.size());
  double place = row.left + (row.width() - row.left - row.right - static_cast<double>(classes.size() - 1) * step) / 2;
  for (const int c : classes) {
    text += fmt::format("  set label {} at screen {:.5f}, screen {:.5f} center textcolor rgb word(class_colours, {})\n",
                        gnuplot_string(fmt::format("● {} = {}", name, c)), place / row.width(), 1 - 14.0 / row.height(),
                        c + 1);
    place += step;
  }
  return text;
}

std::string axes_text(const Table& rows, const Frame& frame) {
  return axis_text('x', rows.names[0], frame.x) + axis_text('y', rows.names[1], frame.y);
}

/// Data and samples in turns.
std::string overlay_plot(const Scattered& data, const Scattered& samples) {
  const Index layers = std::min({kLayers, data.rows.rows, samples.rows.rows});
  return fmt::format(
      "  plot for [k = 0:{}] (k % 2 ? 'samples.csv' : 'data.csv') skip 1 every {}::(k / 2) using 1:2 \\\n"
      "      with points pointtype 7 pointsize 0.28 linecolor rgb '#60'.(k % 2 ? model_colour : data_colour)[2:] "
      "notitle\n",
      2 * layers - 1, layers);
}

/// What a panel shows, and how many of these lie outside: there they cover no points.
std::string title_text(const char* what, const Table& rows, const Frame& frame) {
  const Index count = outside(rows, frame);
  return fmt::format("  set title '{}{}'\n", what, count ? fmt::format(", {} outside", count_text(count)) : "");
}

}  // namespace

Picture data_picture(const PictureNumbers& numbers) {
  const Scattered data = scattered_data(numbers);
  const Frame frame = frame_of(*numbers.data);
  PanelRow row(1, 380, frame.ratio());
  const Index beyond = outside(data.rows, frame);
  if (!data.classes.empty()) row.top = 30;
  if (beyond) row.bottom += kCaption;
  row.left = room_beside(frame.y);
  row.make_room(frame.x);
  std::string script = gnuplot_beginning("data", "Training data", row.width(), row.height());
  script += row.multiplot() + class_text(numbers, row) + axes_text(data.rows, frame);
  if (beyond) script += row.caption(fmt::format("{} outside", counted(beyond, "row")));
  script += points_plot("data.csv", data, "data_colour", 0.35);
  return {"data", script + "  unset multiplot\n" + gnuplot_end(), {points_file("data.csv", data)}};
}

Picture samples_picture(const PictureNumbers& numbers) {
  const Scattered samples = scattered_samples(numbers);
  const bool compared = numbers.data.has_value(), classes = !samples.classes.empty();
  const Scattered data = compared ? scattered_data(numbers) : Scattered();
  // The data make the frame: a single sample of a heavy tail would leave them a dot in its middle.
  const Frame frame = frame_of(shown_rows(numbers));
  PanelRow row(!compared ? 1 : classes ? 2 : 3, 265, frame.ratio());
  row.top = classes ? 58 : 28;
  row.left = room_beside(frame.y);
  row.make_room(frame.x);
  std::string script =
      gnuplot_beginning("samples", "Training data and samples of the model", row.width(), row.height());
  script += row.multiplot() + class_text(numbers, row) + axes_text(samples.rows, frame);
  std::vector<TextFile> files{points_file("samples.csv", samples)};
  if (compared) {
    files.insert(files.begin(), points_file("data.csv", data));
    script += title_text("training data", data.rows, frame) + points_plot("data.csv", data, "data_colour", 0.28) +
              "  unset label\n  unset ylabel\n  set format y ''\n";
  }
  script += title_text("samples of the model", samples.rows, frame);
  script += points_plot("samples.csv", samples, "model_colour", 0.28);
  if (row.panels == 3) script += "  unset label\n  set title 'both'\n" + overlay_plot(data, samples);
  return {"samples", script + "  unset multiplot\n" + gnuplot_end(), files};
}

}  // namespace pushforward
