// Samplers with implicit gradients: their distribution function at what they draw is the uniform number they drew it
// from, and their gradients are those of the quantile.
#include "pushforward/implicit_samplers.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "pushforward/operations.h"
#include "pushforward/special_functions.h"

using namespace pushforward;  // NOLINT

namespace {

const Draws kDraws({5, 6, 0}, ComponentId{7}, 0, 0);

template <class T>
using Sampler = Var<T> (*)(Var<T>, Index, const Draws&);

template <class T>
std::vector<double> draw(Sampler<T> sampler, double parameter, Index n, const Draws& draws = kDraws) {
  Tape<T> tape(false);
  const Var<T> sample = sampler(tape.constant(static_cast<T>(parameter)), n, draws);
  return {sample.value().data, sample.value().data + n};
}

/// The derivative of every sample with respect to its own parameter.
template <class T>
std::vector<double> slopes(Sampler<T> sampler, double parameter, Index n) {
  const std::vector<T> own(static_cast<std::size_t>(n), static_cast<T>(parameter));
  Tape<T> tape;
  const Var<T> leaf = tape.leaf(compact(own.data(), n, 1));
  tape.backward(sampler(leaf, n, kDraws));
  const Block<const T> g = tape.adjoint(leaf);
  return {g.data, g.data + n};
}

std::vector<double> uniforms(Index n) {
  std::vector<double> u(static_cast<std::size_t>(n));
  kDraws.uniform(Block<double>{u.data(), n, 1, round_up(n, kPadding)});
  return u;
}

constexpr double kConcentrations[] = {0.01, 0.5, 1.0, 10.0, 99.0, 101.0, 1e4};
constexpr double kAngular[] = {0.0, 1e-3, 0.5, 2.0, 30.0, 1e4, 1e8};

/// log of P(a, g) for all g: below the smallest number it is that of the first term of its series.
double log_distribution(double a, double log_g) {
  if (log_g < -600) return a * log_g - boost::math::lgamma(a + 1);
  return std::log(boost::math::gamma_p(a, std::exp(log_g)));
}

/// Largest distance between the empirical distribution of `u` and the uniform one, in units of 1/sqrt(n).
double kolmogorov(std::vector<double> u) {
  std::sort(u.begin(), u.end());
  const auto n = static_cast<double>(u.size());
  double most = 0;
  for (std::size_t i = 0; i < u.size(); ++i)
    most = std::max({most, u[i] - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - u[i]});
  return most * std::sqrt(n);
}

/// The distribution function of an angle by Simpson's rule.
double angle_distribution(double k, double x) {
  constexpr int kSteps = 20000;
  const double reach = std::min(std::numbers::pi, k > 1 ? 12 / std::sqrt(k) : std::numbers::pi);
  const auto density = [k](double y) { return std::exp(-2 * k * std::sin(y / 2) * std::sin(y / 2)); };
  const auto integral = [&](double from, double to) {
    const double h = (to - from) / kSteps;
    double sum = density(from) + density(to);
    for (int i = 1; i < kSteps; ++i) sum += (i % 2 ? 4 : 2) * density(from + i * h);
    return sum * h / 3;
  };
  return x <= -reach ? 0 : integral(-reach, x) / integral(-reach, reach);
}

}  // namespace

TEST_CASE("a Gamma sample is the quantile of its uniform number") {
  constexpr Index kRows = 400;
  const std::vector<double> u = uniforms(kRows);
  for (const double a : kConcentrations) {
    CAPTURE(a);
    const std::vector<double> sample = draw<double>(log_gamma_sample, a, kRows);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double p = std::exp(log_distribution(a, sample[i]));
      CHECK(std::abs(p - u[i]) <= 2e-12 * std::min(1.0, std::sqrt(a)));
    }
  }
}

TEST_CASE("Gamma samples follow their distribution and have its moments") {
  constexpr Index kRows = 20000;
  for (const double a : kConcentrations) {
    CAPTURE(a);
    const std::vector<double> sample = draw<double>(log_gamma_sample, a, kRows);
    std::vector<double> u;
    double mean = 0, square = 0;
    for (const double log_g : sample) {
      u.push_back(std::exp(log_distribution(a, log_g)));
      mean += std::exp(log_g) / kRows;
      square += std::exp(2 * log_g) / kRows;
    }
    CHECK(kolmogorov(u) < 1.95);  // level 1e-3
    // The variance of a sample's square deviation is 2 a^2 + 6 a.
    CHECK(std::abs(mean - a) < 5 * std::sqrt(a / kRows));
    CHECK(std::abs(square - mean * mean - a) < 5 * std::sqrt((2 * a * a + 6 * a) / kRows));
  }
}

TEST_CASE("the gradient of a Gamma sample is that of the quantile") {
  constexpr Index kRows = 200;
  for (const double a : kConcentrations) {
    CAPTURE(a);
    const std::vector<double> analytic = slopes<double>(log_gamma_sample, a, kRows);
    const double h = 1e-4 * std::max(a, std::sqrt(a));
    const auto shifted = [&](double steps) { return draw<double>(log_gamma_sample, a + steps * h, kRows); };
    const std::vector<double> up = shifted(1), down = shifted(-1), far_up = shifted(2), far_down = shifted(-2);
    double worst = 0;
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      const double numeric = (8 * (up[i] - down[i]) - (far_up[i] - far_down[i])) / (12 * h);
      worst = std::max(worst, std::abs(analytic[i] - numeric) / std::max(1 / a, std::abs(numeric)));
    }
    CHECK(worst < 1e-9);
  }
}

TEST_CASE("an angle is the quantile of its uniform number") {
  constexpr Index kRows = 40;
  const std::vector<double> u = uniforms(kRows);
  for (const double k : kAngular) {
    CAPTURE(k);
    const std::vector<double> sample = draw<double>(von_mises_sample, k, kRows);
    for (std::size_t i = 0; i < u.size(); ++i) CHECK(std::abs(angle_distribution(k, sample[i]) - u[i]) <= 1e-11);
    // The mean cosine is I1(k)/I0(k), 1 more than the derivative of log(exp(-k) I0(k)).
    constexpr Index kMany = 20000;
    double less_one = 0, square = 0;
    for (const double x : draw<double>(von_mises_sample, k, kMany)) {
      const double c = -2 * std::sin(x / 2) * std::sin(x / 2);
      less_one += c / kMany;
      square += c * c / kMany;
    }
    Tape<double> tape;
    const Var<double> leaf = tape.leaf(compact(&k, 1, 1));
    tape.backward(log_bessel_i0e(leaf));
    const double error = std::sqrt((square - less_one * less_one) / kMany);
    CHECK(std::abs(less_one - *tape.adjoint(leaf).data) < 5 * error);
  }
}

TEST_CASE("the gradient of an angle is that of the quantile") {
  constexpr Index kRows = 200;
  for (const double k : kAngular) {
    CAPTURE(k);
    const std::vector<double> analytic = slopes<double>(von_mises_sample, k, kRows);
    const double h = 1e-4 * std::max(k, 1.0), from = k == 0 ? 2 * h : k;
    const auto shifted = [&](double steps) { return draw<double>(von_mises_sample, from + steps * h, kRows); };
    const std::vector<double> up = shifted(1), down = shifted(-1), far_up = shifted(2), far_down = shifted(-2);
    const std::vector<double> expected = from == k ? analytic : slopes<double>(von_mises_sample, from, kRows);
    const double size = 1 / std::max(1.0, k * std::sqrt(k));  // of x / k
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double numeric = (8 * (up[i] - down[i]) - (far_up[i] - far_down[i])) / (12 * h);
      worst = std::max(worst, std::abs(expected[i] - numeric) / std::max(size, std::abs(numeric)));
    }
    CHECK(worst < 1e-9);
  }
}

TEST_CASE("samples do not depend on shards, on precision or on who shares the parameter") {
  constexpr Index kRows = 48, kFirst = 32;
  const Draws second({5, 6, 0}, ComponentId{7}, 0, kFirst);
  for (const double a : {0.3, 4.0}) {
    const std::vector<double> all = draw<double>(log_gamma_sample, a, kRows);
    const std::vector<double> rest = draw<double>(log_gamma_sample, a, kRows - kFirst, second);
    CHECK(std::equal(rest.begin(), rest.end(), all.begin() + kFirst));
    const double rounded = static_cast<double>(static_cast<float>(a));
    const std::vector<double> exact = draw<double>(log_gamma_sample, rounded, kRows);
    const std::vector<double> single = draw<float>(log_gamma_sample, a, kRows);
    for (std::size_t i = 0; i < exact.size(); ++i)
      CHECK(single[i] == static_cast<double>(static_cast<float>(exact[i])));
    // One parameter for all rows gets the sum of what each row would give its own.
    const std::vector<double> own = slopes<double>(log_gamma_sample, a, kRows);
    double sum = 0;
    for (const double s : own) sum += s;
    Tape<double> tape;
    const Var<double> shared = tape.leaf(compact(&a, 1, 1));
    tape.backward(log_gamma_sample(shared, kRows, kDraws));
    CHECK(*tape.adjoint(shared).data == Approx(sum).epsilon(1e-13));
  }
}

TEST_CASE("parameters outside of their range give no numbers; wrong shapes and tangents are errors") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double a : {0.0, -1.0, kInfinity, kNan}) CHECK(std::isnan(draw<double>(log_gamma_sample, a, 3)[1]));
  for (const double k : {-1.0, kInfinity, kNan}) CHECK(std::isnan(draw<double>(von_mises_sample, k, 3)[1]));
  Tape<double> tape;
  CHECK_THROWS_WITH(log_gamma_sample(tape.full(2, 1, 1.0), 3, kDraws),
                    "log_gamma_sample: a parameter of 2 rows, but 3 samples: there must be one row, or as many");
  const double one = 1;
  const Var<double> leaf = tape.leaf(compact(&one, 1, 1));
  const Var<double> sample = log_gamma_sample(leaf, 3, kDraws);
  CHECK_THROWS_WITH(tape.tangent(sample, leaf, tape.constant(1.0)), Catch::Contains("log_gamma_sample"));
}
