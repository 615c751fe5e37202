// list, describe, check and validate.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Json = nlohmann::json;
using pushforward::test::pushforward;

TEST_CASE("list names every component, as a table and as JSON") {
  const Outcome text = pushforward({"list"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("kind ") && Contains("\nbijector ") && Contains("\ntransformer ") &&
                           Contains(" rational_quadratic_spline  "));
  const Json all = Json::parse(pushforward({"list", "--format", "json"}).out);
  REQUIRE(all.is_array());
  REQUIRE(all.size() > 15);
  for (const Json& component : all) {
    CHECK(component.size() == 4);
    for (const char* key : {"kind", "name", "summary", "plugin"}) CHECK(!component[key].get<std::string>().empty());
  }
  const Json some = Json::parse(pushforward({"list", "transformer", "--format", "json"}).out);
  CHECK(some.size() >= 4);
  for (const Json& component : some) CHECK(component["kind"] == "transformer");
}

TEST_CASE("A kind that is none is answered with what was meant") {
  CHECK(pushforward({"list", "transfromer"}).code == 2);
  CHECK_THAT(pushforward({"list", "transfromer"}).err, Contains("did you mean 'transformer'?"));
  CHECK_THAT(pushforward({"list", "affine"}).err,
             Contains("'affine' is a transformer, not a kind; 'pushforward describe affine' says more"));
  CHECK_THAT(pushforward({"list", "zzz"}).err, Contains("there are bijector, "));
}

TEST_CASE("describe shows fields, documentation, examples and origin") {
  const Outcome text = pushforward({"describe", "affine"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("transformer affine: ") && Contains("transformers_affine.so") &&
                           Contains("\nfield          type    default  range      meaning\n") &&
                           Contains("minimum_scale  number  1e-3     >= 0, < 1  ") && Contains("\nexamples:\n"));
  CHECK(pushforward({"describe", "transformer", "affine"}).out == text.out);
  const Json object = Json::parse(pushforward({"describe", "affine", "--format", "json"}).out);
  CHECK(object["kind"] == "transformer");
  CHECK(object["fields"][0]["name"] == "scale");
  CHECK(object["fields"][0]["choices"].size() == 6);
  CHECK(object["fields"][2]["minimum"] == 0.0);
  CHECK(object["fields"][2]["maximum_allowed"] == false);
  CHECK(object["examples"].size() > 3);
}

TEST_CASE("Sections of a spec are described like components") {
  const Outcome training = pushforward({"describe", "training"});
  CHECK(training.code == 0);
  CHECK_THAT(training.out, StartsWith("training: ") && Contains("\nbatch_size        integer | all ") &&
                               Contains("list of training.groups"));
  CHECK_THAT(pushforward({"describe", "spec"}).out, Contains("\nprecision ") && Contains("float32 | float64"));
  CHECK_THAT(pushforward({"describe", "model.context"}).out, Contains("\nfeatures  integer  8        >= 1   "));
  const Json split = Json::parse(pushforward({"describe", "data.split", "--format", "json"}).out);
  CHECK(split["fields"][0]["name"] == "train");
  CHECK(split["fields"][0]["required"] == true);
  CHECK_THAT(pushforward({"describe", "trianing"}).err, Contains("did you mean 'training'?"));
}

TEST_CASE("Every component can be described") {
  for (const Json& component : Json::parse(pushforward({"list", "--format", "json"}).out)) {
    const std::string kind = component["kind"], name = component["name"];
    INFO(kind << " " << name);
    const Outcome outcome = pushforward({"describe", kind, name});
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.out, StartsWith(kind + " " + name + ": ") && Contains("examples:"));
  }
}

TEST_CASE("A name that is none, or is two, is answered with what to type") {
  CHECK(pushforward({"describe", "afine"}).code == 2);
  CHECK_THAT(pushforward({"describe", "afine"}).err, Contains("no component 'afine'; did you mean 'affine'?"));
  CHECK_THAT(pushforward({"describe", "bijector", "affine"}).err, Contains("but a transformer of that name"));
  CHECK_THAT(pushforward({"describe", "csv"}).err,
             Contains("'csv' is the name of a dataset and of a tracker; say which, as in 'dataset csv'"));
}

TEST_CASE("validate says what a spec would run") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome text = pushforward({"validate", "small.yaml"}, folder.path());
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("small.yaml is valid\n") && Contains("200 rows") && Contains("parameters  ") &&
                           Contains("20 steps of 50 rows"));
  const Json object = Json::parse(
      pushforward({"validate", "small.yaml", "--format", "json", "--set", "training.steps=7"}, folder.path()).out);
  CHECK(object["valid"] == true);
  CHECK(object["steps"] == 7);
  CHECK(object["rows"]["train"] == 140);
  CHECK(object["parameters"].get<int>() > 0);
  CHECK(folder.names() == std::vector<std::string>{"small.yaml"});
}

TEST_CASE("validate reports all mistakes of a spec at once, in the order of the text") {
  const TemporaryFolder folder;
  folder.write("bad.yaml",
               "sede: 1\n"
               "data: {source: {circles: {samples: many}}}\n"
               "model: {base: normal, bijectors: [{elementwise: {transformer: afine}}]}\n"
               "training: {steps: 10, optimizer: {adam: {learning_rate: -1}}}\n");
  const Outcome outcome = pushforward({"validate", "bad.yaml"}, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  std::size_t before = 0;
  for (const char* line : {"bad.yaml:1:", "bad.yaml:2:", "bad.yaml:3:", "bad.yaml:4:"}) {
    INFO(outcome.err);
    const std::size_t place = outcome.err.find(line);
    REQUIRE(place != std::string::npos);
    CHECK(place >= before);
    before = place;
  }
  CHECK_THAT(outcome.err, Contains("did you mean 'seed'?") && Contains("did you mean 'affine'?"));
}

TEST_CASE("A plugin that cannot be used is named, and stops nothing else") {
  const TemporaryFolder folder;
  folder.write("broken.so", "not a library");
  const Outcome list = pushforward({"list", "--plugin-path", folder.path()});
  CHECK(list.code == 0);
  CHECK_THAT(list.err, Contains("broken.so was not loaded: "));
  const Outcome named = pushforward({"describe", "gizmo", "--plugin-path", folder.path()});
  CHECK(named.code == 2);
  CHECK_THAT(named.err, Contains("there is no component 'gizmo'") && Contains("broken.so"));
  const Outcome check = pushforward({"check", "broken.so"}, folder.path());
  CHECK(check.code == 1);
  CHECK_THAT(check.err, Contains("broken.so"));
  const Outcome missing = pushforward({"list", "--plugin-path", "none"}, folder.path());
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err, Contains("option '--plugin-path' names 'none', which does not exist"));
}

TEST_CASE("check measures a plugin's components and prints what is allowed") {
  const std::string plugin = PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins/transformers_affine.so";
  const Outcome text = pushforward({"check", plugin, "--example", "default", "--check", "round_trip", "--check", "2"});
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("passed") && Contains("round_trip") && Contains("log_det_cancel") &&
                           Contains("measured ") && Contains("allowed ") && Contains("float64") && Contains("float32"));
  const Outcome json = pushforward({"check", "--component", "transformer/affine", "--example", "softplus", "--check",
                                    "round_trip", "--format", "json"});
  CHECK(json.code == 0);
  const Json object = Json::parse(json.out);
  CHECK(object["passed"] == true);
  REQUIRE(!object["results"].empty());
  CHECK(object["results"][0]["check"] == "round_trip");
  CHECK(object["results"][0]["measured"].get<double>() <= object["results"][0]["allowed"].get<double>());
}

TEST_CASE("check finds what is wrong with somebody's plugin, shows the worst entries and how to repeat it") {
  const std::string folder = PUSHFORWARD_BINARY_DIR "/wrong_plugin", plugin = folder + "/wrong_log_det.so";
  const Outcome list = pushforward({"list", "bijector", "--plugin-path", folder, "--format", "json"});
  CHECK_THAT(list.out, Contains("wrong_log_det 1.2.3"));
  const Outcome text = pushforward({"check", plugin});
  CHECK(text.code == 1);
  CHECK_THAT(text.out, Contains("FAILED  3   log_det_numeric") && Contains("passed  1   round_trip"));
  // The log_det of doubling two elements, as given and as measured.
  CHECK_THAT(text.out, Contains("analytic") && Contains("-1.38629436") && Contains("1.38629436"));
  CHECK_THAT(text.err, Contains("[1/1] bijector/wrong_log_det, example default: ") && Contains("FAILED"));
  const std::size_t again = text.out.find("again: ");
  REQUIRE(again != std::string::npos);
  const std::string command = text.out.substr(again + 7, text.out.find('\n', again) - again - 7);
  CHECK_THAT(command, StartsWith("pushforward check ") && Contains("--component bijector/wrong_log_det") &&
                          Contains("--example default") && Contains("--check log_det_numeric"));
  const Outcome json = pushforward({"check", plugin, "--check", "log_det_numeric", "--format", "json"});
  CHECK(json.code == 1);
  const Json object = Json::parse(json.out);
  CHECK(object["passed"] == false);
  REQUIRE(!object["results"].empty());
  CHECK(object["results"][0]["status"] == "failed");
  CHECK(!object["results"][0]["worst"].empty());
}

TEST_CASE("check explains a wrong selection") {
  const auto refused = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "check");
    const Outcome outcome = pushforward(arguments);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  CHECK_THAT(refused({}), Contains("PLUGIN.so is missing; --all checks every component there is"));
  CHECK_THAT(refused({"a.so", "--all"}), Contains("either PLUGIN.so or --all"));
  CHECK_THAT(refused({"none.so"}), Contains("there is no plugin 'none.so'"));
  CHECK_THAT(refused({"--component", "affine"}), Contains("it must be KIND/NAME"));
  CHECK_THAT(refused({"--component", "transformer/afine"}), Contains("did you mean 'affine'?"));
  CHECK_THAT(refused({"--component", "transformer/affine", "--example", "softpuls"}),
             Contains("did you mean 'softplus'?"));
  CHECK_THAT(refused({"--all", "--check", "rond_trip"}), Contains("did you mean 'round_trip'?"));
}

}  // namespace
