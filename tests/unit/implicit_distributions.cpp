// Distributions with Gamma and Bessel functions: special cases, supports, moments, large parameters in float32, tiny
// ones; the conformance kit checks densities, samples and gradients.
#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <numbers>

#include "pushforward/operations.h"
#include "support/allocations.h"
#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T = double>
std::unique_ptr<Runner> made(const std::string& yaml, Index size) {
  return make_runner<T>("distribution", yaml, around(size));
}
template <class T = double>
std::vector<double> log_prob(const std::string& yaml, const Array& y) {
  const auto runner = made<T>(yaml, y.columns);
  return run(*runner, "log_prob", y).outputs[0].values;
}
std::vector<Array> moments(const std::string& yaml, Index size) { return made(yaml, size)->moments(Request{}); }

Array samples(Runner& runner, Index n) {
  Request r;
  r.function = function_index(runner, "sample");
  r.rows = n;
  return runner.run(r).outputs[0];
}

const Array kLine = rows({{-3.5}, {-0.5}, {0.0}, {0.25}, {1.5}, {30.0}});
const Array kPositive = rows({{1e-12}, {0.5}, {1.0}, {30.0}});
const Array kUnit = rows({{1e-12}, {0.25}, {0.75}, {0.999}});

/// Gradients of log_prob with respect to y and to the parameters, for a cotangent of ones.
Response gradients(Runner& runner, const Array& y) {
  Request r;
  r.function = function_index(runner, "log_prob");
  r.x = y;
  r.rows = y.rows;
  r.cotangents = {Array(y.rows, 1, 1)};
  return runner.run(r);
}

}  // namespace

TEST_CASE("distributions contain each other") {
  CHECK(distance(log_prob("student_t: {degrees_of_freedom: 1, scale: 2}", kLine),
                 log_prob("cauchy: {scale: 2}", kLine)) < 1e-14);
  CHECK(distance(log_prob("student_t: {degrees_of_freedom: 1e15}", kLine), log_prob("normal", kLine)) < 1e-11);
  CHECK(distance(log_prob("generalized_normal: {power: 1, location: 1}", kLine),
                 log_prob("laplace: {location: 1}", kLine)) < 1e-13);
  CHECK(distance(log_prob("generalized_normal: {scale: 1.4142135623730951}", kLine), log_prob("normal", kLine)) <
        1e-13);
  CHECK(distance(log_prob("gamma: {rate: 3}", kPositive), log_prob("exponential: {rate: 3}", kPositive)) < 1e-13);
  CHECK(distance(log_prob("beta", kUnit), log_prob("uniform", kUnit)) < 1e-13);
  Array pairs(kUnit.rows, 2);
  for (Index i = 0; i < pairs.rows; ++i) {
    pairs(i, 0) = kUnit(i, 0);
    pairs(i, 1) = 1 - kUnit(i, 0);
  }
  CHECK(distance(log_prob("dirichlet: {concentration: [2.5, 0.5]}", pairs),
                 log_prob("beta: {concentration1: 2.5, concentration0: 0.5}", kUnit)) < 1e-13);
  // Nearly no concentration: uniform on the circle. A large one: normal.
  CHECK(distance(log_prob("von_mises: {concentration: 1e-300}", rows({{-3.0}, {1.0}})),
                 std::vector<double>(2, -std::log(2 * std::numbers::pi))) < 1e-14);
  CHECK(distance(log_prob("von_mises: {concentration: 1e12}", rows({{0.0}, {1e-6}})),
                 log_prob("normal: {scale: 1e-6}", rows({{0.0}, {1e-6}}))) < 1e-11);
}

TEST_CASE("outside of its support a density is zero and has no gradient") {
  const struct {
    const char* yaml;
    Array y;  // the first row lies inside
  } cases[] = {
      {"gamma: {concentration: learnable, rate: learnable}", rows({{1}, {0}, {-2}, {kInfinity}})},
      {"beta: {concentration1: learnable, concentration0: learnable}", rows({{0.5}, {0}, {1}, {-1}, {7}})},
      {"von_mises: {location: learnable, concentration: learnable}", rows({{3.14}, {3.15}, {-3.15}, {kInfinity}})},
      {"dirichlet: {concentration: learnable}", rows({{0.25, 0.75}, {0.5, 0.6}, {0, 1}, {1.2, -0.2}, {0.1, 0.1}})},
  };
  for (const auto& c : cases) {
    CAPTURE(c.yaml);
    const auto runner = made(c.yaml, c.y.columns);
    const Response all = gradients(*runner, c.y);
    CHECK(std::isfinite(all.outputs[0](0, 0)));
    for (Index i = 1; i < c.y.rows; ++i) {
      CHECK(all.outputs[0](i, 0) == -kInfinity);
      for (Index j = 0; j < c.y.columns; ++j) CHECK(all.x(i, j) == 0);
    }
    const Response inside = gradients(*runner, c.y.select(std::vector<Index>{0}));
    CHECK(distance(all.parameters, inside.parameters) < 1e-14);
    Array spoilt = c.y;
    spoilt(1, 0) = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> got = run(*runner, "log_prob", spoilt).outputs[0].values;
    CHECK(std::isnan(got[1]));
    CHECK(got[0] == all.outputs[0](0, 0));
  }
  CHECK(std::isfinite(log_prob("von_mises", rows({{-std::numbers::pi}}))[0]));
  CHECK(std::isfinite(log_prob<float>("von_mises", rows({{std::numbers::pi}}))[0]));
  CHECK(std::isfinite(log_prob("dirichlet", rows({{0.3334, 0.3333, 0.3333}}))[0]));
}

TEST_CASE("float32 keeps its digits where log Gammas are large") {
  const auto agrees = [](const std::string& yaml, const Array& y) {
    CAPTURE(yaml);
    CHECK(distance(log_prob<float>(yaml, y), log_prob(yaml, y)) < 2e-5);
  };
  agrees("student_t: {degrees_of_freedom: 1e7}", rows({{0}, {1}, {-2}}));
  agrees("student_t: {degrees_of_freedom: 1e20}", rows({{0}, {1}, {-2}}));
  // Within three standard deviations, at numbers of float32.
  agrees("gamma: {concentration: 1048576}", rows({{1048576}, {1049600}, {1046528}}));
  agrees("von_mises: {concentration: 1048576}", rows({{0}, {0.0009765625}, {-0.001953125}}));
}

TEST_CASE("degrees of freedom that grow without end leave a normal distribution and no gradient") {
  const auto check = [](Runner& runner, double log_degrees) {
    CAPTURE(log_degrees);
    set_parameter(runner, "degrees_of_freedom", {log_degrees});
    const Response all = gradients(runner, kLine);
    CHECK(distance(all.outputs[0].values, log_prob("normal", kLine)) < 1e-6);
    CHECK(all.parameters[0] == 0);
    CHECK(std::isfinite(samples(runner, 20)(7, 0)));
  };
  check(*made<float>("student_t: {degrees_of_freedom: learnable}", 1), 80);
  check(*made("student_t: {degrees_of_freedom: learnable}", 1), 600);
}

TEST_CASE("moments are those of the formulas, infinite or undefined where they are") {
  const std::vector<Array> t = moments("student_t: {degrees_of_freedom: [0.5, 1.5, 6], location: 1, scale: 2}", 3);
  CHECK(std::isnan(t[0](0, 0)));
  CHECK(std::isnan(t[1](0, 0)));
  CHECK(t[0](0, 1) == 1);
  CHECK(t[1](0, 1) == kInfinity);
  CHECK(t[1](0, 2) == Approx(6));
  const std::vector<Array> laplace = moments("generalized_normal: {power: 1, scale: 3}", 1);
  CHECK(laplace[1](0, 0) == Approx(18));
  const std::vector<Array> gamma = moments("gamma: {concentration: 3, rate: 2}", 1);
  CHECK(gamma[0](0, 0) == Approx(1.5));
  CHECK(gamma[1](0, 0) == Approx(0.75));
  const std::vector<Array> beta = moments("beta: {concentration1: 2, concentration0: 6}", 1);
  CHECK(beta[0](0, 0) == Approx(0.25));
  CHECK(beta[1](0, 0) == Approx(0.1875 / 9));
  const std::vector<Array> dirichlet = moments("dirichlet: {concentration: [2, 6, 8]}", 3);
  CHECK(dirichlet[0](0, 1) == Approx(0.375));
  CHECK(dirichlet[1](0, 1) == Approx(0.375 * 0.625 / 17));
}

TEST_CASE("samples of tiny concentrations are numbers inside of the support") {
  for (const char* yaml : {"gamma: {concentration: 0.001}", "beta: {concentration1: 0.001, concentration0: 0.002}",
                           "dirichlet: {concentration: 0.001}"}) {
    CAPTURE(yaml);
    const auto in_double = made(yaml, 2);
    const auto in_float = made<float>(yaml, 2);
    for (Runner* runner : {in_double.get(), in_float.get()}) {
      const Array y = samples(*runner, 500);
      const std::vector<double> density = run(*runner, "log_prob", y).outputs[0].values;
      CHECK(std::all_of(density.begin(), density.end(), [](double v) { return std::isfinite(v); }));
    }
  }
}

TEST_CASE("angles are wrapped into [-pi, pi)") {
  const auto runner = made("von_mises: {location: 9, concentration: 2}", 1);
  const Array y = samples(*runner, 2000);
  double sine = 0, cosine = 0;
  for (const double angle : y.values) {
    CHECK((angle >= -std::numbers::pi && angle < std::numbers::pi));
    sine += std::sin(angle);
    cosine += std::cos(angle);
  }
  // Within 5 standard errors of the location, 9 - 2 pi.
  CHECK(std::abs(std::atan2(sine, cosine) - (9 - 2 * std::numbers::pi)) < 0.12);
}

TEST_CASE("an event of a Dirichlet distribution has at least two elements") {
  CHECK_THROWS_WITH(made("dirichlet", 1), Contains("there must be at least two"));
  CHECK_THROWS_WITH(made("gamma: {concentration: 0}", 1), Contains("concentration") && Contains("above 0"));
}

TEST_CASE("densities and samples with their gradients allocate nothing in steady state") {
  for (const char* yaml : {"student_t: {degrees_of_freedom: learnable}", "gamma: {concentration: learnable}",
                           "beta: {concentration1: learnable}", "dirichlet: {concentration: learnable}",
                           "von_mises: {concentration: learnable}", "generalized_normal: {power: learnable}"}) {
    CAPTURE(yaml);
    const testing::Built<float> built = build<float>(plugins(), "distribution", yaml, around(2));
    const auto& distribution = dynamic_cast<const Distribution<float>&>(*built.component);
    std::vector<float> gradient(built.store.parameters.size());
    Tape<float> tape;
    const auto step = [&] {
      tape.reset();
      Pass<float> pass{.tape = tape,
                       .values = {built.store.parameters.data(), nullptr, nullptr, nullptr},
                       .context = {},
                       .stream = {1, 2, 0},
                       .sinks = {}};
      pass.sinks.gradient = gradient.data();
      const Var<float> sample = distribution.sample(100, pass).value;
      tape.backward(row_sum(sample) + distribution.log_prob(sample, pass));
    };
    for (int i = 0; i < 5; ++i) step();
    const std::int64_t before = allocations();
    for (int i = 0; i < 5; ++i) step();
    CHECK(allocations() == before);
    CHECK(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }));
  }
}
