#include "pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "gnuplot.h"
#include "io/csv_writer.h"
#include "number_format.h"

namespace pushforward {
namespace {

constexpr int kTicks = 4;                // of a panel among many
constexpr double kMargin = 0.05;         // around the data, as a share of their width
constexpr double kSamplesMargin = 0.25;  // where samples may fall, too

/// A name on one line: column names are the user's, and a header is one line for gnuplot.
std::string one_line(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return name;
}

TextFile csv_file(std::string name, Table table) {
  for (std::string& column : table.names) column = one_line(column);
  return {std::move(name), encode_csv(table)};
}

/// The range to a hundred-thousandth of its width or better, however far from zero it lies.
std::string range_text(const AxisRange& range) {
  const double step = std::pow(10, std::floor(std::log10(range.width())) - 5);
  return fmt::format("[{:.15g}:{:.15g}]", std::floor(range.low / step) * step, std::ceil(range.high / step) * step);
}

std::string label(const char* axis, const std::string& name) {
  return fmt::format("set {}label {}\n", axis, gnuplot_string(name));
}

/// 1, 2 or 5 times a power of ten, so that a narrow panel has at most so many ticks.
double tick_step(const AxisRange& range, int ticks) {
  const double least = range.width() / ticks, power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least) return factor * power;
  return 10 * power;
}

/// Digits that tell the ticks of a range apart.
int tick_digits(const AxisRange& range) {
  return static_cast<int>(std::ceil(std::log10(std::max(std::abs(range.low), std::abs(range.high)) / range.width()))) +
         3;
}
constexpr int kCommonDigits = 6;  // those that %g shows

/// Name, range and ticks of an axis. Far from zero, ticks need more digits, and so more room.
std::string axis_text(const char* axis, const std::string& name, const AxisRange& range) {
  const int digits = tick_digits(range);
  std::string text = label(axis, name) + fmt::format("set {}range {}\n", axis, range_text(range)) +
                     fmt::format("set format {} '%.{}g'\n", axis, std::clamp(digits, kCommonDigits, 15));
  if (digits > kCommonDigits) text += fmt::format("set {}tics {:.6g}\n", axis, tick_step(range, kTicks));
  return text;
}

const Table* shown_rows(const PictureNumbers& numbers) {
  return numbers.data ? &*numbers.data : numbers.samples ? &*numbers.samples : nullptr;
}

// --- loss ------------------------------------------------------------------------------------------------------------

/// Where the frame ends if the first losses are so far above the rest that they would leave it one flat line.
std::optional<double> top_of_frame(const Table& losses) {
  const std::span<const double> loss = losses.column(1);
  std::vector<double> sorted(loss.begin(), loss.end());
  if (sorted.size() < 5) return std::nullopt;
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted.front(), most = sorted[sorted.size() * 9 / 10 - 1];
  if (sorted.back() - low <= 8 * (most - low)) return std::nullopt;
  return most + (most - low);
}

Picture loss_picture(const Table& losses) {
  const std::span<const double> validation = losses.column(2);
  const bool validated = std::any_of(validation.begin(), validation.end(), [](double v) { return std::isfinite(v); });
  std::string script = gnuplot_beginning("loss", "Loss", 1200, 700);
  script += "set datafile missing NaN\nset xlabel 'step'\nset ylabel 'loss (nats, preprocessed units)'\n";
  script += "set xrange [0:*]\nset offsets 0, 0, graph 0.04, graph 0.04\nset format x '%.0f'\nset rmargin 5\n";
  if (const std::optional<double> top = top_of_frame(losses)) {
    const double first = losses.column(1)[0];
    script += fmt::format("# The first losses would make the rest one flat line.\nset yrange [*:{:.10g}]\n", *top);
    script += fmt::format("set label {} at graph 0.985, graph 0.865 right textcolor rgb '#707070' font ',12'\n",
                          gnuplot_string(fmt::format("above the frame: {} at step {}", decimal(first),
                                                     count_text(static_cast<std::int64_t>(losses.column(0)[0])))));
  }
  script += "plot 'loss.csv' skip 1 using 1:2 with lines linewidth 2.5 linecolor rgb data_colour title 'training'";
  if (validated)
    script +=
        ", \\\n     'loss.csv' skip 1 using 1:3 with linespoints linewidth 2.5 pointtype 7 pointsize 0.8 \\\n"
        "       linecolor rgb model_colour title 'validation'";
  return {"loss", script + "\n" + gnuplot_end(), {csv_file("loss.csv", losses)}};
}

// --- two elements ----------------------------------------------------------------------------------------------------

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
        fmt::format("{}(i) = {:.17g} + (i - 1) * {:.17g}\n", axis ? "y_of" : "x_of",
                    grid.axes[axis].centre(0, grid.cells), grid.axes[axis].width() / static_cast<double>(grid.cells));
  return text;
}

const char* file_of_rows(const PictureNumbers& numbers) { return numbers.data ? "data.csv" : "samples.csv"; }

Picture density_picture(const PictureNumbers& numbers) {
  const DensityGrid& grid = *numbers.density;
  const Table& rows = *shown_rows(numbers);
  std::string script = gnuplot_beginning("density", "Density of the model", 1200, 1000) + gnuplot_palette();
  script += axis_text("x", rows.names[0], grid.axes[0]) + axis_text("y", rows.names[1], grid.axes[1]) + grid_text(grid);
  script +=
      "set title 'density of the model'\nset cbrange [0:*]\nset cblabel 'density, in data units'\nunset grid\n"
      "set rmargin screen 0.83\nset size square\nset key below\n";
  script += fmt::format(
      "plot 'density.csv' matrix every 1:1:1:1 using (x_of($1)):(y_of($2)):3 with image notitle, \\\n     '{}' skip 1 "
      "using 1:2 with points pointtype 7 pointsize 0.45 \\\n       linecolor rgb '#80ffffff' notitle\n",
      file_of_rows(numbers));
  return {"density", script + gnuplot_end(), {grid_file(grid), csv_file(file_of_rows(numbers), rows)}};
}

/// How many of the rows lie outside a frame.
Index outside(const Table& rows, const AxisRange& x, const AxisRange& y) {
  const auto beyond = [](const AxisRange& range, double v) { return !(v >= range.low && v <= range.high); };
  Index count = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.rows); ++i)
    count += beyond(x, rows.column(0)[i]) || beyond(y, rows.column(1)[i]) ? 1 : 0;
  return count;
}

Picture samples_picture(const PictureNumbers& numbers) {
  const Table &data = *numbers.data, &samples = *numbers.samples;
  // The data make the frame: a single sample of a heavy tail would leave them a dot in its middle.
  const AxisRange x = axis_range(data.column(0), kSamplesMargin), y = axis_range(data.column(1), kSamplesMargin);
  std::string script = gnuplot_beginning("samples", "Training data and samples of the model", 1200, 610);
  script += axis_text("x", data.names[0], x) + axis_text("y", data.names[1], y);
  const double left = tick_digits(y) > kCommonDigits ? 0.14 : 0.11;
  script += fmt::format("set size square\nset multiplot layout 1,2 margins {},0.985,0.12,0.91 spacing {},0\n", left,
                        left + 0.01);
  const auto panel = [&](const char* title, const char* file, const char* colour) {
    script += fmt::format(
        "set title '{}'\nplot '{}' skip 1 using 1:2 with points pointtype 7 pointsize 0.5 \\\n"
        "  linecolor rgb '#60'.{}[2:] notitle\n",
        title, file, colour);
  };
  panel("training data", "data.csv", "data_colour");
  if (const Index count = outside(samples, x, y))
    script += fmt::format(
        "set label '{} outside the frame' at graph 0.98, graph 0.965 right "
        "textcolor rgb '#707070' font ',12'\n",
        counted(count, "sample"));
  panel("samples of the model", "samples.csv", "model_colour");
  return {"samples",
          script + "unset multiplot\n" + gnuplot_end(),
          {csv_file("data.csv", data), csv_file("samples.csv", samples)}};
}

// --- histograms ------------------------------------------------------------------------------------------------------

/// Three columns for each element: the bins' centres, the density of the data, that of the samples; without the one or
/// the other, two.
TextFile histogram_file(const PictureNumbers& numbers, Index elements) {
  const Table& rows = *shown_rows(numbers);
  Table table;
  table.rows = histogram_bins(rows.rows);
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    table.names.push_back(name);
    table.values.insert(table.values.end(), values.begin(), values.end());
  };
  for (Index j = 0; j < elements; ++j) {
    const std::string& name = rows.names[static_cast<std::size_t>(j)];
    const AxisRange range = axis_range(rows.column(j), kMargin);
    std::vector<double> centres;
    for (Index i = 0; i < table.rows; ++i) centres.push_back(range.centre(i, table.rows));
    add(name, centres);
    if (numbers.data) add(name + " data", histogram(numbers.data->column(j), range, table.rows));
    if (numbers.samples) add(name + " samples", histogram(numbers.samples->column(j), range, table.rows));
  }
  return csv_file("histograms.csv", std::move(table));
}

/// The curves of one element's histograms, of which the first is in bars.
std::string histogram_plot(const PictureNumbers& numbers, Index element, bool samples) {
  const Index columns = 1 + (numbers.data ? 1 : 0) + (numbers.samples ? 1 : 0);
  const Index centre = element * columns + 1;
  std::string text = fmt::format(
      "plot 'histograms.csv' skip 1 using {}:{} with boxes fillstyle solid 0.45 noborder \\\n"
      "       linecolor rgb {} title '{}'",
      centre, centre + 1, numbers.data ? "data_colour" : "model_colour",
      numbers.data ? "training data" : "samples of the model");
  if (samples && numbers.data && numbers.samples)
    text += fmt::format(
        ", \\\n     'histograms.csv' skip 1 using {}:{} with histeps linewidth 2.5 \\\n"
        "       linecolor rgb model_colour title 'samples of the model'",
        centre, centre + 2);
  return text;
}

constexpr const char* kBoxes = "set boxwidth 1 relative\nset yrange [0:*]\nset offsets 0, 0, graph 0.06, 0\n";

/// What the colours of all panels mean, above them: a key is no wider than its panel.
std::string legend(const PictureNumbers& numbers) {
  const auto entry = [](const char* text, const char* place, const char* colour) {
    return fmt::format("set label '{}' at screen {}, screen 0.965 textcolor rgb {}\n", text, place, colour);
  };
  std::string text;
  if (numbers.data) text += entry("■ training data", "0.485", "data_colour right");
  if (numbers.samples) text += entry("━ samples of the model", "0.515", "model_colour left");
  return text;
}

Picture marginals_picture(const PictureNumbers& numbers) {
  const Table& rows = *shown_rows(numbers);
  const auto elements = static_cast<int>(std::min(rows.columns(), kMostMarginals));
  const int across = elements <= 3 ? elements : elements == 4 ? 2 : elements <= 6 ? 3 : 4;
  const int down = (elements + across - 1) / across;
  const int height = down == 1 ? (across == 1 ? 700 : 560) : across == 2 ? 900 : 760;
  const TextFile file = histogram_file(numbers, elements);
  std::string script =
      gnuplot_beginning("marginals", "Marginals of training data and of samples", 1200, height) + kBoxes;
  script +=
      fmt::format("set tics font ',11'\nunset key\nset multiplot layout {},{} margins 0.095,0.98,{},{} spacing {},{}\n",
                  down, across, down == 1 ? 0.15 : 0.11, down == 1 ? 0.89 : 0.92, across == 4 ? 0.055 : 0.065, 0.16);
  script += legend(numbers);
  for (Index j = 0; j < elements; ++j) {
    const AxisRange range = axis_range(rows.column(j), kMargin);
    script += label("x", rows.names[static_cast<std::size_t>(j)]);
    script += j % across == 0 ? "set ylabel 'density' offset 1.2,0\n" : "unset ylabel\n";
    script += fmt::format("set xrange {}\nset xtics {:.6g}\n", range_text(range), tick_step(range, kTicks));
    script += histogram_plot(numbers, j, true) + "\nunset label\n";
  }
  return {"marginals", script + "unset multiplot\n" + gnuplot_end(), {file}};
}

Picture curve_picture(const PictureNumbers& numbers) {
  const DensityGrid& grid = *numbers.density;
  const Table& rows = *shown_rows(numbers);
  Table curve{.rows = grid.cells, .names = {rows.names[0], "density"}, .values = {}};
  for (Index i = 0; i < grid.cells; ++i) curve.values.push_back(grid.axes[0].centre(i, grid.cells));
  curve.values.insert(curve.values.end(), grid.density.begin(), grid.density.end());
  std::string script = gnuplot_beginning("density", "Density of the model", 1200, 700) + kBoxes;
  script += axis_text("x", rows.names[0], grid.axes[0]) + "set ylabel 'density'\n";
  script += histogram_plot(numbers, 0, false) +
            ", \\\n     'density.csv' skip 1 using 1:2 with lines linewidth 3 linecolor rgb '#202020' title 'model'\n";
  return {"density", script + gnuplot_end(), {csv_file("density.csv", std::move(curve)), histogram_file(numbers, 1)}};
}

}  // namespace

std::vector<Picture> make_pictures(const PictureNumbers& numbers) {
  std::vector<Picture> pictures;
  if (numbers.losses.rows > 0) pictures.push_back(loss_picture(numbers.losses));
  const Table* rows = shown_rows(numbers);
  if (!rows) return pictures;
  const Index elements = rows->columns();
  if (elements == 2) {
    if (numbers.density) pictures.push_back(density_picture(numbers));
    if (numbers.data && numbers.samples) pictures.push_back(samples_picture(numbers));
  } else {
    pictures.push_back(numbers.density ? curve_picture(numbers) : marginals_picture(numbers));
  }
  return pictures;
}

}  // namespace pushforward
