// The statistics behind `verify`, against closed forms and as tests: their p-values are uniform.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "pushforward/engine.h"
#include "verification/statistics.h"

namespace {

using namespace pushforward;                // NOLINT
using namespace pushforward::verification;  // NOLINT

std::vector<double> normals(Index n, std::uint64_t seed, double scale = 1) {
  Matrix<double> m(n, 1);
  Draws({.seed = seed}, {1}, 0, 0).normal(m.block());
  std::vector<double> values(m.block().data, m.block().data + n);
  for (double& v : values) v *= scale;
  return values;
}

TEST_CASE("A distance to a distribution is that of the worse side of a step") {
  const std::vector<double> values = {0.1, 0.6, 0.7};
  const auto uniform = [](double x) { return x; };
  CHECK(distance_to({values, {}}, uniform).statistic == Approx(0.3));  // 0.6 where a third lies below, 0.7 where all do
  CHECK(distance_to({std::vector<double>{0.5}, {}}, uniform).statistic == Approx(0.5));
}

TEST_CASE("Kolmogorov's distribution has its well-known quantiles") {
  CHECK(critical_distance(0.05, 1e10) * 1e5 == Approx(1.3581).epsilon(1e-4));
  CHECK(critical_distance(0.01, 1e10) * 1e5 == Approx(1.6276).epsilon(1e-4));
  CHECK(critical_distance(0.001, 1e10) * 1e5 == Approx(1.9495).epsilon(1e-4));
  // Exact for 20 values, from the tables of Miller (1956).
  CHECK(critical_distance(0.05, 20) == Approx(0.29408).epsilon(5e-3));
  CHECK(critical_distance(0.01, 20) == Approx(0.35241).epsilon(5e-3));
}

TEST_CASE("Weights count as repeated rows do") {
  const std::vector<double> once = {-1, 0.3, 2}, weights = {1, 3, 2}, repeated = {-1, 0.3, 0.3, 0.3, 2, 2};
  CHECK(distance_to({once, weights}, normal_cdf).statistic ==
        Approx(distance_to({repeated, {}}, normal_cdf).statistic));
  const std::vector<double> reference = normals(200, 5);
  CHECK(distance_to({once, weights}, reference).statistic == Approx(distance_to({repeated, {}}, reference).statistic));
  CHECK(mean_of({once, weights}).value == Approx(mean_of({repeated, {}}).value));
  CHECK(Sample{once, weights}.effective_size() == Approx(36.0 / 14));
  CHECK(Sample{repeated, {}}.effective_size() == 6);
}

TEST_CASE("Two samples are compared at every value, with ties") {
  const std::vector<double> a = {1, 2, 2, 3}, b = {2, 2, 4, 5};
  CHECK(distance_to({a, {}}, b).statistic == Approx(0.5));
  CHECK(distance_to({a, {}}, a).statistic == Approx(0).margin(1e-15));
  CHECK(distance_to({a, {}}, a).p_value == 1);
}

TEST_CASE("Tail probabilities have closed forms") {
  CHECK(chi_square_upper_quantile(1e-4, 2) == Approx(-2 * std::log(1e-4)));
  CHECK(chi_square_cdf(1.0, 2) == Approx(1 - std::exp(-0.5)));
  CHECK(chi_square_two_sided(1.386294361119891, 2) == Approx(1));  // the median
  CHECK(student_two_sided(1, 1) == Approx(0.5));                   // Cauchy's quartile
  CHECK(student_two_sided(INFINITY, 3) == 0);
  CHECK(binomial_at_least(0, 10, 1e-4) == 1);
  CHECK(binomial_at_least(1, 10, 1e-4) == Approx(1 - std::pow(1 - 1e-4, 10)));
  CHECK(at_least_beyond(0, 10, 1, 90) == 1);
  CHECK(at_least_beyond(1, 10, 1, 90) == Approx(0.1));             // the most extreme of 100 is one of the ten
  CHECK(at_least_beyond(2, 10, 1, 90) == Approx(0.1 * 9.0 / 99));  // so are the two most extreme
  CHECK(normal_cdf(normal_quantile(0.025)) == Approx(0.025));
}

TEST_CASE("p-values of samples that are what they should be are uniform") {
  constexpr int kTrials = 400;
  const std::vector<double> reference = normals(5000, 99);
  for (const Index n : {8, 50}) {
    int known = 0, sampled = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      const std::vector<double> values = normals(n, static_cast<std::uint64_t>(1000 + trial));
      known += distance_to({values, {}}, normal_cdf).p_value < 0.1 ? 1 : 0;
      sampled += distance_to({values, {}}, reference).p_value < 0.1 ? 1 : 0;
    }
    // 40 expected, with a standard deviation of 6.
    CHECK(std::abs(known - 40) < 24);
    CHECK(std::abs(sampled - 40) < 24);
  }
  CHECK(distance_to({normals(400, 7, 1.5), {}}, normal_cdf).p_value < 1e-3);
  CHECK(distance_to({normals(400, 7, 1.5), {}}, reference).p_value < 1e-3);
}

}  // namespace
