// Errors of a model's figures row by row, what of them is rounding, and numeric Jacobians to compare with.
#pragma once

#include <functional>

#include "pushforward/engine.h"
#include "verification/finding.h"

namespace pushforward::verification {

/// `|a - b| / max(1, |a|, |b|)`, as docs/conformance.md measures; infinite if one of them is no number.
double relative_error(double a, double b);

/// One error for each row, and how much rounding of its input alone moves the result, at least 1.
struct Errors {
  std::vector<double> error, condition;
};

struct Judged {
  std::string check;
  double tolerance = 0;   // for a row of condition 1
  std::string otherwise;  // what to do if it fails
};
/// The verdict on the rows together: a row is allowed its tolerance times its condition, but never more than a
/// hundredth. Single rows beyond it are for a look; that a row in a hundred is ten times beyond, one a thousand times,
/// or that one is not finite, fails. `name_of(i)` names a row.
Finding judge(const Judged& what, const Errors& errors, const std::function<std::string(Index)>& name_of);

/// Calls `f`, which adds to `findings`. If it throws NumericalError the check has failed; if DataError, because a
/// preprocessing refuses what lies a step beyond a row, it cannot be done.
void attempt(std::vector<Finding>& findings, const std::string& check, const std::function<void()>& f);

/// What a function gives for each row: values, a number beside them, or both.
struct Images {
  Matrix<double> values;
  std::vector<double> number;
};
using RowFunction = std::function<Images(Block<const double> points)>;

/// Conditions of values and numbers at points, by nudging all elements of each row along random directions.
struct Conditions {
  std::vector<double> values, number;
};
Conditions conditions(const RowFunction& f, Block<const double> points);

/// Logarithms of the Jacobian's determinant of a map from as many elements as to, by central differences, as far from
/// the ends of `support` as that needs. A row whose one-sided slopes disagree (a kink), or whose steps leave what the
/// map is defined for, is NaN. `doubt`: what half the step makes of it, in nats.
struct NumericLogDet {
  std::vector<double> log_det, doubt;
};
NumericLogDet numeric_log_det(const RowFunction& f, Block<const double> points, const Support& support);

}  // namespace pushforward::verification
