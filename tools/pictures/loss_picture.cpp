#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "number_format.h"
#include "pictures/gnuplot.h"
#include "pictures/plot_numbers.h"
#include "pictures/script.h"

namespace pushforward {
namespace {

constexpr double kHeight = 360;  // of the picture, in points

std::vector<double> shown(std::span<const double> values) {
  std::vector<double> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
               [](double v) { return std::abs(v) <= kLargestShown; });
  return kept;
}

/// Where the frame ends if the first losses are so far above the rest that they would leave it one flat line.
std::optional<double> top_of_frame(std::vector<double> loss) {
  if (loss.size() < 5) return std::nullopt;
  std::sort(loss.begin(), loss.end());
  const double low = loss.front(), most = loss[loss.size() * 9 / 10 - 1];
  if (most - low < kNarrowestShown || loss.back() - low <= 8 * (most - low)) return std::nullopt;
  return most + (most - low);
}

/// The end of the frame for a curve.
double shown_top(const std::vector<double>& loss) {
  return top_of_frame(loss).value_or(*std::max_element(loss.begin(), loss.end()));
}

/// A logarithmic axis shows losses that fall through powers of ten; mean log-densities have no zero to fall to.
bool is_logarithmic(const AxisRange& range) { return range.low > 0 && range.high > 100 * range.low; }

/// Losses that fall through powers of ten and below zero: most of them would lie on the lower edge.
bool falls_far(std::vector<double> loss, const AxisRange& range) {
  std::sort(loss.begin(), loss.end());
  return loss.size() >= 5 && range.width() > 100 && loss[loss.size() / 2] - range.low < range.width() / 50;
}

/// Linear around zero, logarithmic beyond one nat, with ticks at the powers of ten.
std::string bent_axis(const AxisRange& range) {
  const int top = static_cast<int>(std::floor(std::log10(std::max(std::abs(range.low), std::abs(range.high)))));
  const int stride = top / 6 + 1;  // so many ticks that their labels stay apart
  std::string ticks = "0";
  for (int power = 0; power <= top; power += stride) {
    const double tick = std::pow(10, power);
    if (tick <= range.high) ticks += fmt::format(", {:g}", tick);
    if (-tick >= range.low) ticks += fmt::format(", {:g}", -tick);
  }
  return fmt::format(
      "  # Linear around zero, logarithmic beyond one nat: the loss falls through powers of ten, and below zero.\n"
      "  set nonlinear y via asinh(y) inverse sinh(y)\n  set format y '%g'\n  set ytics ({})\n"
      "  set yrange [{:.6g}:{:.6g}]\n",
      ticks, std::sinh(std::asinh(range.low) - 0.2), std::sinh(std::asinh(range.high) + 0.2));
}

/// What a curve has above the frame: how many of its values, and the greatest.
std::string above(const char* curve, const std::vector<double>& loss, double top) {
  const auto count = std::count_if(loss.begin(), loss.end(), [&](double v) { return v > top; });
  if (count == 0) return "";
  return fmt::format("{}, {} of {}, up to {}", curve, count_text(count),
                     count_text(static_cast<std::int64_t>(loss.size())),
                     decimal(*std::max_element(loss.begin(), loss.end())));
}

/// The vertical axis; what lies above its end is told below the frame, where no curve is.
std::string loss_axis(const Table& losses) {
  const std::vector<double> training = shown(losses.column(1)), validation = shown(losses.column(2));
  std::vector<double> all = training;
  all.insert(all.end(), validation.begin(), validation.end());
  if (all.empty()) return axis_text('y', "loss (nats)", {0, 1}, 5);
  AxisRange range{*std::min_element(all.begin(), all.end()), *std::max_element(all.begin(), all.end())};
  if (is_logarithmic(range))
    return fmt::format("  set logscale y\n  set format y '%.3g'\n  set yrange [{:.6g}:{:.6g}]\n", range.low / 1.3,
                       range.high * 1.3);
  double top = -std::numeric_limits<double>::infinity();
  for (const auto* curve : {&training, &validation})
    if (!curve->empty()) top = std::max(top, shown_top(*curve));
  if (top >= range.high)
    return falls_far(all, range) ? bent_axis(range) : axis_text('y', "loss (nats)", axis_range(all, 0.05), 5);
  range.high = top;
  const double margin = 0.05 * range.width();
  range = {range.low - margin, top + margin};
  const std::string first = above("training", training, range.high),
                    second = above("validation", validation, range.high);
  return "  # A few losses would make the rest one flat line.\n" +
         fmt::format(
             "  set label {} at graph 1, screen {:.5f} right textcolor rgb '#707070' font ',9'\n",
             gnuplot_string("above the frame: " + first + (first.empty() || second.empty() ? "" : "; ") + second),
             (kCaption - 5) / kHeight) +
         fmt::format("  set bmargin at screen {:.5f}\n", (46 + kCaption) / kHeight) +
         axis_text('y', "loss (nats)", range, 5);
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
  const std::size_t validated = shown(losses.column(2)).size();
  std::string script = gnuplot_beginning("loss", "Loss", 600, static_cast<int>(kHeight));
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
