#include "numeric.h"

#include <cmath>
#include <eigen3/Eigen/LU>

namespace pushforward::testing {

double step_of(double x) { return kStep * std::max(1.0, std::abs(x)); }

double value_noise(const FunctionCase& f) {
  return std::max(4 * std::numeric_limits<double>::epsilon(), 2 * f.tolerance);
}

Array& input_of(Request& r, Input input) { return input == Input::x ? r.x : r.context; }
const Array& input_of(const Response& r, Input input) { return input == Input::x ? r.x : r.context; }
const char* to_string(Input input) { return input == Input::x ? "x" : "context"; }

namespace {

/// Five values of one output around one point, a step and half a step apart.
struct Stencil {
  double full_down, half_down, here, half_up, full_up;

  double central() const { return (full_up - full_down) / 2; }
  double central_of_half() const { return half_up - half_down; }
  // One-sided, with the curvature taken out by the half step.
  double right() const { return 4 * half_up - full_up - 3 * here; }
  double left() const { return 3 * here - 4 * half_down + full_down; }
  double magnitude() const { return std::max({std::abs(full_down), std::abs(here), std::abs(full_up)}); }
};

/// True if the slopes of a stencil (times its step h) agree. Values that are no numbers are not a kink but a finding.
bool agree(const Stencil& s, double h, double tolerance, double noise) {
  const double size = std::max({h, std::abs(s.left()), std::abs(s.right())});
  const double allowed = tolerance * size + 16 * noise * s.magnitude();
  return !(std::abs(s.right() - s.left()) > allowed) && !(std::abs(s.central() - s.central_of_half()) > allowed);
}

}  // namespace

Slopes slopes(const Displaced& f, const std::vector<Array>& here, const std::vector<double>& step, double tolerance,
              double noise) {
  const std::vector<Array> down = f(-1), half_down = f(-0.5), half_up = f(0.5), up = f(1);
  Slopes result;
  result.kinked.assign(step.size(), 0);
  for (std::size_t o = 0; o < here.size(); ++o) {
    Array slope(here[o].rows, here[o].columns);
    for (Index j = 0; j < slope.columns; ++j)
      for (Index i = 0; i < slope.rows; ++i) {
        const double h = step[static_cast<std::size_t>(i)];
        const Stencil s{down[o](i, j), half_down[o](i, j), here[o](i, j), half_up[o](i, j), up[o](i, j)};
        slope(i, j) = s.central() / h;
        if (!agree(s, h, tolerance, noise)) result.kinked[static_cast<std::size_t>(i)] = 1;
      }
    result.outputs.push_back(std::move(slope));
  }
  return result;
}

RowSlopes row_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance) {
  RowSlopes all;
  all.request = request;
  Runner& runner = c.runner(Precision::float64);
  all.here = runner.run(request).outputs;
  Request moved = request;
  const Array& at = input == Input::x ? request.x : request.context;
  all.kinked.assign(static_cast<std::size_t>(at.rows), 0);
  for (Index j = 0; j < at.columns; ++j) {
    std::vector<double> step;
    for (Index i = 0; i < at.rows; ++i) step.push_back(step_of(at(i, j)));
    const Displaced displaced = [&](double t) {
      Array& to = input_of(moved, input);
      for (Index i = 0; i < at.rows; ++i) to(i, j) = at(i, j) + t * step[static_cast<std::size_t>(i)];
      return runner.run(moved).outputs;
    };
    all.columns.push_back(slopes(displaced, all.here, step, tolerance, value_noise(f)));
    for (Index i = 0; i < at.rows; ++i) {
      input_of(moved, input)(i, j) = at(i, j);
      all.kinked[static_cast<std::size_t>(i)] |= all.columns.back().kinked[static_cast<std::size_t>(i)];
    }
  }
  for (const std::uint8_t k : all.kinked) all.redrawn += k;
  return all;
}

Determinant numeric_determinant(const RowSlopes& slopes, Index row) {
  Eigen::MatrixXd j(slopes.here[0].columns, static_cast<Index>(slopes.columns.size()));
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
