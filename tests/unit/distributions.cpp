// normal and uniform: fields, names, edges and errors; the conformance kit checks densities and samples.
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
