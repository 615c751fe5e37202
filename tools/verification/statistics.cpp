#include "verification/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace pushforward::verification {
namespace {

std::vector<std::size_t> order_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

double weight(const Sample& sample, std::size_t i) { return sample.weights.empty() ? 1.0 : sample.weights[i]; }

double total_weight(const Sample& sample) {
  return sample.weights.empty() ? static_cast<double>(sample.values.size())
                                : std::accumulate(sample.weights.begin(), sample.weights.end(), 0.0);
}

/// What Stephens multiplies the distance with, so that one distribution fits every size.
double stretch(double n) { return std::sqrt(n) + 0.12 + 0.11 / std::sqrt(n); }

/// Probability that Kolmogorov's distribution exceeds x.
double kolmogorov_tail(double x) {
  if (x < 0.2) return 1;  // less than 1e-12 away
  double sum = 0;
  for (int k = 1; k <= 20; ++k) sum += (k % 2 ? 2 : -2) * std::exp(-2.0 * k * k * x * x);
  return std::clamp(sum, 0.0, 1.0);
}

double log_binomial(double n, double k) { return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1); }

}  // namespace

double Sample::effective_size() const {
  if (weights.empty()) return static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double w : weights) {
    sum += w;
    squares += w * w;
  }
  return sum * sum / squares;
}

Distance distance_to(const Sample& sample, const std::function<double(double)>& cdf) {
  const double total = total_weight(sample);
  double below = 0, largest = 0;
  for (const std::size_t i : order_of(sample.values)) {
    const double expected = cdf(sample.values[i]);
    largest = std::max(largest, expected - below);
    below += weight(sample, i) / total;
    largest = std::max(largest, below - expected);
  }
  return {largest, kolmogorov_tail(stretch(sample.effective_size()) * largest)};
}

Distance distance_to(const Sample& sample, std::span<const double> reference) {
  std::vector<double> sorted(reference.begin(), reference.end());
  std::sort(sorted.begin(), sorted.end());
  const auto share = [&](auto bound) {
    return static_cast<double>(bound - sorted.begin()) / static_cast<double>(sorted.size());
  };
  const double total = total_weight(sample);
  const std::vector<std::size_t> order = order_of(sample.values);
  double below = 0, largest = 0;
  for (std::size_t k = 0; k < order.size();) {
    const double x = sample.values[order[k]];  // may stand there several times
    largest = std::max(largest, std::abs(share(std::lower_bound(sorted.begin(), sorted.end(), x)) - below));
    for (; k < order.size() && sample.values[order[k]] == x; ++k) below += weight(sample, order[k]) / total;
    largest = std::max(largest, std::abs(share(std::upper_bound(sorted.begin(), sorted.end(), x)) - below));
  }
  const double n = sample.effective_size(), m = static_cast<double>(sorted.size());
  return {largest, kolmogorov_tail(stretch(n * m / (n + m)) * largest)};
}

double critical_distance(double level, double effective_size) {
  double low = 0.2, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (kolmogorov_tail(middle) > level ? low : high) = middle;
  }
  return std::min(1.0, low / stretch(effective_size));
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double normal_quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

double chi_square_cdf(double x, double degrees) { return boost::math::cdf(boost::math::chi_squared(degrees), x); }
double chi_square_upper_quantile(double p, double degrees) {
  return boost::math::quantile(boost::math::complement(boost::math::chi_squared(degrees), p));
}
double chi_square_two_sided(double x, double degrees) {
  const boost::math::chi_squared chi(degrees);
  return std::min(1.0, 2 * std::min(boost::math::cdf(chi, x), boost::math::cdf(boost::math::complement(chi, x))));
}

double student_two_sided(double t, double degrees) {
  if (!std::isfinite(t)) return 0;
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)));
}

double binomial_at_least(std::int64_t count, std::int64_t rows, double p) {
  if (count <= 0) return 1;
  const boost::math::binomial binomial(static_cast<double>(rows), p);
  return boost::math::cdf(boost::math::complement(binomial, static_cast<double>(count - 1)));
}

double at_least_beyond(std::int64_t count, std::int64_t rows, std::int64_t rank, std::int64_t reference) {
  // How many rows lie beyond the rank-th of the draws: beta-binomial with parameters rank and reference - rank + 1.
  const auto n = static_cast<double>(rows), a = static_cast<double>(rank),
             b = static_cast<double>(reference - rank + 1);
  const auto log_beta = [](double x, double y) { return std::lgamma(x) + std::lgamma(y) - std::lgamma(x + y); };
  double below = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const auto i = static_cast<double>(k);
    below += std::exp(log_binomial(n, i) + log_beta(i + a, n - i + b) - log_beta(a, b));
  }
  return std::clamp(1 - below, 0.0, 1.0);
}

Mean mean_of(const Sample& sample) {
  const double total = total_weight(sample), n = static_cast<double>(sample.values.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < sample.values.size(); ++i) sum += weight(sample, i) * sample.values[i];
  const double mean = sum / total;
  for (std::size_t i = 0; i < sample.values.size(); ++i) {
    const double deviation = weight(sample, i) * (sample.values[i] - mean);
    squares += deviation * deviation;
  }
  return {mean, n > 1 ? std::sqrt(squares * n / (n - 1)) / total : std::numeric_limits<double>::quiet_NaN()};
}

double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto place = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(place, 1, sorted.size()) - 1];
}

}  // namespace pushforward::verification
