#include "numeric.h"

#include <cmath>
#include <eigen3/Eigen/LU>

namespace pushforward::testing {

double step_of(double x) { return kStep * std::max(1.0, std::abs(x)); }

double room(const Support& support, double x) {
  const double distance = std::min(x - support.lower, support.upper - x);
  return distance > 0 ? kShareOfRoom * distance : std::numeric_limits<double>::infinity();
}

Array& input_of(Request& r, Input input) { return input == Input::x ? r.x : r.context; }
const Array& input_of(const Response& r, Input input) { return input == Input::x ? r.x : r.context; }
const char* to_string(Input input) { return input == Input::x ? "x" : "context"; }

namespace {

/// Five values of one output around one point, a step and half a step apart.
struct Stencil {
  double full_down, half_down, here, half_up, full_up;

  // The central difference, with the error of the second order taken out by that of half the step: a spline with steep
  // bins has third derivatives of 1e5. It sees no further than the plain one, so no more kinks.
  double central() const { return (8 * (half_up - half_down) - (full_up - full_down)) / 6; }
  // One-sided, with the curvature taken out by the half step.
  double right() const { return 4 * half_up - full_up - 3 * here; }
  double left() const { return 3 * here - 4 * half_down + full_down; }
};

/// True if the slopes of a stencil (times its step h) agree: those of both sides with each other, and their mean with
/// the central one, which a bend in the curvature at the point itself spoils. Values that are no numbers are not a kink
/// but a finding.
bool agree(const Stencil& s, double h, double tolerance, double noise) {
  const double size = std::max({h, std::abs(s.left()), std::abs(s.right())});
  const double allowed = tolerance / 4 * size + 4 * noise;
  return !(std::abs(s.right() - s.left()) > allowed) && !(std::abs((s.right() + s.left()) / 2 - s.central()) > allowed);
}

}  // namespace

namespace {

/// Measures the rows that are marked, with `share` of their step, and marks those that still disagree.
void measure(const Displaced& f, const Point& at, const std::vector<double>& step, double share, double tolerance,
             Slopes& result) {
  const std::vector<Array>& here = at.outputs;
  const std::vector<Array> down = f(-share), half_down = f(-share / 2), half_up = f(share / 2), up = f(share);
  std::vector<std::uint8_t> disagree(result.kinked.size(), 0);
  for (std::size_t o = 0; o < here.size(); ++o)
    for (Index j = 0; j < here[o].columns; ++j)
      for (Index i = 0; i < here[o].rows; ++i) {
        const auto row = static_cast<std::size_t>(i);
        if (!result.kinked[row]) continue;
        const double h = step[row] * share;
        const Stencil s{down[o](i, j), half_down[o](i, j), here[o](i, j), half_up[o](i, j), up[o](i, j)};
        result.outputs[o](i, j) = s.central() / h;
        if (!agree(s, h, tolerance, at.noise[o](i, j))) disagree[row] = 1;
      }
  for (std::size_t i = 0; i < disagree.size(); ++i)
    if (result.kinked[i]) result.step[i] = step[i] * share;
  result.kinked = disagree;
}

}  // namespace

Slopes slopes(const Displaced& f, const Point& here, const std::vector<double>& step, double tolerance) {
  Slopes result;
  result.step = step;
  result.kinked.assign(step.size(), 1);
  for (const Array& a : here.outputs) result.outputs.emplace_back(a.rows, a.columns);
  measure(f, here, step, 1, tolerance, result);
  for (const double smaller : {1.0 / 16, 1.0 / 64}) {
    if (std::find(result.kinked.begin(), result.kinked.end(), 1) == result.kinked.end()) break;
    measure(f, here, step, smaller, tolerance, result);
  }
  return result;
}

Point point(Case& c, const FunctionCase& f, const Request& request) {
  // x is compared with numbers that are sums, such as knots.
  constexpr double kLastBits = 16 * std::numeric_limits<double>::epsilon();
  const double accuracy = std::max(4 * std::numeric_limits<double>::epsilon(), 2 * f.tolerance);
  Point p;
  p.outputs = c.runner(Precision::float64).run(request).outputs;
  for (const Array& a : p.outputs) {
    p.noise.push_back(a);
    for (double& v : p.noise.back().values) v = accuracy * std::abs(v);
  }
  if (f.info.inputs == 0 || !f.differentiable) return p;
  const std::vector<std::vector<Array>> slope = jacobian(c, request);
  for (std::size_t o = 0; o < p.outputs.size(); ++o)
    for (Index k = 0; k < p.outputs[o].columns; ++k)
      for (Index i = 0; i < p.outputs[o].rows; ++i)
        for (Index j = 0; j < request.x.columns; ++j) {
          const double steep =
              std::abs(slope[o][static_cast<std::size_t>(k)](i, j)) * std::max(1.0, std::abs(request.x(i, j)));
          if (std::isfinite(steep)) p.noise[o](i, k) += kLastBits * steep;
        }
  return p;
}

RowSlopes row_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance) {
  RowSlopes all;
  all.request = request;
  Runner& runner = c.runner(Precision::float64);
  all.here = point(c, f, request);
  Request moved = request;
  const Array& at = input == Input::x ? request.x : request.context;
  all.kinked.assign(static_cast<std::size_t>(at.rows), 0);
  for (Index j = 0; j < at.columns; ++j) {
    std::vector<double> step;
    for (Index i = 0; i < at.rows; ++i) {
      const double most = input == Input::x ? room(f.support, at(i, j)) : std::numeric_limits<double>::infinity();
      step.push_back(std::min(step_of(at(i, j)), most));
    }
    const Displaced displaced = [&](double t) {
      Array& to = input_of(moved, input);
      for (Index i = 0; i < at.rows; ++i) to(i, j) = at(i, j) + t * step[static_cast<std::size_t>(i)];
      return runner.run(moved).outputs;
    };
    all.columns.push_back(slopes(displaced, all.here, step, tolerance));
    for (Index i = 0; i < at.rows; ++i) {
      input_of(moved, input)(i, j) = at(i, j);
      all.kinked[static_cast<std::size_t>(i)] |= all.columns.back().kinked[static_cast<std::size_t>(i)];
    }
  }
  for (const std::uint8_t k : all.kinked) all.redrawn += k;
  return all;
}

Determinant numeric_determinant(const RowSlopes& slopes, Index row) {
  Eigen::MatrixXd j(slopes.here.outputs[0].columns, static_cast<Index>(slopes.columns.size()));
  for (Index k = 0; k < j.cols(); ++k)
    for (Index o = 0; o < j.rows(); ++o) j(o, k) = slopes.columns[static_cast<std::size_t>(k)].outputs[0](row, o);
  const bool square = j.rows() == j.cols();
  const Eigen::MatrixXd measured = square ? j : Eigen::MatrixXd(j.transpose() * j);
  const Eigen::PartialPivLU<Eigen::MatrixXd> lu(measured);
  const double log_det = lu.matrixLU().diagonal().array().abs().log().sum() * (square ? 1.0 : 0.5);
  const Eigen::MatrixXd inverse =
      square ? Eigen::MatrixXd(lu.inverse()) : Eigen::MatrixXd(lu.inverse() * j.transpose());
  return {log_det, (inverse.transpose().cwiseAbs().array() * j.cwiseAbs().array().max(1.0)).sum()};
}

void count_redrawn(Index redrawn, Index rows, Tally& tally, const std::string& where) {
  if (redrawn == 0) return;
  const std::string text = where + ": " + std::to_string(redrawn) + " of " + std::to_string(rows) + " samples redrawn";
  tally.note(text);
  if (static_cast<double>(redrawn) > kRedrawn * static_cast<double>(rows))
    tally.finding(text + ", because their one-sided slopes disagree; one in ten may be");
}

std::vector<std::vector<Array>> jacobian(Case& c, const Request& request, Precision precision) {
  Runner& runner = c.runner(precision);
  Request r = request;
  const std::vector<Array> outputs = runner.run(r).outputs;
  std::vector<std::vector<Array>> all(outputs.size());
  for (std::size_t o = 0; o < outputs.size(); ++o)
    for (Index k = 0; k < outputs[o].columns; ++k) {
      r.cotangents.assign(outputs.size(), Array());
      r.cotangents[o] = Array(outputs[o].rows, outputs[o].columns);
      for (Index i = 0; i < outputs[o].rows; ++i) r.cotangents[o](i, k) = 1;
      all[o].push_back(runner.run(r).x);
    }
  return all;
}

std::vector<std::vector<Array>> cotangent_sets(const std::vector<Array>& outputs) {
  std::vector<std::vector<Array>> sets;
  for (int k = 0; k < kCotangents; ++k) sets.push_back(Case::cotangents(outputs, static_cast<unsigned>(k) + 11));
  std::size_t present = 0;
  for (const Array& a : outputs) present += a.columns > 0;
  if (present < 2) return sets;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    std::vector<Array> alone(outputs.size());
    alone[o] = Case::cotangents(outputs, 101)[o];
    sets.push_back(std::move(alone));
  }
  return sets;
}

}  // namespace pushforward::testing
