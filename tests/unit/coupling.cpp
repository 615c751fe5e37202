// coupling: masks, layout of theta, starts, errors and traits; the conformance kit checks its mathematics.
#include <catch2/catch.hpp>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

std::string coupling(const std::string& fields) {
  return "coupling: {transformer: affine, network: {mlp: {hidden: [4]}}" + fields + "}";
}

/// Columns that come out as they went in, bit for bit, whatever the network says.
std::vector<Index> kept_features(const std::string& yaml, Index size, Index repetition) {
  const auto runner = make_runner("bijector", yaml, around(size, 0, repetition));
  scatter_parameters(*runner);
  const Array x = scattered(17, size);
  std::vector<std::vector<Index>> kept(2);
  for (const int direction : {0, 1}) {
    const Array y = run(*runner, direction == 0 ? "forward" : "inverse", x).outputs[0];
    for (Index j = 0; j < size; ++j) {
      Index equal = 0;
      for (Index i = 0; i < x.rows; ++i) equal += y(i, j) == x(i, j);
      CHECK((equal == 0 || equal == x.rows));
      if (equal == x.rows) kept[static_cast<std::size_t>(direction)].push_back(j);
    }
  }
  CHECK(kept[0] == kept[1]);
  return kept[0];
}

using Features = std::vector<Index>;

}  // namespace

TEST_CASE("coupling masks keep what they say, and odd repetitions keep the others") {
  CHECK(kept_features(coupling(""), 4, 0) == Features{0, 1});
  CHECK(kept_features(coupling(""), 4, 1) == Features{2, 3});
  CHECK(kept_features(coupling(""), 5, 2) == Features{0, 1});
  CHECK(kept_features(coupling(""), 5, 3) == Features{2, 3, 4});
  CHECK(kept_features(coupling(", mask: alternating"), 5, 0) == Features{1, 3});
  CHECK(kept_features(coupling(", mask: alternating"), 5, 1) == Features{0, 2, 4});
  CHECK(kept_features(coupling(", mask: alternating"), 2, 0) == Features{1});
  CHECK(kept_features(coupling(", mask: explicit, features: [3, 1]"), 5, 0) == Features{1, 3});
  CHECK(kept_features(coupling(", mask: explicit, features: [3, 1]"), 5, 1) == Features{0, 2, 4});
  CHECK(kept_features(coupling(", mask: explicit, features: [1, 2]"), 4, 0) == Features{1, 2});
  CHECK(kept_features(coupling(", mask: explicit, features: []"), 2, 1) == Features{});
}

TEST_CASE("random masks keep half of the features and follow from the seed and the repetition alone") {
  const std::string first = coupling(", mask: random, seed: 1"), second = coupling(", mask: random, seed: 2");
  const Features kept = kept_features(first, 20, 0);
  CHECK(kept.size() == 10);
  CHECK(kept == kept_features(first, 20, 0));
  CHECK(kept != kept_features(second, 20, 0));
  CHECK(kept != kept_features(first, 20, 2));
  Features all = kept_features(first, 20, 1);
  for (const Index j : kept) CHECK(std::count(all.begin(), all.end(), j) == 0);
  CHECK(all.size() == 10);
}

TEST_CASE("an event of one element is transformed by the context, or by constants") {
  for (const Index repetition : {0, 1}) {
    const auto conditional = make_runner("bijector", coupling(""), around(1, 2, repetition));
    scatter_parameters(*conditional);
    const Array x(3, 1, 0.5), context = scattered(3, 2);
    const Array y = run(*conditional, "forward", x, context).outputs[0];
    CHECK(y(0, 0) != y(1, 0));
    const auto alone = make_runner("bijector", coupling(""), around(1, 0, repetition));
    CHECK(parameter_paths(*alone).size() == 1);
    set_parameter(*alone, "layers[0].bias", {2, std::log(4.0)});
    // Data to base is y -> 4 y + 2.
    CHECK(distance(run(*alone, "inverse", x).outputs[0], Array(3, 1, 4)) < 1e-15);
    CHECK(distance(run(*alone, "inverse", x).outputs[1], Array(3, 1, std::log(4.0))) < 1e-15);
  }
}

TEST_CASE("theta of the moved features stands in their order, feature by feature") {
  const auto runner = make_runner("bijector",
                                  "coupling: {transformer: affine, network: {mlp: {hidden: []}}, mask: explicit, "
                                  "features: [2, 0], maps: base_to_data}",
                                  around(4));
  set_parameter(*runner, "layers[0].bias", {10, std::log(2.0), 20, std::log(3.0)});  // shift, log scale of 1; of 3
  const Response r = run(*runner, "forward", rows({{1, 1, 1, 1}, {0, 0, 0, 0}}));
  CHECK(distance(r.outputs[0], rows({{1, 12, 1, 23}, {0, 10, 0, 20}})) < 1e-15);
  CHECK(distance(r.outputs[1], Array(2, 1, std::log(6.0))) < 1e-15);
  // The weights' rows are the kept features in their order, whatever the order of the list.
  set_parameter(*runner, "layers[0].weight", {1, 0, 0, 0, 0, 1, 0, 0});  // inputs x outputs, column by column
  CHECK(distance(run(*runner, "forward", rows({{5, 0, 7, 0}})).outputs[0], rows({{5, 15, 7, 27}})) < 1e-15);
}

TEST_CASE("a coupling starts as the identity in both directions") {
  for (const char* transformer : {"affine", "rational_quadratic_spline", "linear_rational_spline", "sinh_arcsinh"}) {
    CAPTURE(transformer);
    const std::string yaml = std::string("coupling: {transformer: ") + transformer + "}";
    const auto runner = make_runner("bijector", yaml, around(3));
    const Array x = scattered(17, 3);
    // A linear-rational spline has a corner of 0.999 to 1 at its bounds by default.
    const double allowed = transformer == std::string("linear_rational_spline") ? 2e-3 : 1e-12;
    for (const char* direction : {"forward", "inverse"}) {
      const Response r = run(*runner, direction, x);
      CHECK(distance(r.outputs[0], x) < allowed);
      CHECK(distance(r.outputs[1], Array(17, 1, 0)) < allowed);
    }
  }
}

TEST_CASE("maps exchanges the directions of a coupling") {
  const auto to_base = make_runner("bijector", coupling(""), around(4));
  const auto to_data = make_runner("bijector", coupling(", maps: base_to_data"), around(4));
  scatter_parameters(*to_base);
  to_data->set_numbers(to_base->numbers());
  const Array x = scattered(5, 4);
  CHECK(run(*to_base, "forward", x).outputs[0].values == run(*to_data, "inverse", x).outputs[0].values);
  CHECK(run(*to_base, "inverse", x).outputs[1].values == run(*to_data, "forward", x).outputs[1].values);
}

TEST_CASE("a coupling's numbers are its network's") {
  const auto runner = make_runner("bijector", coupling(""), around(5, 3));
  const auto paths = parameter_paths(*runner);
  REQUIRE(paths.size() == 4);
  for (const std::string& path : paths) CHECK_THAT(path, Contains("model.network.layers["));
  const Parameter& first = parameter(*runner, "network.layers[0].weight").handle;
  CHECK(first.rows == 2 + 3);
  CHECK(first.columns == 4);
  CHECK(parameter(*runner, "network.layers[1].bias").handle.columns == 3 * 2);
}

TEST_CASE("a coupling's traits say what it costs and what it leaves alone") {
  const auto traits = [](const std::string& yaml, Index size, Index repetition = 0) {
    const auto runner = make_runner("bijector", yaml, around(size, 0, repetition));
    return dynamic_cast<const Bijector<double>&>(runner->component()).traits();
  };
  const Traits halves = traits(coupling(""), 4);
  CHECK(halves.forward == Cost::one_pass);
  CHECK(halves.inverse == Cost::one_pass);
  CHECK(halves.triangular);
  CHECK_FALSE(halves.elementwise);
  CHECK_FALSE(halves.increasing);
  CHECK_FALSE(traits(coupling(""), 4, 1).triangular);
  CHECK_FALSE(traits(coupling(", mask: alternating"), 4).triangular);
  CHECK(traits(coupling(""), 1).elementwise);
  CHECK(traits(coupling(""), 1).increasing);
}

TEST_CASE("a coupling refuses masks that mean nothing") {
  const auto making = [](const std::string& fields) { make_runner("bijector", coupling(fields), around(3)); };
  CHECK_THROWS_WITH(making(", mask: explicit"), Contains("features") && Contains("is needed by mask: explicit"));
  CHECK_THROWS_WITH(making(", mask: random"), Contains("seed") && Contains("is needed by mask: random"));
  CHECK_THROWS_WITH(making(", mask: explicit, features: [0, 3]"), Contains("holds 3, but the features are 0 to 2"));
  CHECK_THROWS_WITH(making(", mask: explicit, features: [1, 1]"), Contains("holds 1 twice"));
  CHECK_THROWS_WITH(making(", mask: explicit, features: [2, 1, 0]"), Contains("keeps all 3 features"));
  CHECK_THROWS_WITH(making(", features: [1]"),
                    Contains("features") && Contains("belongs to mask: explicit, but mask is halves; leave it out"));
  CHECK_THROWS_WITH(making(", mask: alternating, seed: 1"), Contains("seed") && Contains("belongs to mask: random"));
  CHECK_THROWS_AS(making(", mask: random"), SpecError);
}
