#include <catch2/catch.hpp>
#include <set>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

Surroundings around(Index size, Index context = 0) {
  Surroundings s;
  s.event_shape = Shape{size};
  s.context = context;
  return s;
}

template <class T = double>
Assembly<T> build(const std::string& kind, const std::string& yaml, const Surroundings& surroundings,
                  std::uint64_t seed = 1) {
  const SpecNode node = resolve_component(tiny_registry(), kind, parse_spec_text(yaml, "spec"));
  return assemble<T>(tiny_registry(), kind, node, surroundings, seed, "model");
}

std::string error_of(const std::string& kind, const std::string& yaml, const Surroundings& surroundings = around(2)) {
  return message_of([&] { build(kind, yaml, surroundings); });
}

template <class T>
std::vector<std::string> paths(const Assembly<T>& a) {
  std::vector<std::string> all;
  for (const ParameterInfo& p : a.layout.parameters) all.push_back(p.path);
  return all;
}

}  // namespace

TEST_CASE("fields of every type reach the factory") {
  build(
      "bijector",
      "every_type: {boolean: true, integer: 7, real: .25, text: \"a b\", choice: second, path: /x/y, integers: [3, 4], "
      "reals: [], texts: [p], optional: 2}",
      around(2));
  const EveryTypeRead& read = every_type_read();
  CHECK(read.boolean);
  CHECK(read.integer == 7);
  CHECK(read.real == 0.25);
  CHECK(read.text == "a b");
  CHECK(read.choice == "second");
  CHECK(read.path == "/x/y");
  CHECK(read.integers == std::vector<Index>{3, 4});
  CHECK(read.reals.empty());
  CHECK(read.texts == std::vector<std::string>{"p"});
  CHECK(read.optional_given);
  CHECK(build("bijector", "every_type", around(2)).unread_fields ==
        std::vector<std::string>{"model (every_type): bound"});
  CHECK_FALSE(read.optional_given);
}

TEST_CASE("every block of numbers starts at a multiple of the padding, and the gaps are zero") {
  const Assembly<double> a = build("bijector", "numbers", around(5));
  REQUIRE(a.layout.parameters.size() == 3);
  CHECK(paths(a) == std::vector<std::string>{"model.weight", "model.layers[1].bias", "model.scale"});
  CHECK(a.layout.parameters[0].handle.offset == 0);
  CHECK(a.layout.parameters[1].handle.offset == 16);  // 15 numbers before it
  CHECK(a.layout.parameters[2].handle.offset == 32);
  CHECK(a.layout.parameters[0].handle.role == Role::weight);
  CHECK(a.layout.parameter_size == 48);
  CHECK(a.layout.trainable() == 15 + 3 + 2);
  CHECK(a.store.parameters.size() == 48);
  CHECK(a.store.parameters[15] == 0);
  CHECK(a.store.parameters[32] == 1);
  CHECK(a.store.parameters[33] == 2);
  CHECK(a.store.parameters[34] == 0);
  CHECK(a.layout.derived.at(0).handle.derived);
  CHECK(a.layout.derived_size == 32);  // 25 numbers
  CHECK(a.store.derived.size() == 32);
  REQUIRE(a.layout.states.size() == 2);
  CHECK(a.layout.states[0].path == "model.mean");
  CHECK(a.store.real_state[0] == 0.5);
  CHECK(a.store.real_state[1] == 0.25);
  CHECK(a.layout.states[1].handle.integer);
  CHECK(a.store.integer_state[0] == 2);
  CHECK(a.layout.statistic_size == 16);
}

TEST_CASE("random starts are functions of the seed and the order of building, alike in both precisions") {
  const std::string two = "chain: {bijectors: [numbers, numbers]}";
  const Assembly<double> a = build("bijector", two, around(4)), again = build("bijector", two, around(4));
  const Assembly<double> other = build("bijector", two, around(4), 2);
  const Assembly<float> single = build<float>("bijector", two, around(4));
  CHECK(a.store.parameters == again.store.parameters);
  CHECK(a.store.parameters != other.store.parameters);
  for (std::size_t i = 0; i < a.store.parameters.size(); ++i)
    CHECK(single.store.parameters[i] == static_cast<float>(a.store.parameters[i]));
  std::set<double> weights;
  for (const ParameterInfo& p : a.layout.parameters)
    if (p.handle.role == Role::weight)
      for (Index i = 0; i < p.handle.size(); ++i) weights.insert(a.store.parameters[p.handle.offset + i]);
  CHECK(weights.size() == 24);  // no number twice, within a component or between them
  for (const ParameterInfo& p : a.layout.parameters)
    if (p.handle.role == Role::bias)
      for (Index i = 0; i < p.handle.size(); ++i) CHECK(std::abs(a.store.parameters[p.handle.offset + i]) < 1);
}

TEST_CASE("places of numbers: elements of lists are followed by their component's name, single parts are not") {
  const Assembly<double> a = build("distribution",
                                   "{base: {tiny: {location: learnable}}, bijectors: [affine, {coupling: {transformer: "
                                   "affine, network: {mlp: {hidden: [3]}}}}]}",
                                   around(2));
  CHECK(paths(a) == std::vector<std::string>{"model.bijectors[1].coupling.network.layers[0].weight",
                                             "model.bijectors[1].coupling.network.layers[0].bias",
                                             "model.bijectors[1].coupling.network.layers[1].weight",
                                             "model.bijectors[1].coupling.network.layers[1].bias",
                                             "model.bijectors[0].elementwise.theta", "model.base.location"});
  std::vector<std::string> places;
  for (const Component<double>* component : a.components) places.push_back(component->path());
  CHECK(places == std::vector<std::string>{"model.bijectors[1].coupling.transformer",
                                           "model.bijectors[1].coupling.network", "model.bijectors[1].coupling",
                                           "model.bijectors[0].elementwise.transformer",
                                           "model.bijectors[0].elementwise", "model.base", "model"});
}

TEST_CASE("children that are built several times have numbers and places of their own") {
  const Assembly<double> a = build("bijector", "repeat: {times: 3, bijectors: [affine, numbers]}", around(2));
  const std::vector<std::string> all = paths(a);
  CHECK(all.size() == 12);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == 12);
}

TEST_CASE("values of distributions: numbers, learnable, networks") {
  const auto tiny = [](const Assembly<double>& a) -> const Tiny<double>& {
    return dynamic_cast<const Tiny<double>&>(*a.root);
  };
  using Source = FieldValue<double>::Source;
  const Assembly<double> fixed = build("distribution", "tiny: {location: 3, scale: [1, 2]}", around(2));
  CHECK(tiny(fixed).location.source == Source::fixed);
  CHECK(tiny(fixed).location.fixed == std::vector<double>{3, 3});
  CHECK(tiny(fixed).scale.fixed == std::vector<double>{1, 2});

  const Assembly<double> learnable =
      build("distribution", "tiny: {location: {learnable: [5, 6]}, scale: learnable}", around(2));
  CHECK(tiny(learnable).location.source == Source::learnable);
  CHECK(paths(learnable) == std::vector<std::string>{"model.location", "model.scale"});
  CHECK(learnable.store.parameters[0] == 5);
  CHECK(learnable.store.parameters[1] == 6);
  CHECK(learnable.store.parameters[16] == Approx(std::log(2.0)));  // the default, as its logarithm

  const Assembly<double> network =
      build("distribution", "tiny: {location: {network: {mlp: {hidden: [3]}}}}", around(2, 4));
  CHECK(tiny(network).location.source == Source::network);
  CHECK(paths(network).front() == "model.location.network.layers[0].weight");

  CHECK(error_of("distribution", "tiny: {location: [1, 2, 3]}") ==
        "spec:1:18: error: model.location has 3 numbers, but an event has 2 elements");
  CHECK(
      error_of("distribution", "tiny: {location: {network: mlp}}") ==
      "spec:1:18: error: model.location is a network of the context, but there is no context; give data.context, or a "
      "number");
  CHECK(error_of("distribution", "tiny: {shape: [3]}") ==
        "spec:1:15: error: model.shape [3] is not the shape of the events here, [2]; it may be left out");
}

TEST_CASE("what a factory throws comes out with the component's place and position") {
  const auto wrong = [](const std::string& how) {
    return error_of("distribution", "{base: tiny, bijectors: [{go_wrong: {how: " + how + "}}]}");
  };
  const std::string place = "spec:1:27: error: model.bijectors[0] (go_wrong): ";
  const std::string plugin = place + "the factory in this program failed: ";
  CHECK(wrong("not").empty());
  CHECK(wrong("fail") == "spec:1:43: error: model.bijectors[0].go_wrong.how is fatal on purpose");
  CHECK(wrong("spec") == place + "this cannot be");
  CHECK(wrong("shape") == place + "the shapes differ");
  CHECK(wrong("data") == place + "the file is empty");
  CHECK(wrong("logic") == plugin + "a slip");
  CHECK(wrong("memory") == plugin + "out of memory");
  CHECK(wrong("number") == plugin + "it threw something that is no std::exception");
  CHECK(wrong("nothing") == plugin + "it returned nothing");
  CHECK(wrong("undeclared") == plugin + "the factory of go_wrong reads the field 'secret', which it does not declare");
  CHECK(wrong("type") == plugin + "the factory of go_wrong reads its field 'how' as another type than it declares");
  CHECK(wrong("twice") == plugin + "two sets of numbers are called model.bijectors[0].go_wrong.weight");
  CHECK(wrong("class").find("made no bijector") != std::string::npos);
  CHECK(error_of("bijector", "go_wrong: {how: class}") ==
        "spec:1:1: error: model (go_wrong): its factory made no bijector; it must derive from the class template that "
        "the kind stands for");
}

TEST_CASE("the types of errors say whose they are") {
  const auto wrong = [](const std::string& how) { build("bijector", "go_wrong: {how: " + how + "}", around(2)); };
  CHECK_THROWS_AS(wrong("shape"), SpecError);
  CHECK_THROWS_AS(wrong("fail"), SpecError);
  CHECK_THROWS_AS(wrong("data"), DataError);
  for (const char* how : {"logic", "memory", "number", "nothing", "class"}) CHECK_THROWS_AS(wrong(how), PluginError);
}

TEST_CASE("a component without a factory for the precision says so") {
  CHECK_NOTHROW(build<double>("bijector", "only_double", around(2)));
  CHECK_THROWS_WITH(build<float>("bijector", "only_double", around(2)),
                    "spec:1:1: error: model (only_double): this program has no factory for precision: float32; use "
                    "float64");
}

TEST_CASE("every example of every component is built in both precisions, and reads its fields") {
  std::set<std::string> declared, unread;
  for (const RegisteredComponent* component : tiny_registry().components()) {
    if (component->library == "this program") continue;
    const ComponentInfo& info = *component->info;
    std::set<std::string> never;
    for (std::size_t i = 0; i < info.example_count; ++i) {
      INFO(info.kind << " " << info.name << ", example " << info.examples[i].name);
      std::set<std::string> here;
      try {
        const Assembly<double> a = assemble_example<double>(tiny_registry(), info, info.examples[i], 1);
        const Assembly<float> b = assemble_example<float>(tiny_registry(), info, info.examples[i], 1);
        CHECK(a.layout.parameter_size == b.layout.parameter_size);
        CHECK(a.components.size() == b.components.size());
        const std::string own = std::string(info.name) + " (" + info.name + "): ";
        for (const std::string& field : a.unread_fields)
          if (field.starts_with(own)) here.insert(field);
      } catch (const std::exception& e) {
        FAIL_CHECK(e.what());
      }
      if (i == 0) never = here;
      std::erase_if(never, [&](const std::string& field) { return !here.contains(field); });
    }
    for (const std::string& field : never) FAIL_CHECK("no example reads " << field);
  }
}
