// Fields, names, edges and errors of distributions; the conformance kit checks densities and samples.
#include <catch2/catch.hpp>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

std::unique_ptr<Runner> made(const std::string& yaml, Index size, Index context = 0) {
  return make_runner("distribution", yaml, around(size, context));
}
const Distribution<double>& distribution(const Runner& runner) {
  return dynamic_cast<const Distribution<double>&>(runner.component());
}
std::vector<double> log_prob(Runner& runner, const Array& y, const Array& context = {}) {
  return run(runner, "log_prob", y, context).outputs[0].values;
}
const double kLogTwoPi = std::log(2 * M_PI);

}  // namespace

TEST_CASE("normal reads numbers, lists and learnable fields") {
  const Array y = rows({{0.5, -1}, {2, 3}});
  CHECK(distance(log_prob(*made("normal", 2), y), {-0.625 - kLogTwoPi, -6.5 - kLogTwoPi}) < 1e-15);
  const auto numbers = made("normal: {mean: [0.5, -1], scale: 2}", 2);
  CHECK(distance(log_prob(*numbers, y), {-std::log(4.0) - kLogTwoPi, -0.5 * (0.5625 + 4) - std::log(4.0) - kLogTwoPi}) <
        1e-15);
  CHECK(numbers->layout().parameters.empty());

  const auto learnable = made("normal: {mean: learnable, scale: learnable}", 2);
  CHECK(parameter_paths(*learnable).size() == 2);
  CHECK(distance(log_prob(*learnable, y), log_prob(*made("normal", 2), y)) < 1e-15);
  set_parameter(*learnable, "model.mean", {0.5, -1});
  set_parameter(*learnable, "model.scale", {std::log(2.0), std::log(2.0)});
  CHECK(distance(log_prob(*learnable, y), log_prob(*numbers, y)) < 1e-15);
}

TEST_CASE("normal takes mean and log scale from a network of the context") {
  const auto runner =
      made("normal: {mean: {network: {mlp: {hidden: []}}}, scale: {network: {mlp: {hidden: []}}}}", 1, 1);
  CHECK(distribution(*runner).traits().needs_context);
  CHECK_FALSE(distribution(*made("normal", 1, 1)).traits().needs_context);
  set_parameter(*runner, "mean.network.layers[0].weight", {2});
  set_parameter(*runner, "mean.network.layers[0].bias", {0});
  set_parameter(*runner, "scale.network.layers[0].weight", {1});
  set_parameter(*runner, "scale.network.layers[0].bias", {0});
  // At context c: mean 2 c, scale e^c.
  const std::vector<double> got = log_prob(*runner, rows({{1}, {1}}), rows({{0}, {0.5}}));
  CHECK(distance(got, {-0.5 - 0.5 * kLogTwoPi, -0.5 - 0.5 * kLogTwoPi}) < 1e-15);
}

TEST_CASE("distributions take their shape from the field or from what is around them") {
  CHECK(distribution(*made("normal", 3)).event_shape() == Shape{3});
  Surroundings unknown;
  const auto shaped = make_runner("distribution", "normal: {shape: [2, 3]}", unknown);
  CHECK(distribution(*shaped).event_shape() == (Shape{2, 3}));
  CHECK_THROWS_WITH(make_runner("distribution", "uniform", unknown),
                    Contains("shape") && Contains("nothing around says what shape an event has"));
  CHECK_THROWS_WITH(made("normal: {shape: [3]}", 2),
                    Contains("shape") && Contains("[3] is not the shape of the events here, [2]"));
  CHECK_THROWS_WITH(log_prob(*made("normal", 2), Array(1, 3)), "normal: events of 2 elements are expected, but got 3");
  CHECK_THROWS_WITH(log_prob(*made("uniform", 2), Array(1, 1)),
                    "uniform: events of 2 elements are expected, but got 1");
}

TEST_CASE("normal's samples carry their log_prob and move with mean and scale") {
  const auto runner = made("normal: {mean: learnable, scale: learnable}", 2);
  set_parameter(*runner, "model.mean", {1, -2});
  set_parameter(*runner, "model.scale", {0.5, -0.25});
  Request r;
  r.function = function_index(*runner, "sample");
  r.rows = 40;
  r.cotangents = {Array(40, 2, 1), {}};
  const Response sampled = runner->run(r);
  CHECK(distance(log_prob(*runner, sampled.outputs[0]), sampled.outputs[1].values) < 1e-13);
  // y = m + e^l z: dy/dm = 1, dy/dl = y - m.
  double moved[2] = {0, 0};
  for (Index i = 0; i < 40; ++i) {
    moved[0] += sampled.outputs[0](i, 0) - 1;
    moved[1] += sampled.outputs[0](i, 1) + 2;
  }
  const Parameter mean = parameter(*runner, "model.mean").handle, scale = parameter(*runner, "model.scale").handle;
  for (int j = 0; j < 2; ++j) {
    CHECK(sampled.parameters[static_cast<std::size_t>(mean.offset + j)] == Approx(40));
    CHECK(sampled.parameters[static_cast<std::size_t>(scale.offset + j)] == Approx(moved[j]));
  }
}

TEST_CASE("normal's density has a forward derivative, through which reverse mode runs") {
  const auto runner = made("normal", 3);
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = scattered(5, 3);
  r.rows = 5;
  r.direction = scattered(5, 3, 1);
  const Response response = runner->run(r);
  REQUIRE(response.tangents.size() == 1);
  for (Index i = 0; i < 5; ++i) {
    double expected = 0;
    for (Index j = 0; j < 3; ++j) expected -= r.x(i, j) * r.direction(i, j);
    CHECK(response.tangents[0](i, 0) == Approx(expected));
  }
}

TEST_CASE("moments are those of the textbook") {
  Tape<double> tape(false);
  const Pass<double> pass{.tape = tape, .values = {}, .context = {}, .stream = {}, .sinks = {}};
  const auto normal = made("normal: {mean: [1, 2], scale: [3, 4]}", 2);
  const Moments<double> m = distribution(*normal).moments(pass);
  CHECK(m.mean.value()(0, 1) == 2);
  CHECK(m.variance.value()(0, 1) == 16);
  const auto uniform = made("uniform: {low: [-1, 0], high: [2, 6]}", 2);
  const Moments<double> u = distribution(*uniform).moments(pass);
  CHECK(u.mean.value()(0, 0) == 0.5);
  CHECK(u.mean.value()(0, 1) == 3);
  CHECK(u.variance.value()(0, 0) == 0.75);
  CHECK(u.variance.value()(0, 1) == 3);
}

TEST_CASE("uniform is minus infinity outside, constant inside with its ends, and NaN at a NaN") {
  const auto runner = made("uniform: {low: [0, -1], high: [1, 3]}", 2);
  const double inside = -std::log(4.0), nan = NAN;
  const Array y = rows({{0, -1}, {1, 3}, {0.5, 0}, {1.0000001, 0}, {0.5, -1.1}, {nan, 0}, {5, nan}, {-INFINITY, 0}});
  CHECK(distance(log_prob(*runner, y), {inside, inside, inside, -INFINITY, -INFINITY, nan, nan, -INFINITY}) < 1e-15);
  const Support support = distribution(*runner).support();
  CHECK(support.lower == -1);
  CHECK(support.upper == 3);
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = y;
  r.rows = y.rows;
  r.cotangents = {Array(y.rows, 1, 1)};
  for (const double g : runner->run(r).x.values) CHECK(g == 0);
}

TEST_CASE("uniform's samples stay within their interval") {
  // In float32, 0.1 + u (0.7 - 0.1) rounded may pass 0.7.
  const auto runner = make_runner<float>("distribution", "uniform: {low: 0.1, high: 0.7}", around(1));
  Request r;
  r.function = function_index(*runner, "sample");
  r.rows = 20000;
  const Response sampled = runner->run(r);
  const auto [low, high] = std::minmax_element(sampled.outputs[0].values.begin(), sampled.outputs[0].values.end());
  CHECK(*low >= static_cast<double>(0.1f));
  CHECK(*high <= static_cast<double>(0.7f));
  CHECK(*high - *low > 0.599);
}

TEST_CASE("uniform refuses empty intervals and ends that would learn") {
  CHECK_THROWS_WITH(made("uniform: {low: [0, 1], high: 1}", 2), Contains("high") && Contains("element 1"));
  CHECK_THROWS_WITH(made("uniform: {low: learnable}", 2), Contains("low") && Contains("cannot be learned"));
}

TEST_CASE("distributions with location and scale move their standard samples") {
  for (const std::string name : {"laplace", "logistic", "cauchy", "gumbel"}) {
    CAPTURE(name);
    Request r;
    r.rows = 50;
    const auto standard = made(name, 2), moved = made(name + ": {location: [1, -2], scale: [0.5, 4]}", 2);
    r.function = function_index(*standard, "sample");
    const Response a = standard->run(r), b = moved->run(r);
    for (Index i = 0; i < r.rows; ++i) {
      CHECK(b.outputs[0](i, 0) == Approx(1 + 0.5 * a.outputs[0](i, 0)));
      CHECK(b.outputs[0](i, 1) == Approx(-2 + 4 * a.outputs[0](i, 1)));
      CHECK(b.outputs[1](i, 0) == Approx(a.outputs[1](i, 0) - std::log(2.0)));
    }
  }
}

TEST_CASE("both tails of laplace, logistic and cauchy are drawn alike in float32") {
  // Without care the upper tail ends where 1 - u is rounded, or is a multiple of it.
  for (const char* name : {"laplace", "logistic", "cauchy"}) {
    CAPTURE(name);
    const auto runner = make_runner<float>("distribution", name, around(1));
    Request r;
    r.function = function_index(*runner, "sample");
    r.rows = 400000;
    std::vector<double> y = runner->run(r).outputs[0].values;
    std::sort(y.begin(), y.end());
    // The share 1e-4 lies beyond 8.517, 9.210 and 3183.1 on each side.
    const double end = name == std::string("laplace")    ? 8.517193
                       : name == std::string("logistic") ? 9.210240
                                                         : 3183.0988;
    const auto below = std::lower_bound(y.begin(), y.end(), -end) - y.begin();
    const auto above = y.end() - std::upper_bound(y.begin(), y.end(), end);
    CHECK(std::abs(below - 40) < 32);
    CHECK(std::abs(above - 40) < 32);
  }
}

TEST_CASE("a learnable field starts where it is told") {
  const auto runner = made("exponential: {rate: {learnable: [2.0, 0.5]}}", 2);
  CHECK(distance(numbers_of(*runner, "rate"), {std::log(2.0), std::log(0.5)}) < 1e-15);
  const auto from_one = made("exponential: {rate: learnable}", 2);
  CHECK(distance(numbers_of(*from_one, "rate"), {0, 0}) == 0);
}

TEST_CASE("truncated_normal's samples fill a far interval, also in float32") {
  const auto check = [](Runner& runner) {
    Request r;
    r.function = function_index(runner, "sample");
    r.rows = 20000;
    const std::vector<double> y = runner.run(r).outputs[0].values;
    const auto [low, high] = std::minmax_element(y.begin(), y.end());
    CHECK(*low >= 8);
    CHECK(*low < 8.0001);
    CHECK(*high <= 9);
    CHECK(*high > 8.7);
    double mean = 0;
    for (const double v : y) mean += v / static_cast<double>(y.size());
    CHECK(mean == Approx(8.1212).margin(0.004));  // the standard error is 8e-4
    // No more equal numbers than rounding makes of them.
    std::vector<double> sorted = y;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::unique(sorted.begin(), sorted.end()) - sorted.begin() > 19000);
  };
  check(*make_runner<float>("distribution", "truncated_normal: {low: 8, high: 9}", around(1)));
  check(*made("truncated_normal: {low: 8, high: 9}", 1));
}

TEST_CASE("truncated_normal refuses empty intervals, ends that would learn and no ends at all") {
  CHECK_THROWS_WITH(made("truncated_normal: {low: [0, 1], high: 1}", 2), Contains("high") && Contains("element 1"));
  CHECK_THROWS_WITH(made("truncated_normal: {low: learnable}", 2), Contains("low") && Contains("cannot be learned"));
  CHECK_THROWS_WITH(made("truncated_normal", 2), Contains("or high must be given"));
}

TEST_CASE("multivariate_normal reads its factor row by row, or a matrix") {
  const auto by_factor = made("multivariate_normal: {scale: [2, 1, 0.5], lower: [1, 0, -1]}", 3);
  // L = [2 0 0; 1 1 0; 0 -1 0.5]
  const auto by_matrix = made("multivariate_normal: {covariance: [4, 2, 0, 2, 2, -1, 0, -1, 1.25]}", 3);
  const Array y = scattered(7, 3);
  CHECK(distance(log_prob(*by_factor, y), log_prob(*by_matrix, y)) < 1e-14);
  CHECK(distance(log_prob(*made("multivariate_normal", 2), scattered(7, 2)),
                 log_prob(*made("normal", 2), scattered(7, 2))) < 1e-15);
  CHECK(distance(log_prob(*made("multivariate_normal: {mean: 1, covariance: [4]}", 1), scattered(7, 1)),
                 log_prob(*made("normal: {mean: 1, scale: 2}", 1), scattered(7, 1))) < 1e-15);
  Request r;
  r.rows = 1;
  const std::vector<Array> moments = by_factor->moments(r);
  CHECK(distance(moments[1].values, {4, 2, 1.25}) < 1e-15);
}

TEST_CASE("multivariate_normal with a factor for each row agrees with one factor") {
  const std::string network = "{network: {mlp: {hidden: []}}}";
  const auto each = made("multivariate_normal: {scale: " + network + ", lower: " + network + "}", 2, 1);
  for (const char* field : {"scale", "lower"})
    set_parameter(*each, std::string(field) + ".network.layers[0].weight",
                  std::vector<double>(*field == 's' ? 2 : 1, 0.0));
  set_parameter(*each, "scale.network.layers[0].bias", {std::log(2.0), std::log(0.5)});
  set_parameter(*each, "lower.network.layers[0].bias", {-1.5});
  const auto one = made("multivariate_normal: {scale: [2, 0.5], lower: -1.5}", 2, 1);
  const Array y = scattered(9, 2), context = scattered(9, 1);
  CHECK(distance(log_prob(*each, y, context), log_prob(*one, y, context)) < 1e-14);
  Request r;
  r.function = function_index(*one, "sample");
  r.rows = 9;
  r.context = context;
  CHECK(distance(each->run(r).outputs[0], one->run(r).outputs[0]) < 1e-14);
  CHECK(distribution(*each).traits().needs_context);
  CHECK_FALSE(distribution(*one).traits().needs_context);
}

TEST_CASE("multivariate_normal refuses what is no covariance matrix") {
  CHECK_THROWS_WITH(made("multivariate_normal: {covariance: [1, 2, 3]}", 2),
                    Contains("has 3 numbers, but the matrix of an event with 2 elements has 4"));
  CHECK_THROWS_WITH(made("multivariate_normal: {covariance: [1, 0.5, 0.25, 1]}", 2), Contains("is symmetric"));
  CHECK_THROWS_WITH(made("multivariate_normal: {covariance: [1, 2, 2, 1]}", 2),
                    Contains("is not positive definite") && Contains("element 1"));
  CHECK_THROWS_WITH(made("multivariate_normal: {covariance: [1, 0, 0, 1], scale: 1}", 2),
                    Contains("scale") && Contains("leave one of them out"));
  CHECK_THROWS_WITH(made("multivariate_normal: {lower: [1, 2]}", 4),
                    Contains("lower has 2 numbers, but here it has 6, or one for all of them"));
  CHECK_THROWS_WITH(made("multivariate_normal: {lower: 1}", 1), Contains("lower") && Contains("one element"));
}
