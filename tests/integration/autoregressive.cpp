// Autoregressive bijectors over a masked network: inversion in one pass, exact masks, training through samples.
#include "support/allocations.h"
#include "support/models.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

std::string map_of(const std::string& more, const std::string& hidden = "[40, 40]",
                   const std::string& transformer = "affine") {
  return "autoregressive: {transformer: " + transformer + ", network: {made: {hidden: " + hidden +
         ", activation: tanh}}" + more + "}";
}

std::unique_ptr<Runner> runner(Index size, Index context, const std::string& more,
                               const std::string& hidden = "[40, 40]") {
  auto map = make_runner("bijector", map_of(more, hidden), around(size, context));
  scatter_parameters(*map, 0.4);
  return map;
}

}  // namespace

TEST_CASE("inverting degree by degree equals inverting feature by feature with the whole network") {
  const Index size = 6, n = 50;
  const Array z = scattered(n, size), context = scattered(n, 2, 5);
  struct Order {
    std::string fields;
    std::vector<std::vector<Index>> groups;
  };
  const Order orders[] = {{"", {{0}, {1}, {2}, {3}, {4}, {5}}},
                          {", order: reversed", {{5}, {4}, {3}, {2}, {1}, {0}}},
                          {", order: explicit, features: [3, 0, 5, 1, 4, 2]", {{3}, {0}, {5}, {1}, {4}, {2}}},
                          {", order: explicit, features: [3, 0, 5, 1, 4, 2], passes: 2", {{0, 3, 5}, {1, 2, 4}}},
                          {", passes: 4", {{0, 1}, {2}, {3, 4}, {5}}},
                          {", passes: 1", {{0, 1, 2, 3, 4, 5}}}};
  for (const Order& order : orders) {
    CAPTURE(order.fields);
    const auto map = runner(size, 2, order.fields);
    const Response fast = run(*map, "forward", z, context);
    // For an affine map shift and scale follow from two points, so `inverse` itself serves as the network.
    Array x(n, size);
    for (const std::vector<Index>& group : order.groups) {
      Array at_zero = x, at_one = x;
      for (const Index j : group)
        for (Index i = 0; i < n; ++i) {
          at_zero(i, j) = 0;
          at_one(i, j) = 1;
        }
      const Array shift = run(*map, "inverse", at_zero, context).outputs[0];
      const Array sum = run(*map, "inverse", at_one, context).outputs[0];
      for (const Index j : group)
        for (Index i = 0; i < n; ++i) x(i, j) = (z(i, j) - shift(i, j)) / (sum(i, j) - shift(i, j));
    }
    CHECK(distance(fast.outputs[0], x) < 1e-12);
  }
}

TEST_CASE("odd repetitions of an autoregressive bijector take the order backwards") {
  const Index size = 4, n = 9;
  const Array y = scattered(n, size);
  const auto one = make_runner("bijector", map_of(""), around(size, 0, 1));
  const auto reversed = make_runner("bijector", map_of(", order: reversed"), around(size, 0, 0));
  scatter_parameters(*one, 0.4);
  reversed->set_numbers(one->numbers());
  CHECK(run(*one, "inverse", y).outputs[0].values == run(*reversed, "inverse", y).outputs[0].values);
}

TEST_CASE("masks are exact: no later feature and no other row shows, in one bit") {
  const Index size = 5, n = 17;
  const Array y = scattered(n, size);
  const auto map = runner(size, 0, "", "[150, 20]");
  for (const char* direction : {"forward", "inverse"}) {
    const Array before = run(*map, direction, y).outputs[0];
    for (Index j = 0; j < size; ++j) {
      Array moved = y;
      moved(3, j) += 1;
      const Array after = run(*map, direction, moved).outputs[0];
      for (Index k = 0; k < size; ++k)
        for (Index i = 0; i < n; ++i) {
          CAPTURE(direction, i, j, k);
          if (i == 3 && k >= j)
            CHECK(after(i, k) != before(i, k));
          else
            CHECK(after(i, k) == before(i, k));
        }
    }
  }
}

TEST_CASE("masked weights receive no gradient, the others do") {
  const auto map = runner(3, 0, "", "[8]");
  Request r;
  r.function = function_index(*map, "inverse");
  r.x = scattered(20, 3);
  r.rows = 20;
  r.cotangents = {scattered(20, 3, 1), scattered(20, 1, 2)};
  const Response response = map->run(r);
  // Features of degree 1, 2, 3; four units that see the first, four that see the first two.
  const Parameter weight = parameter(*map, "layers[0].weight").handle;
  for (Index o = 0; o < 8; ++o)
    for (Index i = 0; i < 3; ++i) {
      CAPTURE(i, o);
      const double g = response.parameters[static_cast<std::size_t>(weight.offset + i + 3 * o)];
      CHECK((g != 0) == (i <= o / 4));
    }
}

TEST_CASE("a flow is trained through its samples, in either direction, and a step allocates nothing") {
  for (const char* more : {"", ", maps: base_to_data", ", order: random, seed: 3, passes: 2"}) {
    for (const char* transformer : {"affine", "{rational_quadratic_spline: {bins: 3}}"}) {
      CAPTURE(more, transformer);
      Model<double> model = make_model<double>(
          plugins(), "{base: normal, bijectors: [{" + map_of(more, "[6]", transformer) + "}]}", around(3));
      scatter(model);
      set_objective<double>(model, std::make_unique<OfSamples<double>>());
      Engine<double> engine(model, {.seed = 3});
      CHECK(gradient_error(engine, no_data<double>(40)) < 1e-7);

      std::vector<double> gradient(model.store.parameters.size());
      const auto step = [&] { engine.loss(0, no_data<double>(40), 0, model.store.parameters, gradient); };
      for (int i = 0; i < 3; ++i) step();
      const std::int64_t before = allocations();
      for (int i = 0; i < 3; ++i) step();
      CHECK(allocations() == before);
    }
  }
}

TEST_CASE("what an autoregressive bijector refuses") {
  const auto refused = [](const std::string& fields, Index size) {
    try {
      make_runner("bijector", "autoregressive: {" + fields + "}", around(size));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  const auto has = [](const std::string& text, const std::string& part) {
    CAPTURE(text, part);
    CHECK(text.find(part) != std::string::npos);
  };
  has(refused("transformer: affine, network: mlp", 3),
      "model.network gives every output all inputs; name a masked one, as `made` is");
  has(refused("transformer: exp", 3), "has no parameters for the network to give");
  has(refused("transformer: affine, passes: 4", 3), "is 4, but there are 3 features");
  has(refused("transformer: affine, order: explicit", 3), "is needed by order: explicit");
  has(refused("transformer: affine, order: explicit, features: [0, 1]", 3),
      "has 2 numbers; name each of the 3 features once");
  has(refused("transformer: affine, order: explicit, features: [0, 1, 1]", 3), "holds 1 twice");
  has(refused("transformer: affine, order: explicit, features: [0, 1, 3]", 3), "holds 3, but the features are 0 to 2");
  has(refused("transformer: affine, order: random", 3), "is needed by order: random");
  has(refused("transformer: affine, seed: 3", 3), "seed");
}
