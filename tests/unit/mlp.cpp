// mlp: its numbers, how they start, where the context goes, and every activation against its formula.
#include <catch2/catch.hpp>
#include <functional>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

NetworkShape shape(Index inputs, Index outputs, Index context = 0, std::vector<double> output_start = {}) {
  return {inputs, outputs, context, std::move(output_start), {}, {}};
}
std::unique_ptr<Runner> mlp(const std::string& fields, const NetworkShape& s) {
  return make_runner("network", "mlp: {" + fields + "}", around(s));
}
Response output(Runner& runner, const Array& x, const Array& context = {}) {
  Request r;
  r.x = x;
  r.context = context;
  r.rows = std::max(x.rows, context.rows);
  return runner.run(r);
}

}  // namespace

TEST_CASE("mlp's parameters are named by layer, weights are inputs x outputs") {
  const auto runner = mlp("hidden: [5, 7]", shape(3, 4, 2));
  CHECK(parameter_paths(*runner).size() == 6);
  const Index expected[3][2] = {{5, 5}, {5, 7}, {7, 4}};
  for (int i = 0; i < 3; ++i) {
    const std::string layer = "layers[" + std::to_string(i) + "].";
    const Parameter weight = parameter(*runner, layer + "weight").handle,
                    bias = parameter(*runner, layer + "bias").handle;
    CHECK(weight.rows == expected[i][0]);
    CHECK(weight.columns == expected[i][1]);
    CHECK(weight.role == Role::weight);
    CHECK(bias.rows == 1);
    CHECK(bias.columns == expected[i][1]);
    CHECK(bias.role == Role::bias);
  }
}

TEST_CASE("mlp starts uniform within one over the root of a layer's inputs") {
  const auto runner = mlp("hidden: [400]", shape(25, 9));
  const auto check = [&](const std::string& name, double bound) {
    CAPTURE(name);
    const std::vector<double> v = numbers_of(*runner, name);
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    CHECK(*low >= -bound);
    CHECK(*high <= bound);
    double squares = 0;
    for (const double x : v) squares += x * x;
    // The squares of n uniform numbers: mean bound^2 / 3, standard error bound^2 sqrt(4 / 45 / n).
    const double n = static_cast<double>(v.size());
    CHECK(std::abs(squares / n / (bound * bound) - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
  };
  check("layers[0].weight", 1.0 / 5);
  check("layers[0].bias", 1.0 / 5);
  check("layers[1].weight", 1.0 / 20);
}

TEST_CASE("mlp starts at the output that its parent gives, for any input") {
  const auto runner = mlp("hidden: [16, 16]", shape(3, 2, 1, {0.25, -3}));
  const Array y = output(*runner, scattered(17, 3), scattered(17, 1)).outputs[0];
  for (Index i = 0; i < y.rows; ++i) {
    CHECK(y(i, 0) == 0.25);
    CHECK(y(i, 1) == -3);
  }
  for (const double w : numbers_of(*runner, "layers[2].weight")) CHECK(w == 0);
  double hidden = 0;
  for (const double w : numbers_of(*runner, "layers[1].weight")) hidden += std::abs(w);
  CHECK(hidden > 1);
}

TEST_CASE("mlp's first layer sees the inputs, then the context") {
  const auto runner = mlp("hidden: []", shape(2, 1, 2));
  set_parameter(*runner, "layers[0].weight", {1, 10, 100, 1000});
  set_parameter(*runner, "layers[0].bias", {0.5});
  CHECK(output(*runner, rows({{1, 2}}), rows({{3, 4}})).outputs[0](0, 0) == 4321.5);
  const auto alone = mlp("hidden: []", shape(0, 1, 2));
  set_parameter(*alone, "layers[0].weight", {1, 10});
  set_parameter(*alone, "layers[0].bias", {0});
  CHECK(output(*alone, {}, rows({{3, 4}, {5, 6}})).outputs[0].values == std::vector<double>{43, 65});
}

TEST_CASE("an mlp that sees nothing is a constant") {
  const auto runner = mlp("hidden: [8, 8]", shape(0, 2, 0, {1, 2}));
  REQUIRE(parameter_paths(*runner).size() == 1);
  CHECK_THAT(parameter_paths(*runner)[0], Contains("layers[0].bias"));
}

TEST_CASE("mlp's activations are what their names say") {
  const std::pair<const char*, std::function<double(double)>> activations[] = {
      {"relu", [](double x) { return std::max(x, 0.0); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {"elu", [](double x) { return x > 0 ? x : std::expm1(x); }},
      {"leaky_relu", [](double x) { return x > 0 ? x : 0.01 * x; }},
  };
  for (const auto& [name, f] : activations) {
    CAPTURE(name);
    const auto runner = mlp(std::string("hidden: [2, 2], activation: ") + name, shape(1, 1));
    set_parameter(*runner, "layers[0].weight", {1.5, -0.5});
    set_parameter(*runner, "layers[0].bias", {0.25, 0.125});
    set_parameter(*runner, "layers[1].weight", {1, 2, -3, 0.5});
    set_parameter(*runner, "layers[1].bias", {0, -0.25});
    set_parameter(*runner, "layers[2].weight", {1, -2});
    set_parameter(*runner, "layers[2].bias", {0.75});
    const Array x = scattered(9, 1);
    Array expected(9, 1);
    for (Index i = 0; i < 9; ++i) {
      const double a = f(1.5 * x(i, 0) + 0.25), b = f(-0.5 * x(i, 0) + 0.125);
      expected(i, 0) = f(a + 2 * b) - 2 * f(-3 * a + 0.5 * b - 0.25) + 0.75;
    }
    CHECK(distance(output(*runner, x).outputs[0], expected) < 1e-14);
  }
}

TEST_CASE("mlp refuses inputs and contexts of another size") {
  const auto runner = mlp("hidden: [4]", shape(2, 1, 1));
  CHECK_THROWS_WITH(output(*runner, scattered(3, 1), scattered(3, 1)), Contains("mlp") && Contains("2 elements"));
  CHECK_THROWS_WITH(output(*runner, scattered(3, 2)), Contains("mlp: a context of"));
}
