// Numeric derivatives by central differences, and which of them can be trusted.
#pragma once

#include "case.h"
#include "tally.h"

namespace pushforward::testing {

/// Outputs with one thing displaced by t steps.
using Displaced = std::function<std::vector<Array>(double t)>;

/// Derivatives of every output in every row, per unit of what is displaced.
struct Slopes {
  std::vector<Array> outputs;
  std::vector<std::uint8_t> kinked;  // rows whose one-sided slopes disagree, whatever the step
  std::vector<double> step;          // that a row's slopes were measured with
};

/// Where slopes are measured: the outputs there, and the absolute error that rounding leaves in each of them.
struct Point {
  std::vector<Array> outputs, noise;
};
/// An output that is steep in x is as uncertain as a last bit of x makes it.
Point point(Case& c, const FunctionCase& f, const Request& request);

/// `step` is the size of t = 1 in each row. Slopes of one row may disagree by `tolerance` (relative) and by what the
/// noise leaves of a difference. Rows that disagree are measured again with a sixteenth of the step, for where the
/// function is steep: inverses of splines bend within 1e-3.
Slopes slopes(const Displaced& f, const Point& here, const std::vector<double>& step, double tolerance);
/// 6e-6 max(1, |x|)
double step_of(double x);
/// How far x may be moved inside of a support: a thousandth of the distance to the nearer end, because a density bends
/// there as log x does (samples of a Gamma distribution of concentration 0.1 lie at 1e-14). No limit at an end itself.
double room(const Support& support, double x);
inline constexpr double kShareOfRoom = 1e-3;
/// How far rounding may take a numeric derivative, over max(1, |derivative|): what is added to a tolerance.
inline double rounding(double noise_over_step, double derivative) {
  return noise_over_step / std::max(1.0, std::abs(derivative));
}

/// Which input of a function is displaced.
enum class Input : std::uint8_t { x, context };
Array& input_of(Request& r, Input input);
const Array& input_of(const Response& r, Input input);
const char* to_string(Input input);

/// Slopes with respect to each column of an input, all rows displaced at once: for functions whose rows are
/// independent.
struct RowSlopes {
  Request request;
  Point here;
  std::vector<Slopes> columns;
  std::vector<std::uint8_t> kinked;  // rows that are kinked in any column
  Index redrawn = 0;
};
/// Of the request's rows; those that are kinked are marked, and to be passed over: they are the redrawn ones.
RowSlopes row_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance);
/// log |det J| of a row's numeric Jacobian of the first output, or log sqrt det J'J between manifolds; and how much
/// errors of J's elements matter to it.
struct Determinant {
  double log_det, condition;
};
Determinant numeric_determinant(const RowSlopes& slopes, Index row);

/// A note, and a finding if more than one in ten were redrawn.
void count_redrawn(Index redrawn, Index rows, Tally& tally, const std::string& where);
/// Rows to ask for, so that kSamples are left when one in ten is redrawn.
inline constexpr Index kDrawn = kSamples + kSamples / 10;

/// |d output_k / d x_j| at every row, by one vjp for each output column: `[o][k](i, j)`.
std::vector<std::vector<Array>> jacobian(Case& c, const Request& request, Precision precision = Precision::float64);

/// Sets of cotangents of a gradient check: random pairs, then each output alone with the others left out.
std::vector<std::vector<Array>> cotangent_sets(const std::vector<Array>& outputs);

}  // namespace pushforward::testing
