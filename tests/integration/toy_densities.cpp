// The toy datasets' points have the densities that their documentation tells: the mean of the exact log density,
// written down here from the formula, over generated points is the number that stands there.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using std::numbers::pi;

namespace {

using LogDensity = std::function<double(double, double)>;
using Curve = std::function<std::pair<double, double>(double)>;

Table load(const std::string& yaml, std::uint64_t seed = 11) {
  const auto built = build<double>(plugins(), "dataset", yaml, around(2));
  const auto* dataset = dynamic_cast<const Dataset<double>*>(built.component.get());
  REQUIRE(dataset);
  return dataset->load(seed);
}

double mean_log_density(const Table& table, const LogDensity& log_density) {
  double sum = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows); ++i)
    sum += log_density(table.column(0)[i], table.column(1)[i]);
  return sum / static_cast<double>(table.rows);
}

/// The density of a uniform choice among centres, with normal noise, all times `scale`.
LogDensity around_centres(std::vector<std::pair<double, double>> centres, double noise, double scale = 1) {
  return [=, c = std::move(centres)](double x0, double x1) {
    double sum = 0;
    for (const auto& [m0, m1] : c) {
      const double a = (x0 / scale - m0) / noise, b = (x1 / scale - m1) / noise;
      sum += std::exp(-0.5 * (a * a + b * b));
    }
    return std::log(sum / static_cast<double>(c.size()) / (2 * pi * noise * noise * scale * scale));
  };
}

/// The same for points of curves over (0, 1), by the midpoint rule.
LogDensity around_curves(const std::vector<Curve>& curves, double noise, double scale = 1) {
  constexpr int kNodes = 400;
  std::vector<std::pair<double, double>> centres;
  for (const Curve& curve : curves)
    for (int k = 0; k < kNodes; ++k) centres.push_back(curve((k + 0.5) / kNodes));
  return around_centres(std::move(centres), noise, scale);
}

std::vector<std::pair<double, double>> circle_of_centres(int n, double radius) {
  std::vector<std::pair<double, double>> centres;
  for (int k = 0; k < n; ++k)
    centres.emplace_back(radius * std::sin(2 * pi * k / n), radius * std::cos(2 * pi * k / n));
  return centres;
}
Curve circle(double radius, double x0 = 0, double x1 = 0) {
  return [=](double u) { return std::pair(x0 + radius * std::cos(2 * pi * u), x1 + radius * std::sin(2 * pi * u)); };
}

/// x0 standard normal, x1 normal around f(x0).
LogDensity around_graph(double (*f)(double), double noise) {
  return [=](double x0, double x1) {
    const double e = (x1 - f(x0)) / noise;
    return -0.5 * (x0 * x0 + e * e) - std::log(2 * pi * noise);
  };
}

double board(double x0, double x1) {
  const bool inside = std::abs(x0) < 4 && std::abs(x1) < 4;
  const int square = static_cast<int>(std::floor(x0 / 2) + std::floor(x1 / 2)) & 1;
  return inside && square == 0 ? -std::log(32.0) : -INFINITY;
}

std::vector<std::pair<double, double>> diamond() {
  std::vector<std::pair<double, double>> centres;
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 20; ++j) {
      const double a = -2.5 + 5.0 * i / 19, b = -2.5 + 5.0 * j / 19;
      centres.emplace_back((a + b) / std::sqrt(2.0), (b - a) / std::sqrt(2.0));
    }
  return centres;
}

const std::vector<Curve> kMoons = {[](double u) { return std::pair(std::cos(pi * u), std::sin(pi * u)); },
                                   [](double u) { return std::pair(1 - std::cos(pi * u), 0.5 - std::sin(pi * u)); }};
const std::vector<Curve> kFourCircles = {circle(2, 1, 1), circle(2, 1, -1), circle(2, -1, 1), circle(2, -1, -1)};
const std::vector<Curve> kRings = {circle(3), circle(2.25), circle(1.5), circle(0.75)};
const Curve kRoll = [](double u) {
  const double t = 1.5 * pi * (1 + 2 * u);
  return std::pair(t * std::cos(t), t * std::sin(t));
};
const Curve kS = [](double u) {
  const double t = 3 * pi * (u - 0.5);
  return std::pair(std::sin(t), (t < 0 ? -1 : 1) * (std::cos(t) - 1));
};
const Curve kLine = [](double u) { return std::pair(5 * u - 2.5, 5 * u - 2.5); };
const Curve kWave = [](double u) { return std::pair(5 * u - 2.5, 2.5 * std::sin(5 * u - 2.5)); };

}  // namespace

TEST_CASE("toy datasets have the densities that are told of them") {
  const struct {
    const char* yaml;
    LogDensity log_density;
    double optimum;
  } toys[] = {
      {"moons: {samples: 8000}", around_curves(kMoons, 0.1), -1.008},
      {"moons: {samples: 8000, noise: 0.05}", around_curves(kMoons, 0.05), -0.294},
      {"moons: {samples: 8000, scale: 2.0}", around_curves(kMoons, 0.1, 2), -2.394},
      {"circles: {samples: 8000}", around_curves({circle(1), circle(0.5)}, 0.05), -0.61},
      {"circles: {samples: 8000, noise: 0.08, scale: 3.0}", around_curves({circle(1), circle(0.5)}, 0.08, 3), -3.266},
      {"rings: {samples: 8000}", around_curves(kRings, 0.08), -2.621},
      {"four_circles: {samples: 8000}", around_curves(kFourCircles, 0.1), -2.87},
      {"eight_gaussians: {samples: 40000}", around_centres(circle_of_centres(8, 4), 0.5, 1 / 1.414), -2.831},
      {"four_gaussians: {samples: 40000}", around_centres(circle_of_centres(4, 4), 0.5, 1 / 1.414), -2.145},
      {"circular_gaussian_mixture: {samples: 40000}",
       around_centres(circle_of_centres(8, 2), 2.0 / 3 * std::sin(pi / 8)), -2.176},
      {"diamond: {samples: 8000}", around_centres(diamond(), 0.04), -2.39},
      {"checkerboard: {samples: 40000}", board, -3.466},
      {"swiss_roll: {samples: 8000}", around_curves({kRoll}, 1, 0.2), -2.67},
      {"s_curve: {samples: 8000}", around_curves({kS}, 0.1), -1.38},
      {"line: {samples: 8000}", around_curves({kLine}, 0.1), -1.10},
      {"cosine: {samples: 8000}", around_curves({kWave}, 0.1), -1.27},
      {"crescent: {samples: 40000}", around_graph([](double x) { return x * x / 2 - 1; }, std::exp(-1.0)), -1.838},
      {"crescent_cubed: {samples: 40000}", around_graph([](double x) { return x * x * x / 5; }, 1), -2.838},
      {"sine_wave: {samples: 40000}", around_graph([](double x) { return std::sin(5 * x); }, std::exp(-1.0)), -1.838},
      {"abs: {samples: 40000}", around_graph([](double x) { return std::abs(x) - 1; }, std::exp(-1.5)), -1.338},
      {"sign: {samples: 40000}", around_graph([](double x) { return x + (x < 0 ? -1 : 1); }, std::exp(-1.5)), -1.338},
  };
  for (const auto& toy : toys) {
    CAPTURE(toy.yaml);
    // The deviation of a log density of two coordinates is about 1: 0.02 and 0.045 are four standard errors.
    const Table table = load(toy.yaml);
    CHECK(std::abs(mean_log_density(table, toy.log_density) - toy.optimum) < (table.rows > 10000 ? 0.02 : 0.045));
  }
}

TEST_CASE("toy datasets' classes are as many as told, equally frequent, and where they belong") {
  const struct {
    const char* yaml;
    int classes;
  } toys[] = {{"moons: {samples: 4000, labels: true}", 2},
              {"rings: {samples: 4000, labels: true}", 4},
              {"four_circles: {samples: 4000, labels: true}", 4},
              {"eight_gaussians: {samples: 4000, labels: true}", 8},
              {"four_gaussians: {samples: 4000, labels: true}", 4},
              {"circular_gaussian_mixture: {samples: 4000, modes: 5, labels: true}", 5},
              {"blobs: {samples: 4000, centres: 6, labels: true}", 6},
              {"pinwheel: {samples: 4000, labels: true}", 5},
              {"two_spirals: {samples: 4000, labels: true}", 2}};
  for (const auto& toy : toys) {
    CAPTURE(toy.yaml);
    const Table table = load(toy.yaml);
    REQUIRE(table.names == std::vector<std::string>{"x0", "x1", "label"});
    std::map<double, int> counts;
    for (const double label : table.column(2)) ++counts[label];
    REQUIRE(counts.size() == static_cast<std::size_t>(toy.classes));
    const double expected = 4000.0 / toy.classes;
    for (const auto& [label, count] : counts) {
      CHECK(label == std::floor(label));
      CHECK(label < toy.classes);
      CHECK(std::abs(count - expected) < 5 * std::sqrt(expected));
    }
  }
}

TEST_CASE("rings divides its rows, and mixes rows and labels together") {
  const Table ordered = load("rings: {samples: 7, radii: [1.0, 2.0, 3.0], noise: 0.0, shuffle: false, labels: true}");
  const double radii[] = {1, 1, 2, 2, 3, 3, 3};
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(std::hypot(ordered.column(0)[i], ordered.column(1)[i]) == Approx(radii[i]));
    CHECK(ordered.column(2)[i] == radii[i] - 1);
  }
  CHECK(ordered.column(0)[0] == 1);
  CHECK(ordered.column(0)[1] == -1);
  const Table mixed = load("rings: {samples: 400, noise: 0.0, labels: true}");
  double early = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    CHECK(std::hypot(mixed.column(0)[i], mixed.column(1)[i]) == Approx(3 - 0.75 * mixed.column(2)[i]));
    early += i < 200 ? mixed.column(2)[i] : 0;
  }
  CHECK(early / 200 == Approx(1.5).margin(0.4));  // 5 standard errors
  CHECK_THROWS_WITH(load("rings: {samples: 3}"),
                    Catch::Contains("samples") && Catch::Contains("is 3, but there are 4 rings"));
}

TEST_CASE("two_spirals and pinwheel follow their formulas") {
  // Without noise, each arm of the first lies on a spiral, but for the shift of a point to up to (1/6, 1/6).
  const Table spirals = load("two_spirals: {samples: 2000, noise: 0.0, labels: true}");
  for (std::size_t i = 0; i < 2000; ++i) {
    const double side = spirals.column(2)[i] == 0 ? 1 : -1;
    const double x = 3 * side * spirals.column(0)[i], y = 3 * side * spirals.column(1)[i];
    bool found = false;
    for (double t = 0; t < 3 * pi && !found; t += 0.002) {
      const double a = x + t * std::cos(t), b = y - t * std::sin(t);
      found = a > -0.03 && a < 0.53 && b > -0.03 && b < 0.53;
    }
    CHECK(found);
  }
  // Turned back, every arm of the second is a normal distribution.
  const Table wheel = load("pinwheel: {samples: 20000, labels: true}");
  double sums[5] = {};
  for (std::size_t i = 0; i < 20000; ++i) {
    const double x = wheel.column(0)[i] / 2, y = wheel.column(1)[i] / 2;
    // u^2 + v^2 is known and v is small: u is its root to second order, and follows by iteration.
    double u = std::hypot(x, y), v = 0;
    for (int k = 0; k < 200; ++k) {
      const double angle = 2 * pi * wheel.column(2)[i] / 5 + 0.25 * std::exp(u);
      v = x * std::sin(angle) + y * std::cos(angle);
      u = 0.5 * u + 0.5 * (x * std::cos(angle) - y * std::sin(angle));
    }
    sums[0] += u;
    sums[1] += v;
    sums[2] += (u - 1) * (u - 1);
    sums[3] += v * v;
    sums[4] += (u - 1) * v;
  }
  const double error = 5 / std::sqrt(20000.0);
  CHECK(std::abs(sums[0] / 20000 - 1) < 0.3 * error);
  CHECK(std::abs(sums[1] / 20000) < 0.1 * error);
  CHECK(std::abs(sums[2] / 20000 / 0.09 - 1) < std::sqrt(2.0) * error);
  CHECK(std::abs(sums[3] / 20000 / 0.01 - 1) < std::sqrt(2.0) * error);
  CHECK(std::abs(sums[4] / 20000 / 0.03) < error);
}

TEST_CASE("blobs stay where the seed puts them") {
  const std::string yaml = "blobs: {samples: 3000, centres: 2, noise: 0.01, labels: true}";
  const Table one = load(yaml, 1), other = load(yaml, 2);
  const auto spread = [](const Table& table, Index j, double label) {
    double low = INFINITY, high = -INFINITY;
    for (std::size_t i = 0; i < 3000; ++i)
      if (table.column(2)[i] == label) {
        low = std::min(low, table.column(j)[i]);
        high = std::max(high, table.column(j)[i]);
      }
    CHECK(std::max(std::abs(low), std::abs(high)) < 10.1);
    return std::pair(low, high - low);
  };
  for (const double label : {0.0, 1.0}) {
    double moved = 0;
    for (const Index j : {0, 1}) {
      CHECK(spread(one, j, label).second < 0.1);
      moved += std::abs(spread(one, j, label).first - spread(other, j, label).first);
    }
    CHECK(moved > 0.5);
  }
}

TEST_CASE("toy datasets are a function of the fields and the seed") {
  for (const std::string name : {"moons", "rings", "eight_gaussians", "blobs", "checkerboard", "two_spirals", "abs"}) {
    CAPTURE(name);
    CHECK(load(name, 1).values == load(name, 1).values);
    CHECK(load(name, 1).values != load(name, 2).values);
  }
}
