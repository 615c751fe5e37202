// Densities on intervals: minus infinity outside with no gradient, and a NaN stays a NaN.
#include "pushforward/support.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kInfinity = INFINITY;

/// The formula of a density that has NaN derivatives where it is not defined.
Var<double> formula(Var<double> y) { return row_sum(log(y)); }

}  // namespace

TEST_CASE("an end belongs to its interval unless it is infinite or open") {
  const double lower = 0, upper = 2;
  const Intervals<double> closed{{&lower, 1}, {&upper, 1}};
  CHECK(closed.contains(0, 3));
  CHECK(closed.contains(2, 0));
  CHECK_FALSE(closed.contains(-1e-300, 0));
  CHECK_FALSE(closed.contains(NAN, 0));
  const Intervals<double> open{{&lower, 1}, {&upper, 1}, true, true};
  CHECK_FALSE(open.contains(0, 0));
  CHECK_FALSE(open.contains(2, 0));
  CHECK(open.contains(1e-300, 0));
  const Intervals<double> half{{&lower, 1}, {&kInfinity, 1}};
  CHECK(half.contains(1e300, 0));
  CHECK_FALSE(half.contains(kInfinity, 0));
  CHECK_FALSE(half.unbounded());
  const double minus = -kInfinity;
  CHECK(Intervals<double>{{&minus, 1}, {&kInfinity, 1}}.unbounded());
  const double lows[] = {0, 5}, highs[] = {1, 6};
  const Intervals<double> each{lows, highs};
  CHECK(each.contains(5.5, 1));
  CHECK_FALSE(each.contains(5.5, 0));
}

TEST_CASE("a density outside of its support is minus infinity, without a gradient") {
  const double lower = 0;
  const Intervals<double> support{{&lower, 1}, {&kInfinity, 1}, true};
  const Array y = rows({{1, 2}, {-1, 2}, {3, kInfinity}, {NAN, 2}, {-1, NAN}, {0, 1}});
  Tape<double> tape;
  const Var<double> x = tape.leaf(compact(y.values.data(), y.rows, y.columns));
  const Var<double> density = on_support(x, support, tape.constant(1.0), formula);
  tape.backward(density);
  const Block<const double> gradient = tape.adjoint(x);
  CHECK(density.value()(0, 0) == Approx(std::log(2)));
  CHECK(gradient(0, 0) == 1);
  CHECK(gradient(0, 1) == 0.5);
  for (const Index outside : {1, 2, 5}) {
    CHECK(density.value()(outside, 0) == -kInfinity);
    CHECK(gradient(outside, 0) == 0);
    CHECK(gradient(outside, 1) == 0);
  }
  CHECK(std::isnan(density.value()(3, 0)));
  CHECK(std::isnan(density.value()(4, 0)));
}

TEST_CASE("rows that are all inside are seen as they are") {
  const double lower = 0;
  const Intervals<double> support{{&lower, 1}, {&kInfinity, 1}};
  const Array y = rows({{1, 2}, {0, NAN}});
  Tape<double> tape;
  const Var<double> x = tape.leaf(compact(y.values.data(), y.rows, y.columns));
  CHECK_FALSE(elements_inside(x, support));
  Var<double> seen;
  on_support(x, support, tape.constant(1.0), [&](Var<double> inside) {
    seen = inside;
    return row_sum(inside);
  });
  CHECK(seen.node() == x.node());
}

TEST_CASE("distributions on a half-line and on an interval are impossible outside") {
  const struct {
    const char* yaml;
    double inside, outside;
  } cases[] = {{"exponential", 0, -0.5},
               {"log_normal", 1, 0},
               {"truncated_normal: {low: 8, high: 9}", 8, 9.5},
               {"truncated_normal: {high: -1}", -1, 0},
               {"uniform: {low: [2, 2], high: 3}", 3, 1}};
  for (const auto& c : cases) {
    CAPTURE(c.yaml);
    const auto runner = make_runner("distribution", c.yaml, around(2));
    Request r;
    r.function = function_index(*runner, "log_prob");
    r.x = rows({{c.inside, c.inside}, {c.inside, c.outside}, {NAN, c.outside}});
    r.rows = 3;
    r.cotangents = {Array(3, 1, 1)};
    const Response response = runner->run(r);
    CHECK(std::isfinite(response.outputs[0](0, 0)));
    CHECK(response.outputs[0](1, 0) == -kInfinity);
    CHECK(response.x(1, 0) == 0);
    CHECK(response.x(1, 1) == 0);
    CHECK(std::isnan(response.outputs[0](2, 0)));
  }
}
