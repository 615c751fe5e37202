#include "progress.h"

#include <cmath>

#include "number_format.h"

namespace pushforward {
namespace {

constexpr double kRedrawAfter = 0.1;  // seconds
constexpr int kBar = 24;              // characters
constexpr const char* kClearLine = "\r\033[K";

std::string bar(double share) {
  const int filled = static_cast<int>(std::lround(share * kBar));
  std::string text(static_cast<std::size_t>(filled), '=');
  if (filled > 0 && filled < kBar) text.back() = '>';
  return "[" + text + std::string(static_cast<std::size_t>(kBar - filled), ' ') + "]";
}

}  // namespace

std::string Progress::line(const MetricRow& row, bool best) const {
  const std::string steps = count_text(steps_), made = count_text(row.step);
  std::string text = fmt::format("step {:>{}} / {}   loss {}", made, steps.size(), steps, decimal(row.loss));
  if (!std::isnan(row.validation_loss)) text += "   validation " + decimal(row.validation_loss);
  if (best) text += " (best)";
  if (row.step <= first_step_ + 1 || row.seconds <= 0) return text;  // one step says nothing about the next
  const double rate = static_cast<double>(row.step - first_step_) / row.seconds;
  text += rate >= 10 ? fmt::format("   {} steps/s", count_text(std::llround(rate)))
                     : fmt::format("   {:.2f} steps/s", rate);
  if (row.step < steps_) text += "   " + time_left(static_cast<double>(steps_ - row.step) / rate) + " left";
  return text;
}

void Progress::step(const MetricRow& row) {
  if (console_.quiet || !console_.terminal() || row.seconds < drawn_ + kRedrawAfter) return;
  draw(row);
}

void Progress::report(const MetricRow& row, bool best) {
  if (console_.quiet) return;
  const bool bar_below = shown_;
  clear();
  console_.error_line(line(row, best));
  if (bar_below && row.step < steps_) draw(row);
}

void Progress::draw(const MetricRow& row) {
  const double share = static_cast<double>(row.step) / static_cast<double>(steps_);
  // A bar that is longer than the terminal is wide would leave its first part behind.
  const std::string text = fmt::format("{} {:3.0f}%  {}", bar(share), 100 * share, line(row));
  console_.error_text(kClearLine + text.substr(0, console_.terminal_width() - 1));
  drawn_ = row.seconds;
  shown_ = true;
}

void Progress::clear() {
  if (shown_) console_.error_text(kClearLine);
  shown_ = false;
}

}  // namespace pushforward
