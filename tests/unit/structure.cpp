// invert, repeat, chain and permutation: what is built how often, under which names, in which order.
#include <catch2/catch.hpp>

#include "pushforward/operations.h"
#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

/// The first number that each evaluated layer drew.
std::vector<double> drawn;

/// Adds a normal number to every element: a layer that draws.
template <class T>
class Noise final : public Bijector<T> {
 public:
  explicit Noise(Build<T>& build) : id_(build.id()) {}
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    return {x + noise(x, pass), pass.tape.full(x.rows(), 1, T(0))};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    return {y - noise(y, pass), pass.tape.full(y.rows(), 1, T(0))};
  }
  Traits traits() const override {
    Traits t;
    t.uses_draws = true;
    return t;
  }

 private:
  Var<T> noise(Var<T> x, const Pass<T>& pass) const {
    const Var<T> z = pass.normal(id_, x.rows(), x.columns());
    drawn.push_back(static_cast<double>(z.value()(0, 0)));
    return z;
  }
  ComponentId id_;
};

/// Cuts an event in two rows; maps the whole line to the positive one.
template <class T>
class Odd final : public Bijector<T> {
 public:
  explicit Odd(Build<T>& build) : reshapes_(build.boolean("reshapes")) {}
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return {x, pass.tape.full(x.rows(), 1, T(0))}; }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return {y, pass.tape.full(y.rows(), 1, T(0))}; }
  Shape inverse_event_shape(const Shape& data) const override { return reshapes_ ? Shape{2, data.size() / 2} : data; }
  Support codomain() const override { return reshapes_ ? Support{} : Support{0, INFINITY}; }

 private:
  bool reshapes_;
};

constexpr Example kExamples[] = {{"default", "test_noise"}};
constexpr Field kOddFields[] = {boolean("reshapes", "false", "changes the shape of events")};
constexpr ComponentInfo kExtra[] = {describe<Noise>("bijector", "test_noise", "noise", nullptr, kExamples),
                                    describe<Odd>("bijector", "test_odd", "odd", kOddFields, kExamples)};

const Registry& with_extra() {
  static const std::unique_ptr<Registry> registry = load_plugins(kExtra);
  return *registry;
}

Array permuted(const std::string& fields, const Array& x, const char* direction = "forward") {
  return run(*make_runner("bijector", "permutation: {" + fields + "}", around(x.columns)), direction, x).outputs[0];
}

const char* const kShift = "coupling: {transformer: affine, network: {mlp: {hidden: []}}, maps: base_to_data}";

/// Gives the coupling of layer i the shift 10^i: the digits of the result say who moved which feature.
void set_shifts(Runner& runner) {
  Runner::Numbers n = runner.numbers();
  double shift = 1;
  // Layers are built from the last to the first.
  const auto& parameters = runner.layout().parameters;
  for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) {
    if (!p->path.ends_with("layers[0].bias")) continue;
    n.parameters[static_cast<std::size_t>(p->handle.offset)] = shift;
    shift *= 10;
  }
  runner.set_numbers(n);
}

}  // namespace

TEST_CASE("permutation: every kind moves elements as documented, and back") {
  const Array x = rows({{10, 11, 12, 13}, {20, 21, 22, 23}});
  CHECK(permuted("kind: flip", x).values == rows({{13, 12, 11, 10}, {23, 22, 21, 20}}).values);
  CHECK(permuted("kind: roll", x).values == rows({{13, 10, 11, 12}, {23, 20, 21, 22}}).values);
  CHECK(permuted("kind: roll, shift: -1", x).values == rows({{11, 12, 13, 10}, {21, 22, 23, 20}}).values);
  CHECK(permuted("kind: roll, shift: 6", x).values == rows({{12, 13, 10, 11}, {22, 23, 20, 21}}).values);
  CHECK(permuted("kind: given, order: [2, 0, 3, 1]", x).values == rows({{12, 10, 13, 11}, {22, 20, 23, 21}}).values);
  for (const char* fields : {"kind: flip", "kind: roll, shift: 3", "kind: random", "kind: given, order: [2, 0, 3, 1]"})
    CHECK(permuted(fields, permuted(fields, x), "inverse").values == x.values);
}

TEST_CASE("permutation: a random order follows from seed and place, and is state") {
  const auto order_of = [](const std::string& fields) {
    return make_runner("bijector", "permutation: {" + fields + "}", around(50))->numbers().integer_state;
  };
  CHECK(order_of("kind: random, seed: 3") == order_of("kind: random, seed: 3"));
  CHECK(order_of("kind: random, seed: 3") != order_of("kind: random, seed: 4"));
  const auto two =
      make_runner("bijector", "repeat: {times: 2, bijectors: [{permutation: {kind: random}}]}", around(50));
  REQUIRE(two->layout().states.size() == 2);
  const std::vector<std::int64_t> all = two->numbers().integer_state;
  const auto first = all.begin() + two->layout().states[0].handle.offset;
  const auto second = all.begin() + two->layout().states[1].handle.offset;
  CHECK_FALSE(std::equal(first, first + 50, second));

  const auto runner = make_runner("bijector", "permutation: {kind: flip}", around(3));
  REQUIRE(runner->layout().states.size() == 1);
  CHECK_THAT(runner->layout().states[0].path, Contains("model.order"));
  Runner::Numbers n = runner->numbers();
  const std::vector<std::int64_t> flipped{2, 1, 0}, other{1, 2, 0};
  CHECK(std::equal(flipped.begin(), flipped.end(), n.integer_state.begin()));
  std::copy(other.begin(), other.end(), n.integer_state.begin());
  runner->set_numbers(n);
  CHECK(run(*runner, "forward", rows({{7, 8, 9}})).outputs[0].values == rows({{8, 9, 7}}).values);
  CHECK(run(*runner, "inverse", rows({{8, 9, 7}})).outputs[0].values == rows({{7, 8, 9}}).values);
}

TEST_CASE("permutation refuses what is no order, and fields of another kind") {
  const auto making = [](const std::string& fields) {
    make_runner("bijector", "permutation: {" + fields + "}", around(3));
  };
  CHECK_THROWS_WITH(making("kind: given"), Contains("order") && Contains("is needed by kind: given"));
  for (const char* order : {"[0, 1]", "[0, 1, 1]", "[1, 2, 3]"})
    CHECK_THROWS_WITH(making(std::string("kind: given, order: ") + order),
                      Contains("must hold each of 0 to 2 once, for events of 3 elements"));
  CHECK_THROWS_WITH(making("kind: flip, shift: 1"), Contains("shift") && Contains("belongs to kind: roll"));
  CHECK_THROWS_WITH(making("kind: roll, seed: 1"), Contains("seed") && Contains("belongs to kind: random"));
}

TEST_CASE("repeat builds its list anew for every layer, with the layer's index") {
  const auto runner =
      make_runner("bijector", std::string("repeat: {times: 3, bijectors: [affine, {") + kShift + "}]}", around(2));
  std::vector<std::string> expected;
  for (const char* layer : {"layers[0]", "layers[1]", "layers[2]"})
    for (const char* rest : {"bijectors[0]", "bijectors[1]", "bijectors[1]"})
      expected.push_back(std::string(layer) + "." + rest);
  const auto paths = parameter_paths(*runner);
  REQUIRE(paths.size() == expected.size());
  for (std::size_t i = 0; i < paths.size(); ++i) CHECK_THAT(paths[i], Contains(expected[i]));
}

TEST_CASE("masks alternate over the layers of a repeat, and of repeats within repeats") {
  const auto moved = [](const std::string& yaml) {
    const auto runner = make_runner("bijector", yaml, around(2));
    set_shifts(*runner);
    return run(*runner, "forward", rows({{0, 0}})).outputs[0].values;
  };
  const std::string list = std::string("bijectors: [{") + kShift + "}]}";
  CHECK(moved("repeat: {times: 4, " + list) == std::vector<double>{1010, 101});
  CHECK(moved("repeat: {times: 2, bijectors: [{repeat: {times: 3, " + list + "}]}") ==
        std::vector<double>{101010, 10101});
}

TEST_CASE("a shared repeat has one set of numbers and applies it again and again") {
  const auto runner = make_runner("bijector", "repeat: {times: 3, share: true, bijectors: [affine]}", around(1));
  CHECK(parameter_paths(*runner).size() == 1);
  set_parameter(*runner, "theta", {1, std::log(2.0)});
  const Response forward = run(*runner, "forward", rows({{0}}));
  CHECK(distance(forward.outputs[0], rows({{7}})) < 1e-15);
  CHECK(distance(forward.outputs[1], rows({{std::log(8.0)}})) < 1e-15);
  CHECK(distance(run(*runner, "inverse", rows({{7}})).outputs[0], rows({{0}})) < 1e-15);

  // d/d(shift) of 2 (2 (2 x + b) + b) + b is 7: the gradients of all layers add up.
  Request r;
  r.x = rows({{0}});
  r.rows = 1;
  r.cotangents = {rows({{1}}), {}};
  CHECK(runner->run(r).parameters[0] == Approx(7));
}

TEST_CASE("shared layers draw numbers of their own, the same ones in both directions") {
  const auto draws = [](const std::string& yaml, const char* direction) {
    const auto runner = make_runner("bijector", yaml, around(2), with_extra());
    drawn.clear();
    run(*runner, direction, Array(4, 2));
    return drawn;
  };
  // Shared within shared: six layers, six different draws.
  const std::string yaml =
      "repeat: {times: 2, share: true, bijectors: [{repeat: {times: 3, share: true, bijectors: [test_noise]}}]}";
  std::vector<double> forward = draws(yaml, "forward"), inverse = draws(yaml, "inverse");
  REQUIRE(forward.size() == 6);
  std::reverse(inverse.begin(), inverse.end());
  CHECK(forward == inverse);
  std::sort(forward.begin(), forward.end());
  CHECK(std::adjacent_find(forward.begin(), forward.end()) == forward.end());
}

TEST_CASE("a shared repeat refuses maps that cannot follow themselves") {
  const auto making = [](const std::string& child) {
    make_runner("bijector", "repeat: {times: 2, share: true, bijectors: [" + child + "]}", around(4), with_extra());
  };
  CHECK_THROWS_WITH(making("{test_odd: {reshapes: true}}"), Contains("share") && Contains("keep the shape of events"));
  CHECK_THROWS_WITH(making("test_odd"), Contains("share") && Contains("map a set to itself"));
}

TEST_CASE("invert exchanges directions, costs and sets") {
  const auto plain = make_runner("bijector", "affine", around(2));
  const auto inverted = make_runner("bijector", "invert: {bijector: affine}", around(2));
  for (const auto* runner : {&plain, &inverted}) set_parameter(**runner, "theta", {1, 0.5, -2, 0.25});
  const Array x = scattered(5, 2);
  CHECK(run(*plain, "forward", x).outputs[0].values == run(*inverted, "inverse", x).outputs[0].values);
  CHECK(run(*plain, "inverse", x).outputs[1].values == run(*inverted, "forward", x).outputs[1].values);

  const auto odd = make_runner("bijector", "invert: {bijector: test_odd}", around(2), with_extra());
  const auto& bijector = dynamic_cast<const Bijector<double>&>(odd->component());
  CHECK(bijector.domain().lower == 0);
  CHECK(bijector.codomain().lower == -INFINITY);
  CHECK_THROWS_WITH(
      make_runner("bijector", "invert: {bijector: {test_odd: {reshapes: true}}}", around(4), with_extra()),
      Contains("changes the shape of events, from [4] to [2, 2]"));
}

TEST_CASE("chain applies its list from base to data, one component per name") {
  const auto runner =
      make_runner("bijector", "chain: {bijectors: [affine, {permutation: {kind: flip}}, affine]}", around(2));
  set_parameter(*runner, "bijectors[0].elementwise.theta", {1, 0, 2, 0});
  set_parameter(*runner, "bijectors[2].elementwise.theta", {10, 0, 20, 0});
  CHECK(distance(run(*runner, "forward", rows({{0, 0}})).outputs[0], rows({{12, 21}})) < 1e-15);
  CHECK(distance(run(*runner, "inverse", rows({{12, 21}})).outputs[0], rows({{0, 0}})) < 1e-15);
}

TEST_CASE("a chain of one prepares its child once, so gradients of derived values are not doubled") {
  const auto gradient = [](const std::string& yaml) {
    const auto runner = make_runner("bijector", yaml, around(1));
    Request r;
    r.x = scattered(3, 1);
    r.rows = 3;
    r.cotangents = {Array(3, 1, 1), Array(3, 1, 1)};
    return runner->run(r).parameters;
  };
  CHECK(gradient("chain: {bijectors: [rational_quadratic_spline]}") == gradient("rational_quadratic_spline"));
}
