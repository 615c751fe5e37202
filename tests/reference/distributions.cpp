// log_prob and its gradient against values to 50 digits, also 40 scales away from the centre.
#include <catch2/catch.hpp>

#include "support/reference.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kAllowed = 1e-9;

std::string list(const Json& numbers) { return numbers.dump(); }

/// The cases of one distribution; `yaml` makes the component from a case's parameters.
template <class Yaml>
void check_cases(const std::string& name, std::size_t expected_cases, Yaml&& yaml) {
  const Json cases = Json::parse(reference_text("distributions.json"))["cases"];
  std::size_t seen = 0;
  for (const Json& c : cases) {
    if (c["distribution"] != name) continue;
    ++seen;
    CAPTURE(c["name"].get<std::string>());
    const Array y = array(c["x"]);
    const auto runner = make_runner("distribution", yaml(c["parameters"]), around(y.columns));
    Request r;
    r.function = function_index(*runner, "log_prob");
    r.x = y;
    r.rows = y.rows;
    r.cotangents = {Array(y.rows, 1, 1)};
    const Response response = runner->run(r);
    CHECK(distance(response.outputs[0], array(c["log_prob"])) < kAllowed);
    const Array score = c.contains("d_log_prob_dx") ? array(c["d_log_prob_dx"]) : Array(y.rows, y.columns);
    CHECK(distance(response.x, score) < kAllowed);
  }
  CHECK(seen == expected_cases);
}

}  // namespace

TEST_CASE("normal agrees with values to 50 digits") {
  for (const char* name : {"normal", "diagonal_normal"})
    check_cases(name, 3, [](const Json& p) {
      return "normal: {mean: " + list(p["loc"]) + ", scale: " + list(p["scale"]) + "}";
    });
}

TEST_CASE("uniform agrees with values to 50 digits, and its score is zero") {
  check_cases("uniform", 3,
              [](const Json& p) { return "uniform: {low: " + list(p["lower"]) + ", high: " + list(p["upper"]) + "}"; });
}
