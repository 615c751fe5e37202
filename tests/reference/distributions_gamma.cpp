// Distributions with Gamma and Bessel functions: log_prob, its gradient and that of the parameters, against values to
// 50 digits, also 40 scales away from the centre.
#include <catch2/catch.hpp>

#include "support/reference.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kAllowed = 1e-9;

/// A field of the component, the parameter of a case that it takes, and whether it learns a logarithm.
struct FieldOfCase {
  const char* field;
  const char* parameter;
  bool positive;
};

std::string learnable(const std::string& name, const std::vector<FieldOfCase>& fields, const Json& parameters) {
  std::string yaml;
  for (const FieldOfCase& f : fields)
    yaml += (yaml.empty() ? "" : ", ") + std::string(f.field) + ": {learnable: " + parameters[f.parameter].dump() + "}";
  return name + ": {" + yaml + "}";
}

std::vector<double> numbers(const Json& j) {
  return j.is_array() ? j.get<std::vector<double>>() : std::vector<double>{j.get<double>()};
}

/// Derivatives of one parameter as the component holds it.
void check_parameter(const Runner& runner, const Response& response, const FieldOfCase& f, const Json& c) {
  CAPTURE(f.field);
  const std::vector<double> at = numbers(c["parameters"][f.parameter]);
  std::vector<double> expected = numbers(c["d_sum_log_prob_dparameters"][f.parameter]);
  if (f.positive)
    for (std::size_t j = 0; j < at.size(); ++j) expected[j] *= at[j];
  const Parameter& handle = parameter(runner, f.field).handle;
  const auto first = response.parameters.begin() + handle.offset;
  CHECK(distance(std::vector<double>(first, first + handle.size()), expected) < kAllowed);
}

void check_case(const std::string& name, const std::vector<FieldOfCase>& fields, const Json& c) {
  CAPTURE(c["name"].get<std::string>());
  const Array y = array(c["x"]);
  const auto runner = make_runner("distribution", learnable(name, fields, c["parameters"]), around(y.columns));
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = y;
  r.rows = y.rows;
  r.cotangents = {Array(y.rows, 1, 1)};
  const Response response = runner->run(r);
  CHECK(distance(response.outputs[0], array(c["log_prob"])) < kAllowed);
  if (c.contains("d_log_prob_dx")) CHECK(distance(response.x, array(c["d_log_prob_dx"])) < kAllowed);
  for (const FieldOfCase& f : fields) check_parameter(*runner, response, f, c);
}

void check_cases(const std::string& name, const std::vector<FieldOfCase>& fields) {
  const Json cases = Json::parse(reference_text("distributions_gamma.json"))["cases"];
  std::size_t seen = 0;
  for (const Json& c : cases) {
    if (c["distribution"] != name) continue;
    ++seen;
    check_case(name, fields, c);
  }
  CHECK(seen == 3);
}

}  // namespace

TEST_CASE("student_t agrees with values to 50 digits") {
  check_cases("student_t", {{"degrees_of_freedom", "df", true}, {"location", "loc", false}, {"scale", "scale", true}});
}

TEST_CASE("generalized_normal agrees with values to 50 digits") {
  check_cases("generalized_normal", {{"power", "shape", true}, {"location", "loc", false}, {"scale", "scale", true}});
}

TEST_CASE("gamma agrees with values to 50 digits") {
  check_cases("gamma", {{"concentration", "shape", true}, {"rate", "rate", true}});
}

TEST_CASE("beta agrees with values to 50 digits") {
  check_cases("beta", {{"concentration1", "alpha", true}, {"concentration0", "beta", true}});
}

TEST_CASE("dirichlet agrees with values to 50 digits") {
  check_cases("dirichlet", {{"concentration", "concentration", true}});
}

TEST_CASE("von_mises agrees with values to 50 digits") {
  check_cases("von_mises", {{"location", "loc", false}, {"concentration", "concentration", true}});
}
