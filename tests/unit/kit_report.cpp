// What the kit's report says of several results, beside what it says of each.
#include <catch2/catch.hpp>

#include "pushforward/testing/report.h"

namespace {

using namespace pushforward::testing;  // NOLINT
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

CheckResult result(int number, const char* check, Status status, std::vector<std::string> findings = {}) {
  CheckResult r;
  r.check = check;
  r.number = number;
  r.title = std::string("title of ") + check;
  r.subject = "bijector/one, example default";
  r.precision = "float64";
  r.status = status;
  r.findings = std::move(findings);
  r.command = std::string("pushforward check --check ") + check;
  return r;
}

std::size_t times(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size()) ++n;
  return n;
}

TEST_CASE("What fails every check is said once") {
  const std::vector<std::string> reason = {"it threw: there is no field 'shar'"};
  std::vector<CheckResult> results = {result(1, "round_trip", Status::failed, reason),
                                      result(3, "log_det_numeric", Status::failed, reason),
                                      result(9, "recording", Status::failed, {"it threw: something else"}),
                                      result(16, "checkpoint", Status::failed, reason)};
  const std::string text = to_text(results);
  CHECK(times(text, "no field 'shar'") == 2);  // the last one is not that of the failure before it
  CHECK_THAT(text, Contains("FAILED  3   log_det_numeric     float64  0 compared\n    as check 1 in float64 says\n"));
  CHECK_THAT(text, EndsWith("4 checks: 0 passed, 4 failed, 0 not applicable\n"
                            "failed: round_trip, log_det_numeric, recording, checkpoint\n"));

  results[1].subject = "bijector/one, example other";
  CHECK(times(to_text(results), "no field 'shar'") == 3);
}

TEST_CASE("Failures with numbers of their own are shown whole") {
  CheckResult wrong = result(1, "round_trip", Status::failed, {"the same sentence"});
  wrong.worst.push_back(
      {.where = "forward", .sample = 0, .entry = "x[0]", .analytic = 1, .numeric = 2, .difference = 1});
  const std::string text = to_text({wrong, wrong});
  CHECK(times(text, "the same sentence") == 2);
  CHECK(times(text, "again: ") == 2);
  CHECK(times(text, "failed: round_trip\n") == 1);
}

TEST_CASE("Nothing is added where nothing failed") {
  CHECK_THAT(to_text({result(1, "round_trip", Status::passed), result(7, "context_gradient", Status::not_applicable)}),
             EndsWith("2 checks: 1 passed, 0 failed, 1 not applicable\n"));
}

}  // namespace
