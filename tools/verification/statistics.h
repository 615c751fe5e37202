// The statistics behind the checks of a fit: distances between distributions and how likely chance makes them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace pushforward::verification {

/// Numbers with weights; no weights: all count alike.
struct Sample {
  std::span<const double> values, weights;
  /// Rows of weight one that carry as much information: (sum w)^2 / sum w^2 (Kish, "Survey sampling", 1965).
  double effective_size() const;
};

/// The largest distance between two distribution functions, and the probability that chance makes it as large.
struct Distance {
  double statistic = 0;
  double p_value = 1;
};
/// Of a sample to a known distribution function (Kolmogorov and Smirnov); good from five values on.
///
/// Stephens, "EDF statistics for goodness of fit and some comparisons", JASA 69 (1974).
Distance distance_to(const Sample& sample, const std::function<double(double)>& cdf);
/// Of two samples; the second one has no weights.
Distance distance_to(const Sample& sample, std::span<const double> reference);
/// The statistic that chance exceeds with probability `level` for so many values.
double critical_distance(double level, double effective_size);

double normal_cdf(double x);
/// The x with normal_cdf(x) = p.
double normal_quantile(double p);
double chi_square_cdf(double x, double degrees);
/// The x that a chi-square number exceeds with probability `p`.
double chi_square_upper_quantile(double p, double degrees);
/// Probability of a chi-square number at least as unlikely as x, on either side.
double chi_square_two_sided(double x, double degrees);
/// Probability that a number of Student's distribution is farther from zero than t.
double student_two_sided(double t, double degrees);
/// Probability that at least `count` of `rows` independent rows lie in a region of probability `p`.
double binomial_at_least(std::int64_t count, std::int64_t rows, double p);
/// The same for a region that is known by a sample alone: beyond the `rank`-th most extreme of `reference` draws.
double at_least_beyond(std::int64_t count, std::int64_t rows, std::int64_t rank, std::int64_t reference);

/// Mean and its standard error (NaN for a single value), weighted where there are weights.
struct Mean {
  double value = 0, standard_error = 0;
};
Mean mean_of(const Sample& sample);

/// The value below which a share of sorted values lies; the highest one for a share of 1.
double quantile(std::span<const double> sorted, double share);

}  // namespace pushforward::verification
