// `pushforward check` on plugins that break their promises, its selection, its output and its threads.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "pushforward/testing/tolerances.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;
namespace testing = ::pushforward::testing;

const std::string kFaulty = PUSHFORWARD_BINARY_DIR "/wrong_plugin/faulty.so";
const std::string kDeadly = PUSHFORWARD_BINARY_DIR "/wrong_plugin/deadly.so";
const std::string kAffine = PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins/transformers_affine.so";

/// Names of the checks of one component that failed.
std::set<std::string> failed_checks(const Json& report, const std::string& component) {
  std::set<std::string> names;
  for (const Json& result : report["results"])
    if (result["status"] == "failed" && result["subject"].get<std::string>().starts_with("bijector/" + component + ","))
      names.insert(result["check"].get<std::string>());
  return names;
}

TEST_CASE("whatever a plugin does, check reports each of its components by name and ends with 1") {
  const Outcome text = pushforward({"check", kFaulty});
  INFO(text.err);
  CHECK(text.code == 1);
  for (const auto& [component, message] : std::map<std::string, std::string>{
           {"faulty_factory", "the factory gives up"},
           {"faulty_forward", "it threw: forward gives up"},
           {"faulty_number", "it threw: something that is no std::exception"},
           {"faulty_vjp", "it threw: the vjp gives up"},
           {"faulty_shape", "forward: value is 64 x 2, but must be 64 x 3"},
           {"faulty_nan", " of sample 0 is nan"},
           {"faulty_allocates", "1 heap allocations, after the same call was made 3 times"},
           {"faulty_example", "the example cannot be read: "},
           {"faulty_silence", "the component has no example"}}) {
    CAPTURE(component);
    CHECK_THAT(text.err, Contains("bijector/" + component + ", example "));
    CHECK_THAT(text.out, Contains("bijector/" + component + ", example ") && Contains(message));
  }
  CHECK_THAT(text.err, Contains("[9/9] ") && !Contains("passed"));
}

TEST_CASE("a fault fails the checks that it concerns, and no other") {
  const Outcome outcome = pushforward({"check", kFaulty, "--format", "json"});
  const Json report = Json::parse(outcome.out);
  CHECK(report["passed"] == false);
  CHECK(report["checks"] == report["results"].size());
  CHECK(failed_checks(report, "faulty_allocates") == std::set<std::string>{"allocations"});
  CHECK(failed_checks(report, "faulty_example") == std::set<std::string>{"fields"});
  CHECK(failed_checks(report, "faulty_silence") == std::set<std::string>{"fields"});
  const std::set<std::string> vjp = failed_checks(report, "faulty_vjp");
  CHECK(vjp.count("input_gradient") == 1);
  CHECK(vjp.count("recording") == 0);
}

TEST_CASE("what ends its process, or changes what is the whole program's, is a failed check of its component alone") {
  const Outcome outcome = pushforward({"check", kDeadly, "--timeout", "5", "--format", "json"});
  INFO(outcome.err);
  CHECK(outcome.code == 1);
  const Json report = Json::parse(outcome.out);
  const auto finding = [&](const std::string& component) {
    const std::string subject = "bijector/" + component + ", example default";
    CHECK_THAT(outcome.err, Contains(subject));
    for (const Json& result : report["results"])
      if (result["subject"] == subject && result["status"] == "failed")
        return result["check"].get<std::string>() + ": " + result["findings"][0].get<std::string>();
    return std::string();
  };
  const std::string first = ", in the check round_trip (float64); the checks behind it were not made";
  CHECK(finding("deadly_aborts") == "round_trip: the process was ended by signal 6 (Aborted)" + first);
  CHECK(finding("deadly_exits") == "round_trip: the process ended itself with exit code 0" + first);
  CHECK(finding("deadly_segmentation") ==
        "round_trip: the process was ended by signal 11 (Segmentation fault)" + first);
  CHECK_THAT(finding("deadly_recursion"),
             Catch::Matchers::StartsWith("round_trip: the process ") && Catch::Matchers::EndsWith(first));
  CHECK(finding("deadly_endless") ==
        "round_trip: the process was ended because it was silent for longer than --timeout allows" + first);
  CHECK_THAT(finding("deadly_at_exit"),
             Catch::Matchers::StartsWith("fields: the process was ended by signal 7 (Bus error), after the check "));
  CHECK(finding("deadly_rounds") ==
        "round_trip: the component changed the rounding mode, which is the whole program's; put it back before "
        "returning");
  CHECK(finding("deadly_prints").empty());
  CHECK_THAT(outcome.err, Contains("{ this is no result"));
  CHECK_THAT(finding("deadly_bytes"), Contains("bytes that are no text: \uFFFD\uFFFD, and \\x1b[31m"));
}

TEST_CASE("a plugin that ends a fit, or throws what is no exception, makes it fail") {
  const TemporaryFolder folder;
  folder.write("exits.yaml",
               "data: {source: {csv: {text: \"x,y,z\\n1,0,1\\n2,1,0\\n\"}}}\n"
               "model: {base: normal, bijectors: [deadly_exits]}\ntraining: {steps: 2}\n");
  const auto fit = [&](const std::string& set) {
    return pushforward(
        {"fit", "exits.yaml", "-q", "--plugin-path", PUSHFORWARD_BINARY_DIR "/wrong_plugin", "--set", set},
        folder.path());
  };
  const Outcome exits = fit("seed=1");
  CHECK(exits.code == 1);
  CHECK(exits.out.empty());
  CHECK(exits.err == "pushforward: error: a plugin ended the program by calling exit\n");
  const Outcome number = fit("model.bijectors=[faulty_number]");
  CHECK(number.code == 1);
  CHECK(number.err ==
        "pushforward: error: a plugin threw something that is no std::exception, so nothing more is known\n");
}

TEST_CASE("processes change nothing of the results") {
  const std::vector<std::string> isolated = {"check", kFaulty, "--threads", "2"};
  std::vector<std::string> together = isolated;
  together.emplace_back("--in-process");
  CHECK(pushforward(isolated).out == pushforward(together).out);
  const Outcome crash = pushforward({"check", kDeadly, "--component", "bijector/deadly_aborts", "--in-process"});
  CHECK(crash.code == 128 + SIGABRT);
  const Outcome both = pushforward({"check", kDeadly, "--in-process", "--timeout", "3"});
  CHECK(both.code == 2);
  CHECK_THAT(both.err, Contains("option '--timeout' ends a process; it cannot be given with '--in-process'"));
}

TEST_CASE("the command of a failure names the plugin, so that it repeats it") {
  const Outcome text = pushforward({"check", kFaulty, "--component", "bijector/faulty_allocates"});
  const std::size_t again = text.out.find("again: pushforward ");
  REQUIRE(again != std::string::npos);
  std::istringstream words(text.out.substr(again + 19, text.out.find('\n', again) - again - 19));
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  const Outcome repeated = pushforward(arguments);
  CHECK(repeated.code == 1);
  CHECK_THAT(repeated.out, Contains("FAILED  27  allocations") && Contains("checks: 0 passed, 2 failed"));
}

TEST_CASE("failures can be shown alone, and all checks are counted") {
  const std::vector<std::string> arguments = {"check", kFaulty, "--component", "bijector/faulty_allocates"};
  std::vector<std::string> alone = arguments;
  alone.emplace_back("--failures");
  const std::string whole = pushforward(arguments).out, failures = pushforward(alone).out;
  CHECK_THAT(whole, Contains("\n  passed "));
  CHECK_THAT(failures, !Contains("\n  passed ") && !Contains("\n  n/a ") && Contains("\n  FAILED  27  allocations"));
  const std::string end = whole.substr(whole.rfind("\n", whole.find(" checks: ")));
  CHECK_THAT(end, Contains(" failed, ") && Catch::Matchers::EndsWith("\nfailed: allocations\n"));
  CHECK_THAT(failures, Catch::Matchers::EndsWith(end));
  CHECK_THAT(
      pushforward({"check", kAffine, "--failures"}).out,
      Catch::Matchers::StartsWith(
          std::to_string(Json::parse(pushforward({"check", kAffine, "--format", "json"}).out)["checks"].get<int>()) +
          " checks: "));
}

TEST_CASE("results do not depend on the number of threads, and hold no colours outside of a terminal") {
  const Outcome one = pushforward({"check", kAffine, "--threads", "1"}),
                four = pushforward({"check", kAffine, "--threads", "4"});
  CHECK(one.code == 0);
  CHECK(one.out == four.out);
  CHECK(one.out.find('\033') == std::string::npos);
  CHECK_THAT(one.out, Contains(" checks: ") && Contains(" passed, 0 failed, "));
}

/// `1e-10`, as the table writes it.
std::string written(double tolerance) {
  if (tolerance == testing::kNotDone) return "-";
  char text[32];
  std::snprintf(text, sizeof text, tolerance > 0 && tolerance < 1 ? "%.0e" : "%g", tolerance);
  std::string number = text;
  if (const std::size_t zero = number.find("e-0"); zero != std::string::npos) number.erase(zero + 2, 1);
  return number;
}

TEST_CASE("the table of the documentation is the table of the code") {
  std::ifstream in(PUSHFORWARD_SOURCE_DIR "/docs/conformance.md");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto both = [](double plain, double iterative) {
    return plain == iterative ? written(plain) : written(plain) + "; " + written(iterative);
  };
  for (const testing::CheckInfo& info : testing::kChecks) {
    CAPTURE(info.id);
    const std::size_t begin = text.find("| " + std::to_string(info.number) + " | `" + info.id + "` | ");
    REQUIRE(begin != std::string::npos);
    CHECK_THAT(text.substr(begin, text.find('\n', begin) - begin),
               Catch::Matchers::EndsWith(" | " + both(info.float64, info.iterative64) + " | " +
                                         both(info.float32, info.iterative32) + " |"));
  }
}

}  // namespace
