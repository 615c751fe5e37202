#include <catch2/catch.hpp>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

/// Resolves a bijector and gives its text back, or the problems.
std::string resolved(const std::string& yaml, const std::string& kind = "bijector") {
  try {
    return write_spec(resolve_component(tiny_registry(), kind, parse_spec_text(yaml, "spec")));
  } catch (const SpecError& e) {
    return e.what();
  }
}
std::string every_type(const std::string& fields) { return resolved("every_type: {" + fields + "}"); }
bool accepts(const std::string& field) { return every_type(field).find("error") == std::string::npos; }

}  // namespace

TEST_CASE("defaults are filled in, in the order of the schema") {
  const SpecNode node =
      resolve_component(tiny_registry(), "bijector", parse_spec_text("every_type: {integer: 7}", "spec"));
  const SpecNode& fields = node.entries.at(0).value;
  CHECK(fields.entries[0].key == "boolean");
  CHECK(fields.find("boolean")->defaulted);
  CHECK(fields.find("boolean")->text == "false");
  CHECK_FALSE(fields.find("integer")->defaulted);
  CHECK(fields.find("integers")->items.size() == 2);
  CHECK(fields.find("optional") == nullptr);
}

TEST_CASE("integers") {
  for (const char* good : {"integer: 1", "integer: 10", "integer: +5"}) CHECK(accepts(good));
  CHECK(every_type("integer: 010") ==
        "spec:1:23: error: bijector.integer must be an integer of at least 1 and at most 10, but is '010'; YAML's "
        "versions read leading zeros differently: write the number without them");
  CHECK(
      every_type("integer: \"5\"") ==
      "spec:1:23: error: bijector.integer must be an integer of at least 1 and at most 10, but is '5'; without quotes "
      "it is a number");
  CHECK(every_type("integer: 5.0") ==
        "spec:1:23: error: bijector.integer must be an integer of at least 1 and at most 10, but is '5.0'; write 5");
  for (const char* bad : {"0", "11", "1.5", "x", "0x5", "1_0", "99999999999999999999", "[1]", "{a: 1}", "~", "1e400"})
    CHECK_FALSE(accepts(std::string("integer: ") + bad));
}

TEST_CASE("reals") {
  for (const char* good : {"real: 0.5", "real: .5", "real: 5e-1", "real: 1e-2", "bound: 5.", "bound: .inf",
                           "bound: -.inf", "optional: -3"})
    CHECK(accepts(good));
  CHECK(every_type("real: 1") == "spec:1:20: error: bijector.real must be a number above 0 and below 1, but is '1'");
  CHECK(every_type("optional: .inf") ==
        "spec:1:24: error: bijector.optional must be a number, but is '.inf'; it must be finite");
  for (const char* bad : {"real: 0", "real: 00.5", "real: '.5'", "real: e5", "real: .", "real: 1e", "real: nan",
                          "optional: inf", "optional: .nan", "bound: .nan", "real: 0.5x"})
    CHECK_FALSE(accepts(bad));
}

TEST_CASE("truth values, choices, text and paths") {
  CHECK(every_type("boolean: yes") ==
        "spec:1:23: error: bijector.boolean must be true or false, but is 'yes'; write true");
  CHECK(every_type("boolean: OFF") ==
        "spec:1:23: error: bijector.boolean must be true or false, but is 'OFF'; write false");
  CHECK_FALSE(accepts("boolean: 1"));
  CHECK_FALSE(accepts("boolean: 'true'"));
  CHECK(every_type("choice: secnd") ==
        "spec:1:22: error: bijector.choice must be one of first, second, but is 'secnd'; did you mean 'second'?");
  for (const char* good : {"text: 12", "text: true", "text: \"\"", "choice: 'second'", "path: /x/../y"})
    CHECK(accepts(good));
  for (const char* bad : {"text: [a]", "text: ~", "path: ''"}) CHECK_FALSE(accepts(bad));
}

TEST_CASE("lists") {
  CHECK(accepts("integers: [], reals: [1, .5], texts: [1, b, 'c']"));
  CHECK(every_type("integers: 4") ==
        "spec:1:24: error: bijector.integers must be a list of integers, each of at least 0, but is '4'; write [4]");
  CHECK(every_type("integers: [1, -1]") ==
        "spec:1:28: error: bijector.integers[1] must be an integer of at least 0, but is '-1'");
  CHECK_FALSE(accepts("reals: [[1]]"));
}

TEST_CASE("paths count from the spec's folder, those of overrides from the working folder") {
  const auto path_in = [](const std::string& file, int line) {
    SpecNode node = parse_spec_text("every_type: {path: data/x.csv}", file);
    node.entries[0].value.entries[0].value.position.line = line;
    return resolve_component(tiny_registry(), "bijector", node).entries[0].value.find("path")->text;
  };
  CHECK(path_in("/specs/moons.yaml", 1) == "/specs/data/x.csv");
  CHECK(path_in("--set a=b", 0) == std::filesystem::absolute("data/x.csv").string());
}

TEST_CASE("unknown and missing fields") {
  CHECK(every_type("intger: 3") ==
        "spec:1:14: error: bijector (every_type) has no field 'intger'; did you mean 'integer'?");
  CHECK(resolved("nothing: {x: 1}") == "spec:1:11: error: bijector (nothing) has no field 'x'; it has no fields");
  CHECK(resolved("{flow: {bijectors: [nothing], bas: 1}}", "distribution") ==
        "spec:1:2: error: distribution (flow) needs the field 'base': where the samples start\n"
        "spec:1:31: error: distribution (flow) has no field 'bas'; did you mean 'base'?");
}

TEST_CASE("components: names, mappings, several keys, other kinds") {
  CHECK(resolved("nothing") == "nothing: {}\n");
  CHECK(resolved("nothing:") == "nothing: {}\n");
  CHECK(resolved("{}") ==
        "spec:1:1: error: bijector must be a bijector, but is a mapping; write its name, or {name: {field: value}}");
  CHECK(resolved("[nothing]") ==
        "spec:1:1: error: bijector must be a bijector, but is a list; write its name, or {name: {field: value}}");
  CHECK(resolved("nothing: 3") ==
        "spec:1:10: error: bijector (nothing) must be a mapping of its fields, but is '3'; write {nothing: {field: "
        "value}}");
  CHECK(resolved("every_type:\ninteger: 3\n") ==
        "spec:2:1: error: bijector must be one component, a mapping with its name as the one key, but has the keys "
        "'every_type', 'integer'; indent the fields of every_type below it");
  CHECK(resolved("nothin") == "spec:1:1: error: bijector: there is no bijector 'nothin'; did you mean 'nothing'?");
  CHECK(resolved("tiny") ==
        "spec:1:1: error: bijector: there is no bijector 'tiny'; 'tiny' is a distribution, but a bijector is needed "
        "here");
}

TEST_CASE("a transformer that stands for a bijector becomes elementwise") {
  const std::string text = resolved("affine: {scale: softplus}");
  CHECK(text.starts_with("elementwise:\n  transformer:\n    affine:\n      scale: softplus\n"));
  CHECK(resolved("affine: {scal: softplus}") ==
        "spec:1:10: error: bijector.transformer (affine) has no field 'scal'; did you mean 'scale'?");
}

TEST_CASE("base and bijectors stand for a flow, wherever a distribution or a target is expected") {
  for (const char* kind : {"distribution", "target"}) {
    const std::string text = resolved("{base: tiny, bijectors: [nothing]}", kind);
    CHECK(text.starts_with("flow:\n  base:\n    tiny:\n"));
  }
  CHECK(resolved("{base: {base: tiny, bijectors: [nothing]}, bijectors: [nothing]}", "distribution")
            .starts_with("flow:\n  base:\n    flow:\n      base:\n        tiny:\n"));
  CHECK(resolved("{base: tiny, bijectors: []}", "distribution") ==
        "spec:1:25: error: distribution.bijectors must hold a bijector at least, but is empty");
  CHECK(resolved("tiny", "target").starts_with("tiny:\n"));  // every distribution is a target
}

TEST_CASE("values of distributions") {
  const auto location = [](const std::string& value) {
    const std::string text = resolved("tiny: {location: " + value + "}", "distribution");
    return text.find("error") == std::string::npos ? parse_spec_text(text, "x").entries[0].value.find("location")[0]
                                                   : SpecNode::scalar(text);
  };
  CHECK(location("-1.5").text == "-1.5");
  CHECK(location("[1, 2]").items.size() == 2);
  CHECK(location("learnable").find("learnable")->text == "0.0");  // the default is where it starts
  CHECK(location("{learnable: [1, 2]}").find("learnable")->items.size() == 2);
  CHECK(location("{network: {mlp: {hidden: [3]}}}").find("network")->find("mlp") != nullptr);
  CHECK(
      location("{netwrk: mlp}").text ==
      "spec:1:19: error: distribution.location must be a number, a list of numbers, 'learnable' or {network: ...}, but "
      "has the key 'netwrk'; did you mean 'network'?");
  CHECK(location("words").text.starts_with("spec:1:18: error: distribution.location must be a number, a list"));
  CHECK(location("{network: {mpl: {}}}").text ==
        "spec:1:29: error: distribution.location.network: there is no network 'mpl'; did you mean 'mlp'?");
  CHECK(resolved("tiny: {scale: 0}", "distribution") ==
        "spec:1:15: error: distribution.scale must be a number above 0, but is '0'");
  CHECK(resolved("tiny: {scale: [1, -1]}", "distribution") ==
        "spec:1:19: error: distribution.scale[1] must be a number above 0, but is '-1'");
}

TEST_CASE("libraries that could not be loaded are named when a component is not found") {
  Registry registry;
  const TemporaryFolder folder;
  folder.write("broken.so", "not a library");
  registry.add_folder(folder.path());
  REQUIRE(registry.failures().size() == 1);
  CHECK_THROWS_WITH(
      resolve_component(registry, "bijector", parse_spec_text("spline", "spec")),
      "spec:1:1: error: bijector: there is no bijector 'spline'; it may be in a library that could not be "
      "loaded: " +
          std::filesystem::canonical(folder.file("broken.so")).string());
}

TEST_CASE("a resolved component resolves to itself") {
  for (const char* yaml : {"affine", "every_type: {bound: -.inf}", "invert: {bijector: affine}"}) {
    const std::string once = resolved(yaml);
    CHECK(resolved(once) == once);
  }
}
