// Check 19 where no grid reaches: events of more than two elements, by importance weights of a distribution's own
// samples.
#include <cmath>
#include <eigen3/Eigen/Cholesky>

#include "grid.h"

namespace pushforward::testing {

namespace {

constexpr Index kEvents = 20000;

/// Events on a line of their own each: logarithms, log-odds, log-ratios to the last element of a simplex.
struct Unbounded {
  Eigen::MatrixXd u;                 // samples x dimensions
  std::vector<double> log_jacobian;  // log |dy/du|
};

Unbounded unbounded(Case& c, const Array& y) {
  const bool simplex = c.density()->on_simplex;
  const Support s = c.find("log_prob")->support;
  const bool below = std::isfinite(s.lower), above = std::isfinite(s.upper);
  Unbounded result{Eigen::MatrixXd(y.rows, y.columns - (simplex ? 1 : 0)),
                   std::vector<double>(static_cast<std::size_t>(y.rows), 0.0)};
  for (Index i = 0; i < y.rows; ++i) {
    double& log_jacobian = result.log_jacobian[static_cast<std::size_t>(i)];
    for (Index j = 0; j < result.u.cols(); ++j) {
      const double v = y(i, j), from = v - s.lower, to = s.upper - v;
      if (simplex) {
        result.u(i, j) = std::log(v / y(i, y.columns - 1));
        log_jacobian += std::log(v);
      } else if (below && above) {
        result.u(i, j) = std::log(from / to);
        log_jacobian += std::log(from) + std::log(to) - std::log(s.upper - s.lower);
      } else {
        result.u(i, j) = below ? std::log(from) : above ? -std::log(to) : v;
        log_jacobian += below ? std::log(from) : above ? std::log(to) : 0;
      }
    }
    if (simplex) log_jacobian += std::log(y(i, y.columns - 1));
  }
  return result;
}

double quantile(std::vector<double> values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// log density of a normal at the samples' median, half as wide as their middle: lighter in every tail than what they
/// come from.
std::vector<double> narrow_normal(const Eigen::MatrixXd& u) {
  Eigen::MatrixXd centred = u;
  for (Index j = 0; j < u.cols(); ++j) {
    const std::vector<double> column(u.col(j).data(), u.col(j).data() + u.rows());
    const double middle = quantile(column, 0.5), width = quantile(column, 0.75) - quantile(column, 0.25);
    centred.col(j).array() -= middle;
    centred.col(j) = centred.col(j).cwiseMax(-2 * width).cwiseMin(2 * width);
  }
  const Eigen::MatrixXd covariance = 0.5 * centred.transpose() * centred / static_cast<double>(u.rows());
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  for (Index j = 0; j < u.cols(); ++j) {
    const std::vector<double> column(u.col(j).data(), u.col(j).data() + u.rows());
    centred.col(j) = u.col(j).array() - quantile(column, 0.5);
  }
  const Eigen::MatrixXd z = factor.matrixL().solve(centred.transpose());
  constexpr double kLogTwoPi = 1.83787706640934548356;
  const double constant = -0.5 * kLogTwoPi * static_cast<double>(u.cols()) -
                          Eigen::MatrixXd(factor.matrixL()).diagonal().array().log().sum();
  std::vector<double> all;
  for (Index i = 0; i < u.rows(); ++i) all.push_back(constant - 0.5 * z.col(i).squaredNorm());
  return all;
}

}  // namespace

void check_normaliser(Case& c, Tally& t) {
  if (!c.density() || c.data_columns() < 3 || !c.find("sample")) return;
  constexpr Index kRows = 4000;
  constexpr double kStandardErrors = 5, kScattered = 0.02;
  const FunctionCase& f = *c.find("log_prob");
  const Array y = draw_samples(c, t.precision(), kEvents);
  const Unbounded at = unbounded(c, y);
  const std::vector<double> inner = narrow_normal(at.u);
  double sum = 0, square = 0;
  for (Index begin = 0; begin < y.rows; begin += kRows) {
    std::vector<Index> rows;
    for (Index i = begin; i < std::min(begin + kRows, y.rows); ++i) rows.push_back(i);
    Request r;
    r.function = f.index;
    r.rows = static_cast<Index>(rows.size());
    r.x = y.select(rows);
    r.context = one_context_row(c, f, r.rows);
    const Array log_prob = c.runner(t.precision()).run(r).outputs[0];
    for (const Index i : rows) {
      const auto k = static_cast<std::size_t>(i);
      const double weight = std::exp(inner[k] - log_prob(i - begin, 0) - at.log_jacobian[k]);
      sum += weight / static_cast<double>(y.rows);
      square += weight * weight / static_cast<double>(y.rows);
    }
  }
  const double error = std::sqrt(std::max(0.0, square - sum * sum) / static_cast<double>(y.rows));
  if (!(error < kScattered * sum)) return t.note("importance weights scatter too much to tell the integral");
  t.at(c.variant().label);
  t.compare(
      -1, [] { return std::string("integral of the density, by its samples"); }, 1 / sum, 1,
      kStandardErrors * error / sum + t.tolerance());
}

}  // namespace pushforward::testing
