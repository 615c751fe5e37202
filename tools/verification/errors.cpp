#include "verification/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "number_format.h"
#include "pushforward/operations.h"
#include "pushforward/testing/tolerances.h"
#include "verification/statistics.h"

namespace pushforward::verification {
namespace {

constexpr double kMostAllowed = 0.01;             // two digits must be left, whatever the condition
constexpr double kMostRows = 10, kOneRow = 1000;  // times the allowed error, from which on a check fails
constexpr int kNudges = 4;
constexpr double kNudge = 1e-6;
constexpr double kKink = 1e-3;  // disagreement of one-sided slopes, over max(1, |slope|)
constexpr double kShareOfRoom = 1e-3;

Matrix<double> copy_of(Block<const double> from) {
  Matrix<double> to(from.rows, from.columns);
  for (Index j = 0; j < from.columns; ++j) std::copy_n(from.column(j), from.rows, to.block().column(j));
  return to;
}

double change(double there, double here) {
  const double c = std::abs(there - here) / (kNudge * std::max(1.0, std::abs(here)));
  return std::isfinite(c) ? c : 0;  // beyond the support
}

/// Determinants of every row's Jacobian, for steps of one size.
class Jacobians {
 public:
  Jacobians(Index rows, Index size) : size_(size), values_(static_cast<std::size_t>(rows * size * size)) {}
  double& operator()(Index row, Index output, Index input) {
    return values_[static_cast<std::size_t>((row * size_ + input) * size_ + output)];
  }
  double log_abs_det(Index row) {
    Tape<double> tape(false);
    return pushforward::log_abs_det(tape.constant(compact<const double>(&(*this)(row, 0, 0), size_, size_)))
        .value()
        .data[0];
  }

 private:
  Index size_;
  std::vector<double> values_;
};

double step_of(double x, const Support& support) {
  const double room = kShareOfRoom * std::min(x - support.lower, support.upper - x);
  return std::min(testing::kStep * std::max(1.0, std::abs(x)), room);
}

}  // namespace

double relative_error(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
  return std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
}

Finding judge(const Judged& what, const Errors& errors, const std::function<std::string(Index)>& name_of) {
  if (errors.error.empty()) return not_done(what.check, Kind::numerical, "there are no rows to do it with");
  std::vector<double> error = errors.error, excess = errors.error;
  std::int64_t not_finite = 0;
  for (std::size_t i = 0; i < error.size(); ++i) {
    not_finite += std::isfinite(error[i]) ? 0 : 1;
    excess[i] = error[i] / std::min(what.tolerance * std::max(1.0, errors.condition[i]), kMostAllowed);
  }
  const auto worst = std::max_element(error.begin(), error.end()) - error.begin();
  std::sort(error.begin(), error.end());
  std::sort(excess.begin(), excess.end());
  const double condition = *std::max_element(errors.condition.begin(), errors.condition.end());
  Finding finding{.check = what.check, .measured = {}, .expected = {}, .advice = {}};
  finding.row_errors = true;
  finding.where = name_of(worst);
  finding.numbers = {{"median", quantile(error, 0.5)},
                     {"quantile_99", quantile(error, 0.99)},
                     {"largest", error.back()},
                     {"not_finite", static_cast<double>(not_finite)},
                     {"rows", static_cast<double>(error.size())},
                     {"tolerance", what.tolerance},
                     {"largest_condition", condition}};
  finding.measured = not_finite ? fmt::format("not finite: {} of {}, such as {}", count_text(not_finite),
                                              counted(static_cast<std::int64_t>(error.size()), "row"), finding.where)
                                : fmt::format("{:.1e}  {:.1e}  {:.1e} ({})", quantile(error, 0.5),
                                              quantile(error, 0.99), error.back(), finding.where);
  finding.expected = fmt::format("{:.1g} x condition", what.tolerance);
  finding.verdict = not_finite > 0 || quantile(excess, 0.99) > kMostRows || excess.back() > kOneRow ? Verdict::failed
                    : excess.back() > 1                                                             ? Verdict::look
                                                                                                    : Verdict::ok;
  finding.advice = what.otherwise;
  return finding;
}

void attempt(std::vector<Finding>& findings, const std::string& check, const std::function<void()>& f) {
  try {
    f();
  } catch (const NumericalError& error) {
    findings.push_back({.check = check,
                        .verdict = Verdict::failed,
                        .measured = "cannot be computed",
                        .expected = {},
                        .advice = error.what()});
  } catch (const DataError& error) {
    findings.push_back(not_done(check, Kind::numerical, error.what()));
  }
}

Conditions conditions(const RowFunction& f, Block<const double> points) {
  const Images here = f(points);
  const auto n = static_cast<std::size_t>(points.rows);
  Conditions all;
  all.values.assign(n, 1);
  all.number.assign(n, 1);
  Matrix<double> signs(points.rows, points.columns), moved(points.rows, points.columns);
  // A random direction sees about this much less than the worst one.
  const double spread = std::sqrt(static_cast<double>(points.columns));
  for (int k = 0; k < kNudges; ++k) {
    Draws({.seed = 0}, {0}, k, 0).sign(signs.block());
    for (Index j = 0; j < points.columns; ++j)
      for (Index i = 0; i < points.rows; ++i)
        moved(i, j) = points(i, j) + kNudge * signs(i, j) * std::max(1.0, std::abs(points(i, j)));
    const Images there = f(moved);
    for (std::size_t i = 0; i < n; ++i) {
      for (Index j = 0; j < here.values.columns(); ++j) {
        const auto row = static_cast<Index>(i);
        all.values[i] = std::max(all.values[i], spread * change(there.values(row, j), here.values(row, j)));
      }
      if (!here.number.empty())
        all.number[i] = std::max(all.number[i], 1 + spread * change(there.number[i], here.number[i]));
    }
  }
  return all;
}

NumericLogDet numeric_log_det(const RowFunction& f, Block<const double> points, const Support& support) {
  const Index rows = points.rows, size = points.columns;
  const Images here = f(points);
  Matrix<double> moved = copy_of(points);
  Jacobians whole(rows, size), half(rows, size);
  std::vector<std::uint8_t> kinked(static_cast<std::size_t>(rows), 0);
  for (Index j = 0; j < size; ++j) {
    const auto displaced = [&](double t) {
      for (Index i = 0; i < rows; ++i) moved(i, j) = points(i, j) + t * step_of(points(i, j), support);
      Images images = f(moved);
      for (Index i = 0; i < rows; ++i) moved(i, j) = points(i, j);
      return images;
    };
    const Images above = displaced(1), below = displaced(-1), half_above = displaced(0.5), half_below = displaced(-0.5);
    for (Index i = 0; i < rows; ++i)
      for (Index k = 0; k < size; ++k) {
        const double h = step_of(points(i, j), support);
        const double slope = whole(i, k, j) = (above.values(i, k) - below.values(i, k)) / (2 * h);
        half(i, k, j) = (half_above.values(i, k) - half_below.values(i, k)) / h;
        const double bend = std::abs(above.values(i, k) + below.values(i, k) - 2 * here.values(i, k)) / h;
        if (!(bend <= kKink * std::max(1.0, std::abs(slope)))) kinked[static_cast<std::size_t>(i)] = 1;
      }
  }
  NumericLogDet numeric;
  for (Index i = 0; i < rows; ++i) {
    if (kinked[static_cast<std::size_t>(i)]) {
      numeric.log_det.push_back(std::numeric_limits<double>::quiet_NaN());
      numeric.doubt.push_back(0);
      continue;
    }
    const double coarse = whole.log_abs_det(i), fine = half.log_abs_det(i);
    numeric.log_det.push_back(fine + (fine - coarse) / 3);  // Richardson: the error falls with the square of the step
    numeric.doubt.push_back(std::abs(fine - coarse));
  }
  return numeric;
}

}  // namespace pushforward::verification
