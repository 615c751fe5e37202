// What a check found: numbers for machines, a table for people.
#pragma once

#include <string>
#include <vector>

#include "pushforward/shape.h"

namespace pushforward::testing {

enum class Status : std::uint8_t { passed, failed, not_applicable };

/// One compared pair, in the order of its difference over what is allowed.
struct Row {
  std::string where;      // function, mode, form: `inverse, train`
  Index sample = -1;      // row of the batch; -1: none
  std::string entry;      // `x[2]`, `model.weight[3, 1]`, `log_det`
  double analytic = 0;    // what the component gave
  double numeric = 0;     // what it is compared with
  double difference = 0;  // |a - b| / max(1, |a|, |b|)
  double allowed = 0;
};

/// One check of one subject in one precision.
struct CheckResult {
  std::string check;  // `round_trip`
  int number = 0;     // of the table of checks
  std::string title;
  std::string subject;    // `bijector/coupling, example affine`
  std::string precision;  // float64, float32
  Status status = Status::passed;
  double measured = 0;                // the worst difference, measured by what it was allowed
  double allowed = 0;                 // what that one was allowed
  Index compared = 0;                 // number of comparisons
  std::vector<Row> worst;             // failures first, five at most
  std::vector<std::string> findings;  // failures that are no pair of numbers
  std::string note;                   // redrawn samples, reasons for what was left out
  std::string command;                // repeats this check
};

/// One line: status, number, check, precision, measured, allowed; on failure the findings and the table of the worst
/// entries too.
std::string to_text(const CheckResult& result, bool coloured = false);
/// All results, those of one subject under its heading, how many checks were made, and which failed. What was said of
/// one check already, such as that the component cannot be built, is not said of the next ones again. `coloured`: with
/// the control sequences of a terminal. `failures_only`: all are counted, but those that failed alone are shown.
std::string to_text(const std::vector<CheckResult>& results, bool coloured = false, bool failures_only = false);
bool passed(const std::vector<CheckResult>& results);
std::vector<CheckResult> failures(const std::vector<CheckResult>& results);

}  // namespace pushforward::testing
