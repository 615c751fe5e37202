// Numbers that pictures show: kernel densities, contours, marginals, distances, names.
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "pictures/contours.h"
#include "pictures/kernel_density.h"
#include "pictures/plot_numbers.h"
#include "pictures/script.h"

using namespace pushforward;  // NOLINT

namespace {

std::vector<double> normal_values(std::size_t n, double mean, double deviation, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> values(n);
  for (double& v : values) v = normal(random);
  return values;
}

double normal_density(double x, double mean, double deviation) {
  const double z = (x - mean) / deviation;
  return std::exp(-0.5 * z * z) / (deviation * std::sqrt(2 * std::numbers::pi));
}

double mass(const std::vector<double>& density, double cell) {
  return std::accumulate(density.begin(), density.end(), 0.0) * cell;
}

/// A density that falls from the origin like exp(-|x|^2 / 2), on [-4, 4] x [-4, 4].
DensityGrid round_hill(Index cells) {
  DensityGrid grid{.axes = {{-4, 4}, {-4, 4}}, .cells = cells, .density = {}};
  for (Index j = 0; j < cells; ++j)
    for (Index i = 0; i < cells; ++i)
      grid.density.push_back(normal_density(grid.axes[0].centre(i, cells), 0, 1) *
                             normal_density(grid.axes[1].centre(j, cells), 0, 1));
  return grid;
}

}  // namespace

TEST_CASE("The bandwidth for a normal sample is near the best there is, and follows its scale") {
  const std::vector<double> values = normal_values(4000, 0, 1, 1);
  const double best = std::pow(4.0 / (3 * 4000), 0.2);  // of the asymptotic mean integrated squared error
  const double found = kernel_bandwidth(values, {-5, 5});
  CHECK(found == Approx(best).epsilon(0.2));
  std::vector<double> wide = values;
  for (double& v : wide) v = 1000 + 50 * v;
  CHECK(kernel_bandwidth(wide, {750, 1250}) == Approx(50 * found).epsilon(1e-6));
}

TEST_CASE("Two narrow modes far apart stay narrow") {
  std::vector<double> values = normal_values(2000, -5, 0.2, 2);
  const std::vector<double> other = normal_values(2000, 5, 0.2, 3);
  values.insert(values.end(), other.begin(), other.end());
  // Silverman's rule would give 0.9 * 5 * 4000^(-1/5), most of a unit.
  CHECK(kernel_bandwidth(values, {-6, 6}) < 0.3);
}

TEST_CASE("Values that say nothing about a width get a sensible bandwidth") {
  for (const auto& values : {std::vector<double>{}, std::vector<double>{3}, std::vector<double>{3, 3, 3},
                             std::vector<double>{NAN, INFINITY, 3}, std::vector<double>{1, 4}}) {
    const double bandwidth = kernel_bandwidth(values, {0, 10});
    CHECK(bandwidth > 0);
    CHECK(bandwidth < 10);
  }
  // Rounded values: not a mode for each of them.
  std::vector<double> rounded = normal_values(2000, 0, 3, 4);
  for (double& v : rounded) v = std::round(v);
  CHECK(kernel_bandwidth(rounded, {-12, 12}) > 0.19);
}

TEST_CASE("A kernel density estimates the density, and holds the share of the values that lie in its range") {
  const std::vector<double> values = normal_values(20000, 1, 2, 5);
  const AxisRange range{-9, 11};
  const std::vector<double> density = kernel_density(values, range, 200);
  CHECK(mass(density, 0.1) == Approx(1).epsilon(1e-3));
  for (Index i = 0; i < 200; ++i)
    CHECK(density[static_cast<std::size_t>(i)] == Approx(normal_density(range.centre(i, 200), 1, 2)).margin(0.01));

  std::vector<double> half = values;
  for (std::size_t i = 0; i < half.size(); i += 2) half[i] = 1e6;
  CHECK(mass(kernel_density(half, range, 200), 0.1) == Approx(0.5).epsilon(1e-3));
}

TEST_CASE("The kernel density of pairs is that of independent elements where they are") {
  const std::vector<double> x = normal_values(20000, 0, 1, 6), y = normal_values(20000, 5, 2, 7);
  const DensityGrid grid = kernel_density(x, y, {-5, 5}, {-5, 15}, 50);
  CHECK(mass(grid.density, 0.2 * 0.4) == Approx(1).epsilon(1e-2));
  const auto at = [&](Index i, Index j) { return grid.density[static_cast<std::size_t>(i + 50 * j)]; };
  for (const Index i : {15, 25, 35})
    for (const Index j : {20, 25, 30})
      CHECK(at(i, j) ==
            Approx(normal_density(grid.axes[0].centre(i, 50), 0, 1) * normal_density(grid.axes[1].centre(j, 50), 5, 2))
                .margin(0.008));
}

TEST_CASE("The contour of a round hill is one closed circle at the level's radius") {
  const DensityGrid grid = round_hill(101);
  const double level = std::exp(-0.5 * 1.5 * 1.5) / (2 * std::numbers::pi);
  const std::vector<Polyline> lines = contour_lines(grid, level);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() > 40);
  CHECK(lines[0].front() == lines[0].back());
  for (const auto& [x, y] : lines[0]) CHECK(std::hypot(x, y) == Approx(1.5).epsilon(5e-3));
}

TEST_CASE("Contours that leave the grid end on its border, and saddles are resolved") {
  const DensityGrid slope{
      .axes = {{0, 4}, {0, 4}}, .cells = 4, .density = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}};
  const std::vector<Polyline> lines = contour_lines(slope, 1.5);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == 4);
  for (const auto& point : lines[0]) CHECK(point[0] == 2);
  CHECK(std::abs(lines[0].front()[1] - lines[0].back()[1]) == 3);
  CHECK(contour_lines(slope, 5).empty());
  // Two hills that touch at a corner: the middle, 0.5, is below the level, so they are two.
  const DensityGrid saddle{.axes = {{0, 2}, {0, 2}}, .cells = 2, .density = {1, 0, 0, 1}};
  const std::vector<Polyline> two = contour_lines(saddle, 0.75);
  REQUIRE(two.size() == 2);
  for (const Polyline& line : two) {
    REQUIRE(line.size() == 2);
    const double from_low = line[0][0] + line[0][1] - 1, from_high = 3 - line[0][0] - line[0][1];
    CHECK(std::min(from_low, from_high) == Approx(0.25));
  }
  CHECK(contour_lines(saddle, 0.25).size() == 2);
}

TEST_CASE("The level of a share of the mass is that of the smallest region which holds it") {
  // Of a normal plane, a disc of radius r holds 1 - exp(-r^2 / 2).
  for (const double share : {0.3, 0.5, 0.9})
    CHECK(level_of_mass(round_hill(201), share) == Approx((1 - share) / (2 * std::numbers::pi)).epsilon(0.02));
}

TEST_CASE("Marginals of a grid are its sums, unless it does not hold the density") {
  const DensityGrid grid = round_hill(80);
  for (const std::size_t axis : {0, 1}) {
    const std::vector<double> density = marginal(grid, axis);
    REQUIRE(density.size() == 80);
    for (Index i = 0; i < 80; ++i)
      CHECK(density[static_cast<std::size_t>(i)] ==
            Approx(normal_density(grid.axes[axis].centre(i, 80), 0, 1)).epsilon(1e-3));
  }
  DensityGrid half = grid;
  for (double& d : half.density) d /= 2;
  CHECK(marginal(half, 0).empty());
}

TEST_CASE("What is shown leaves out what lies far off, and nothing of a few values") {
  std::vector<double> values = normal_values(1000, 0, 1, 8);
  values[500] = 400;
  values[501] = NAN;
  const AxisRange shown = shown_range(values, 0);
  CHECK(shown.low < -2.5);
  CHECK(shown.high > 3);
  CHECK(shown.high < 7);
  CHECK(shown_range(std::vector<double>{0, 1, 50}, 0).high == 50);
}

TEST_CASE("A frame leaves out the ends of heavy tails, and no cluster of one row in ten") {
  std::vector<double> cauchy, exponential;
  for (int i = 0; i < 2000; ++i) {
    const double u = (i + 0.5) / 2000;
    cauchy.push_back(std::tan(std::numbers::pi * (u - 0.5)));
    exponential.push_back(-std::log(u));
  }
  const AxisRange heavy = shown_range(cauchy, 0);  // its middle 95 of 100 are within 12.7, the middle 99 within 63.7
  CHECK(heavy.high == Approx(12.7).epsilon(0.02));
  CHECK(heavy.low == Approx(-heavy.high));
  const AxisRange light = shown_range(exponential, 0);
  CHECK(light.low == Approx(0).margin(1e-3));
  CHECK(light.high > 7.5);  // nearly all: one value in 2000 is beyond

  std::vector<double> clusters = normal_values(900, 0, 0.01, 9);
  const std::vector<double> other = normal_values(100, 10, 0.01, 10);
  clusters.insert(clusters.end(), other.begin(), other.end());
  CHECK(shown_range(clusters, 0).high > 10);
  std::vector<double> zeros(900);  // most values are the same
  zeros.insert(zeros.end(), other.begin(), other.end());
  CHECK(shown_range(zeros, 0).high > 10);
}

TEST_CASE("Ticks at the ends of a level axis reach beyond it by half their length") {
  const Overhang wide = overhang({0, 20000}, 135);  // ticks at 0 and 20000
  CHECK(wide.right == Approx(2.5 * 6.5));
  CHECK(wide.left == Approx(0.5 * 6.5));
  const Overhang inside = overhang({-0.5, 1.5}, 300);
  CHECK(inside.right == Approx(1.5 * 6.5));
  CHECK(overhang({-1.4, 1.4}, 300).right == 0);
}

namespace {

Table losses_with(const std::vector<double>& training, const std::vector<double>& validation) {
  Table table{.rows = static_cast<Index>(training.size()), .names = {"step", "loss", "validation_loss"}, .values = {}};
  for (std::size_t i = 0; i < training.size(); ++i) table.values.push_back(100.0 * static_cast<double>(i));
  for (const auto* column : {&training, &validation})
    table.values.insert(table.values.end(), column->begin(), column->end());
  return table;
}

}  // namespace

TEST_CASE("The frame of the losses holds both curves, and says how much of either it leaves out") {
  using Catch::Matchers::Contains;
  const std::vector<double> training{92.5, 3, 1, 0, -1, -2, -2.5, -3, -3.5, -4};
  const std::vector<double> beside{NAN, 6, 5, 4, 3, 2, 1, 0, -0.5, -1};
  const std::string within = loss_picture(losses_with(training, beside)).script;
  CHECK_THAT(within, Contains("above the frame: training, 1 of 10, up to 92.5"));
  CHECK_THAT(within, !Contains("validation, "));
  std::vector<double> far = beside;
  far[1] = 170;
  CHECK_THAT(loss_picture(losses_with(training, far)).script,
             Contains("above the frame: training, 1 of 10, up to 92.5") && Contains("; validation, 1 of 9, up to 170"));
  CHECK_THAT(loss_picture(losses_with({5, 4, 3, 2, 1}, {NAN, NAN, NAN, NAN, NAN})).script,
             !Contains("above the frame") && !Contains("logscale") && !Contains("nonlinear"));
}

TEST_CASE("Losses that fall through powers of ten have an axis that shows them") {
  using Catch::Matchers::Contains;
  std::vector<double> positive, negative;
  for (int i = 0; i <= 40; ++i) {
    positive.push_back(3 + 1e5 * std::exp(-0.35 * i));
    negative.push_back(positive.back() - 6);
  }
  const std::vector<double> none(positive.size(), NAN);
  CHECK_THAT(loss_picture(losses_with(positive, none)).script, Contains("set logscale y"));
  CHECK_THAT(loss_picture(losses_with(negative, none)).script,
             Contains("set nonlinear y via asinh(y)") && Contains("set ytics (0, 1, -1, 10, 100,"));
  // The log of a validation loss below zero is none.
  CHECK_THAT(loss_picture(losses_with(positive, negative)).script, !Contains("set logscale y"));
}

TEST_CASE("Pictures say what their marks mean and how many rows they leave out") {
  using Catch::Matchers::Contains;
  PictureNumbers numbers;
  numbers.data = Table{.rows = 2000, .names = {"a", "b"}, .values = {}};
  for (int j = 0; j < 2; ++j)
    for (int i = 0; i < 2000; ++i)
      numbers.data->values.push_back(j ? std::cos(i) : std::tan(std::numbers::pi * ((i + 0.5) / 2000 - 0.5)));
  const Frame frame = frame_of(*numbers.data);
  numbers.density = DensityGrid{.axes = {frame.x, frame.y}, .cells = 4, .density = std::vector<double>(16, 1.0)};
  Warp warp;
  warp.upright = warp.level = warp.contours = {{{{-1, -1}, {1, 1}}, {{-2, 0}, {2, 1}}}};
  warp.draws = warp.upright.front();
  warp.contour_shares = {0.3935, 0.8647};
  numbers.warp = warp;
  CHECK_THAT(density_picture(numbers).script,
             Contains("white dots: training data, ") && Contains(" of 1,000 outside'"));
  CHECK_THAT(data_picture(numbers).script, Contains(" rows outside'"));
  CHECK_THAT(data_marginals_picture(numbers).script, Contains(" rows outside'"));
  CHECK_THAT(corner_picture(numbers).script, Contains(" rows outside'"));
  CHECK_THAT(warp_picture(numbers).script,
             Contains("● draws of the base") && Contains("━ around 39 % and 86 % of its mass"));
}

TEST_CASE("An axis has no more ticks than asked for, and room for the longest of them") {
  CHECK(tick_step({-1.4, 1.4}, 5) == Approx(0.5));
  CHECK(tick_step({0.12, 0.69}, 3) == Approx(0.2));
  CHECK(tick_step({0, 7}, 3) == Approx(2.5));
  CHECK(room_beside({0, 4}) < room_beside({-0.004, 0}));
  // Neighbours among the doubles, and all there are.
  CHECK(room_beside({1e16, 1e16 + 4}) > room_beside({1, 2}));
  CHECK(room_beside({-1e300, 1e300}) > 0);
}

TEST_CASE("Values at either end of the doubles have an axis") {
  for (const auto& values : {std::vector{-1e308, 1e308, 1.0}, std::vector{0.0, 5e-324}, std::vector{1e308}}) {
    const AxisRange range = axis_range(values, 0.05);
    CHECK(std::isfinite(range.width()));
    CHECK(tick_step(range, 5) > 0);
  }
}

TEST_CASE("Losses that are all alike but for a few have a picture") {
  std::string metrics = "step,loss,validation_loss,learning_rate,seconds\n0,9,,0.1,0\n";
  for (int i = 1; i < 30; ++i) metrics += std::to_string(i) + ",0.25,,0.1,0\n";
  CHECK(loss_picture(losses_of(metrics, "metrics.csv")).script.find("loss (nats)") != std::string::npos);
}

TEST_CASE("A table of metrics that was damaged is refused at its place") {
  const std::string header = "step,loss,validation_loss,learning_rate,seconds\n";
  const auto message = [](const std::string& text) -> std::string {
    try {
      losses_of(text, "metrics.csv");
    } catch (const DataError& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message(header + "0,1.5,,0.1,0\n1,nan,inf,0.1,0\n2,0.5") == "");
  CHECK(message("step,loss\n") == "metrics.csv:1:1: error: the first line is not that of a table of metrics");
  CHECK(message(header + "0,1.5,,0.1,0\n1,0.2loss,,0.1,0\n") ==
        "metrics.csv:3:3: error: the column 'loss' holds something that is no number; correct it");
  CHECK(message(header + ",1.5,,0.1,0\n") == "metrics.csv:2:1: error: this line has no step; remove it");
  for (const char* step : {"-1", "1.5", "9.01e20", "inf"}) {
    CAPTURE(step);
    CHECK_THAT(message(header + "0,1,1,0.1,0\n" + step + ",1,1,0.1,0\n"),
               Catch::Matchers::StartsWith("metrics.csv:3:1: error: this line's step is "));
  }
}

TEST_CASE("Axes get one scale unless they hardly measure the same") {
  AxisRange x{0, 10}, y{1, 7};
  give_one_scale(x, y);
  CHECK(x.low == 0);
  CHECK(x.high == 10);
  CHECK(y.low == -1);
  CHECK(y.high == 9);
  AxisRange narrow{0, 1};
  give_one_scale(x, narrow);
  CHECK(narrow.width() == 1);
}

TEST_CASE("The distance of two columns is that of their distribution functions") {
  CHECK(marginal_distance(std::vector<double>{1, 2, 3}, std::vector<double>{3, 2, 1, NAN}) == 0);
  CHECK(marginal_distance(std::vector<double>{1, 2}, std::vector<double>{3, 4, 5}) == 1);
  CHECK(marginal_distance(std::vector<double>{1, 2, 3, 4}, std::vector<double>{3, 4, 5, 6}) == Approx(0.5));
  CHECK(marginal_distance({}, std::vector<double>{1}) == 1);
}

TEST_CASE("The elements that fit worst are shown in their order") {
  PictureNumbers numbers;
  numbers.data = Table{.rows = 2, .names = {"a", "b", "c"}, .values = {0, 1, 0, 1, 0, 1}};
  numbers.samples = Table{.rows = 2, .names = {"a", "b", "c"}, .values = {5, 6, 0, 1, 1, 2}};
  CHECK(worst_elements(numbers, 2) == std::vector<Index>{0, 2});
  CHECK(worst_elements(numbers, 3) == std::vector<Index>{0, 1, 2});
}

TEST_CASE("Names are shortened by characters, not by bytes") {
  CHECK(shortened("alcohol", 7) == "alcohol");
  CHECK(shortened("alcohols", 7) == "alcoho…");
  CHECK(shortened("größenordnung", 5) == "größ…");
  CHECK(shortened("größe", 5) == "größe");
}
