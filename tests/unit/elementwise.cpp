// elementwise: where theta stands, how it starts, what is prepared once a step.
#include <catch2/catch.hpp>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

TEST_CASE("theta is one readable parameter, element by element") {
  const auto runner = make_runner("bijector", "elementwise: {transformer: affine}", around(3));
  CHECK(parameter_paths(*runner).size() == 1);
  const ParameterInfo& theta = parameter(*runner, "model.theta");
  CHECK(theta.handle.rows == 1);
  CHECK(theta.handle.columns == 6);
  set_parameter(*runner, "theta", {1, std::log(2.0), 10, std::log(4.0), 100, 0});
  const Response r = run(*runner, "forward", rows({{1, 1, 1}, {0, -1, 5}}));
  CHECK(distance(r.outputs[0], rows({{3, 14, 101}, {1, 6, 105}})) < 1e-15);
  CHECK(distance(r.outputs[1], Array(2, 1, std::log(8.0))) < 1e-15);
}

TEST_CASE("maps says in which direction the transformer is evaluated") {
  const auto to_data = make_runner("bijector", "elementwise: {transformer: affine}", around(1));
  const auto to_base = make_runner("bijector", "elementwise: {transformer: affine, maps: data_to_base}", around(1));
  for (const auto* runner : {&to_data, &to_base}) set_parameter(**runner, "theta", {1, std::log(2.0)});
  CHECK(distance(run(*to_data, "forward", rows({{3}})).outputs[0], rows({{7}})) < 1e-15);
  CHECK(distance(run(*to_base, "inverse", rows({{3}})).outputs[0], rows({{7}})) < 1e-15);
  CHECK(distance(run(*to_base, "forward", rows({{7}})).outputs[0], rows({{3}})) < 1e-15);
}

TEST_CASE("elementwise starts at the identity unless it is asked to start at random") {
  const Array x = scattered(17, 2);
  const auto identity = make_runner("bijector", "elementwise: {transformer: rational_quadratic_spline}", around(2));
  CHECK(distance(run(*identity, "forward", x).outputs[0], x) < 1e-12);

  const auto deviation_of = [](const std::string& fields) {
    const auto runner = make_runner(
        "bijector", "elementwise: {transformer: linear_rational_spline, initialisation: random" + fields + "}",
        around(200));
    double sum = 0, squares = 0;
    const std::vector<double> theta = numbers_of(*runner, "theta");
    for (const double v : theta) {
      sum += v;
      squares += v * v;
    }
    const double n = static_cast<double>(theta.size());
    CHECK(n == 200 * 31);
    const double deviation = std::sqrt(squares / n);
    CHECK(std::abs(sum / n) < 5 * deviation / std::sqrt(n));
    return deviation;
  };
  // 5 standard errors of a deviation from 6200 numbers: 4.5 %.
  CHECK(deviation_of("") == Approx(1e-3).epsilon(0.045));
  CHECK(deviation_of(", deviation: 0.5") == Approx(0.5).epsilon(0.045));
}

TEST_CASE("what a spline makes of its shared theta is a derived value, made once a step") {
  const auto spline = make_runner("bijector", "elementwise: {transformer: linear_rational_spline}", around(2));
  REQUIRE(spline->layout().derived.size() == 1);
  CHECK_THAT(spline->layout().derived[0].path, Contains("model.prepared"));
  const auto affine = make_runner("bijector", "elementwise: {transformer: affine}", around(2));
  CHECK(affine->layout().derived.empty());
}

TEST_CASE("a transformer named where a bijector is expected stands for elementwise") {
  const auto named = make_runner("bijector", "affine", around(2));
  set_parameter(*named, "theta", {1, 0, 2, 0});
  CHECK(distance(run(*named, "forward", rows({{0, 0}})).outputs[0], rows({{1, 2}})) < 1e-15);
}

TEST_CASE("elementwise refuses a deviation without a random start, and events of another size") {
  CHECK_THROWS_WITH(make_runner("bijector", "elementwise: {transformer: affine, deviation: 0.1}", around(2)),
                    Contains("deviation") && Contains("belongs to initialisation: random"));
  const auto runner = make_runner("bijector", "elementwise: {transformer: affine}", around(2));
  CHECK_THROWS_WITH(run(*runner, "forward", rows({{1, 2, 3}})),
                    "elementwise: events of 2 elements are expected, but got 3");
}
