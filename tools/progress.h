// How a fit is getting on: a line for each report, and on a terminal a bar below them.
#pragma once

#include "console.h"
#include "pushforward/dataset.h"

namespace pushforward {

class Progress {
 public:
  Progress(Console& console, std::int64_t steps) : console_(console), steps_(steps) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// The steps before this one were made by another program: the rate does not count them.
  void start_at(std::int64_t step) { first_step_ = step; }
  /// After every step: moves the bar, a few times a second.
  void step(const MetricRow& row);
  /// A line that stays: step, loss, validation loss if there is one, steps per second, time left. `best`: no
  /// validation loss was lower.
  void report(const MetricRow& row, bool best = false);
  /// Takes the bar away.
  void clear();

 private:
  std::string line(const MetricRow& row, bool best = false) const;
  void draw(const MetricRow& row);

  Console& console_;
  std::int64_t steps_, first_step_ = 0;
  double drawn_ = -1;  // second of the run at which the bar was drawn last
  bool shown_ = false;
};

}  // namespace pushforward
