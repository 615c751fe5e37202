#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

std::vector<double> finite(std::span<const double> values) {
  std::vector<double> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept), [](double v) { return std::isfinite(v); });
  return kept;
}

/// Where the frame ends if the first losses are so far above the rest that they would leave it one flat line.
std::optional<double> top_of_frame(std::vector<double> loss) {
  if (loss.size() < 5) return std::nullopt;
  std::sort(loss.begin(), loss.end());
  const double low = loss.front(), most = loss[loss.size() * 9 / 10 - 1];
  if (loss.back() - low <= 8 * (most - low)) return std::nullopt;
  return most + (most - low);
}

/// A logarithmic axis shows losses that fall through powers of ten; mean log-densities have no zero to fall to.
bool is_logarithmic(const std::vector<double>& loss) {
  const auto [low, high] = std::minmax_element(loss.begin(), loss.end());
  return !loss.empty() && *low > 0 && *high > 100 * *low;
}

/// The vertical axis, and where a first loss above its end is told.
std::string loss_axis(const Table& losses) {
  std::vector<double> loss = finite(losses.column(1));
  if (is_logarithmic(loss))
    return "  set logscale y\n  set format y '%.3g'\n  set offsets 0, 0, graph 0.05, graph 0.05\n";
  const std::optional<double> top = top_of_frame(loss);
  const std::vector<double> validation = finite(losses.column(2));
  loss.insert(loss.end(), validation.begin(), validation.end());
  AxisRange range = axis_range(loss, 0.05);
  std::string text;
  if (top && *top < range.high) {
    range = {*std::min_element(loss.begin(), loss.end()), *top};
    range.low -= 0.05 * range.width();
    text += "  # The first losses would make the rest one flat line.\n";
    text += fmt::format("  set label {} at graph 0.985, graph 0.95 right textcolor rgb '#707070' font ',9'\n",
                        gnuplot_string(fmt::format("above the frame: {} at step {}", decimal(losses.column(1)[0]),
                                                   count_text(static_cast<std::int64_t>(losses.column(0)[0])))));
  }
  return text + axis_text('y', "loss (nats)", range, 5);
}

/// The lowest validation loss, marked where training went on after it.
std::string best_step(const Table& losses) {
  const std::span<const double> validation = losses.column(2);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < validation.size(); ++i)
    if (std::isfinite(validation[i]) && (!best || validation[i] < validation[*best])) best = i;
  if (!best || *best + 1 == validation.size()) return "";
  const double step = losses.column(0)[*best];
  return fmt::format(
      "  set arrow from {0:.10g}, graph 0 to {0:.10g}, graph 1 nohead back dashtype (4,4) linewidth 0.8 \\\n"
      "    linecolor rgb '#909090'\n"
      "  set label {1} at {0:.10g}, graph 0.87 {2} textcolor rgb '#505050' font ',9'\n",
      step,
      gnuplot_string(fmt::format("lowest validation loss: {} at step {}", decimal(validation[*best]),
                                 count_text(static_cast<std::int64_t>(step)))),
      2 * step > losses.column(0).back() ? "right offset character -0.7,0" : "left offset character 0.7,0");
}

}  // namespace

Picture loss_picture(const Table& losses) {
  const std::size_t validated = finite(losses.column(2)).size();
  std::string script = gnuplot_beginning("loss", "Loss", 600, 360);
  script += fmt::format("  set xlabel 'step'\n  set ylabel 'loss (nats)'\n  set xrange [0:{:.10g}]\n",
                        std::max(losses.column(0).back(), 2.0));
  script += "  set format x '%.0f'\n  set rmargin 3\n";
  script += "  set key above samplen 2\n";
  script += loss_axis(losses) + best_step(losses);
  script += "  plot 'loss.csv' skip 1 using 1:2 with lines linewidth 1.6 linecolor rgb data_colour title 'training'";
  if (validated > 0)
    script += fmt::format(
        ", \\\n       'loss.csv' skip 1 using 1:3 with {} linewidth 1.6 \\\n"
        "       linecolor rgb model_colour title 'validation'",
        validated <= 40 ? "linespoints pointtype 7 pointsize 0.35" : "lines");
  return {"loss", script + "\n" + gnuplot_end(), {csv_file("loss.csv", losses)}};
}

}  // namespace pushforward
