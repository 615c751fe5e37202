// `verify`: what a user sees of a run that can be trusted, of one that was tampered with, and of data that do not fit.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/safetensors.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;

const std::string kConfigs = PUSHFORWARD_SOURCE_DIR "/configs/";

/// Runs of three ready-made specs, the first in both precisions.
const TemporaryFolder& runs() {
  static const TemporaryFolder folder;
  static const bool fitted = [] {
    const auto fit = [](const char* spec, const char* run, std::vector<std::string> sets) {
      std::vector<std::string> words = {"fit", kConfigs + spec + ".yaml", "-o", run, "-q", "--no-plots"};
      for (const std::string& set : sets) words.insert(words.end(), {"--set", set});
      const Outcome outcome = pushforward(words, folder.path());
      if (outcome.code != 0) throw std::runtime_error(outcome.err);
    };
    fit("circles_coupling", "coupling", {"training.steps=600"});
    fit("circles_coupling", "double", {"training.steps=100", "precision=float64"});
    fit("circles", "circles", {"training.steps=300"});
    fit("conditional", "conditional", {});
    fit("eight_gaussians", "mixture", {"training.steps=50", "model={gaussian_mixture: {components: 8}}"});
    return true;
  }();
  REQUIRE(fitted);
  return folder;
}

Outcome verify(std::vector<std::string> words) {
  words.insert(words.begin(), "verify");
  return pushforward(words, runs().path());
}
Json verified(std::vector<std::string> words) {
  words.insert(words.end(), {"--format", "json"});
  return Json::parse(verify(words).out);
}
Json check_of(const Json& report, const std::string& name) {
  for (const Json& check : report["checks"])
    if (check["check"] == name) return check;
  throw std::logic_error("no check " + name);
}
std::vector<std::string> with(const Json& report, const char* verdict) {
  std::vector<std::string> names;
  for (const Json& check : report["checks"])
    if (check["verdict"] == verdict) names.push_back(check["check"]);
  return names;
}

TEST_CASE("A run that was trained well passes every check") {
  const Outcome text = verify({"coupling"});
  CAPTURE(text.out, text.err);
  CHECK(text.code == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out, Contains("rows, there and back") && Contains("does it fit the rows of test") &&
                           Contains("No numerical check failed"));
  for (const char* run : {"coupling", "double"}) {
    const Json report = verified({run});
    CAPTURE(run, report.dump(2));
    CHECK(report["passed"] == true);
    CHECK(report["rows_of"] == "test");
    CHECK(report["rows"] == 10000);
    CHECK(with(report, "failed").empty());
    CHECK(check_of(report, "rows, there and back")["numbers"]["quantile_99"].get<double>() <
          (std::string(run) == "double" ? 1e-12 : 1e-4));
    CHECK(check_of(report, "density integrates to 1")["verdict"] == "ok");
  }
  CHECK(with(verified({"double"}), "failed").empty());
  CHECK(with(verified({"coupling"}), "not_done").empty());
}

TEST_CASE("A flow that cannot know how two coordinates depend on each other is told so") {
  const Outcome outcome = verify({"circles"});
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("all elements together") && Contains("look") && Contains("couplings"));
  const Json report = verified({"circles"});
  CHECK(report["rows_of"] == "train");
  CHECK(check_of(report, "all elements together")["verdict"] == "look");
  CHECK(check_of(report, "fitted rows against others")["verdict"] == "not_done");
}

TEST_CASE("The same seed finds the same, and rows are capped") {
  CHECK(verify({"coupling", "--rows", "100"}).out == verify({"coupling", "--rows", "100", "--threads", "1"}).out);
  CHECK(verify({"coupling", "--rows", "100"}).out != verify({"coupling", "--rows", "100", "--seed", "9"}).out);
  CHECK(verified({"coupling", "--rows", "100"})["rows"] == 300);
  CHECK(verify({"coupling", "--rows", "0"}).code == 2);
}

/// A copy of a run with one number of one parameter changed.
void tamper(const char* run, const char* copy, float value) {
  auto file = ::pushforward::read_safetensors(runs() / (std::string(run) + "/checkpoint.safetensors"));
  for (auto& [name, tensor] : file.tensors)
    if (name.starts_with("model.") && name.ends_with("weight")) {
      const std::span<const float> old = tensor.elements<float>();
      std::vector<float> numbers(old.begin(), old.end());
      numbers[numbers.size() / 2] = value;
      tensor = ::pushforward::Tensor::of<float>(tensor.shape, numbers);
      ::pushforward::write_safetensors(runs() / copy, file);
      return;
    }
  throw std::logic_error("no weight");
}

TEST_CASE("A checkpoint that was tampered with fails, and the parameter is named") {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), 1e30f, -std::numeric_limits<float>::infinity()}) {
    tamper("coupling", "bad.safetensors", value);
    const Outcome outcome = verify({"bad.safetensors"});
    CAPTURE(value, outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.out, Contains("FAILED") && Contains("network.layers[0].weight is") && Contains("do not trust"));
    const Json report = verified({"bad.safetensors"});
    CHECK(report["passed"] == false);
    CHECK(with(report, "failed") == std::vector<std::string>{"parameters"});
  }
}

TEST_CASE("A parameter that was changed within what can be computed shows in the fit") {
  tamper("coupling", "bent.safetensors", 1e3f);
  const Json report = verified({"bent.safetensors"});
  CAPTURE(report.dump(2));
  CHECK(check_of(report, "parameters")["verdict"] == "ok");
  CHECK(check_of(report, "each element")["verdict"] == "look");
}

TEST_CASE("A conditional run is verified at the classes of its rows") {
  const Json report = verified({"conditional"});
  CAPTURE(report.dump(2));
  CHECK(report["passed"] == true);
  CHECK(with(report, "look").empty());
  const Json file = verified({"conditional", kConfigs + "data/wine.csv"});
  CHECK(file["passed"] == true);
  CHECK(file["rows_of"] == "data");
  CHECK(file["rows"] == 178 + 142);
}

TEST_CASE("A mixture gets the checks that make sense") {
  const Outcome text = verify({"mixture"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("no flow"));
  const Json report = verified({"mixture"});
  CHECK(check_of(report, "map to the base")["verdict"] == "not_done");
  CHECK(check_of(report, "density of samples")["verdict"] == "ok");
  CHECK(check_of(report, "density integrates to 1")["verdict"] == "ok");
}

TEST_CASE("Rows of a file: one alone, and some far outside") {
  runs().write("one.csv", "x0,x1\n0.3,-0.8\n");
  const Json one = verified({"coupling", "one.csv"});
  CAPTURE(one.dump(2));
  CHECK(one["passed"] == true);
  CHECK(check_of(one, "each element")["verdict"] == "not_done");

  std::string text = "x0,x1\n";
  for (int i = 0; i < 30; ++i) text += "1000," + std::to_string(i) + "\n";
  runs().write("far.csv", text);
  const Outcome far = verify({"coupling", "far.csv"});
  CHECK(far.code == 0);
  CHECK_THAT(far.out, Contains("rows in the tails") && Contains("outliers"));
  CHECK(check_of(verified({"coupling", "far.csv"}), "beyond the splines, data")["verdict"] == "look");
}

TEST_CASE("The rows that a run was fitted to need not be there any more") {
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  REQUIRE(pushforward({"fit", "spec.yaml", "-o", "run", "-q", "--no-plots"}, folder.path()).code == 0);
  std::filesystem::rename(folder / "points.csv", folder / "moved.csv");
  CHECK(pushforward({"verify", "run"}, folder.path()).code == 2);
  const Outcome outcome = pushforward({"verify", "run", "moved.csv"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains("without the rows that the run was fitted to"));
  CHECK(pushforward({"verify", "run", "moved.csv", "--quiet"}, folder.path()).err.empty());
  const Outcome own = pushforward({"verify", "run", "moved.csv", "-o", "moved.csv"}, folder.path());
  CHECK(own.code == 2);
}

}  // namespace
