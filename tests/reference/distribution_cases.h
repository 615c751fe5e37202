// Cases of distributions with log_prob, its gradient and that of the parameters, compared with a component.
#pragma once

#include <catch2/catch.hpp>

#include "support/reference.h"

namespace pushforward::test {

inline std::vector<double> numbers_in(const Json& j) {
  return j.is_array() ? j.get<std::vector<double>>() : std::vector<double>{j.get<double>()};
}

/// A field of the component, the parameter of a case that it takes, and whether it learns a logarithm.
struct FieldOfCase {
  const char* field;
  const char* parameter;
  bool positive = false;
  bool learnable = true;
  /// The field's numbers in the parameter, and its derivatives in the parameter's derivatives.
  std::vector<double> (*read)(const Json&) = numbers_in;
};

constexpr double kCaseAllowed = 1e-9;

inline std::string yaml_of(const std::string& name, const std::vector<FieldOfCase>& fields, const Json& parameters) {
  std::string yaml;
  for (const FieldOfCase& f : fields) {
    const std::string at = Json(f.read(parameters[f.parameter])).dump();
    yaml += (yaml.empty() ? "" : ", ") + std::string(f.field) + ": " + (f.learnable ? "{learnable: " + at + "}" : at);
  }
  return name + ": {" + yaml + "}";
}

/// Derivatives of one parameter as the component holds it.
inline void check_parameter(const Runner& runner, const Response& response, const FieldOfCase& f, const Json& c) {
  CAPTURE(f.field);
  const std::vector<double> at = f.read(c["parameters"][f.parameter]);
  std::vector<double> expected = f.read(c["d_sum_log_prob_dparameters"][f.parameter]);
  if (f.positive)
    for (std::size_t j = 0; j < at.size(); ++j) expected[j] *= at[j];
  const Parameter& handle = parameter(runner, f.field).handle;
  const auto first = response.parameters.begin() + handle.offset;
  CHECK(distance(std::vector<double>(first, first + handle.size()), expected) < kCaseAllowed);
}

inline void check_case(const std::string& component, const std::vector<FieldOfCase>& fields, const Json& c) {
  CAPTURE(c["name"].get<std::string>());
  const Array y = array(c["x"]);
  const auto runner = make_runner("distribution", yaml_of(component, fields, c["parameters"]), around(y.columns));
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = y;
  r.rows = y.rows;
  r.cotangents = {Array(y.rows, 1, 1)};
  const Response response = runner->run(r);
  CHECK(distance(response.outputs[0], array(c["log_prob"])) < kCaseAllowed);
  if (c.contains("d_log_prob_dx")) CHECK(distance(response.x, array(c["d_log_prob_dx"])) < kCaseAllowed);
  for (const FieldOfCase& f : fields)
    if (f.learnable) check_parameter(*runner, response, f, c);
}

/// The three cases of a file that `name` names, with a component of this or another name.
inline void check_cases(const std::string& file, const std::string& name, const std::vector<FieldOfCase>& fields,
                        const std::string& component) {
  const Json cases = Json::parse(reference_text(file))["cases"];
  std::size_t seen = 0;
  for (const Json& c : cases) {
    if (c["distribution"] != name) continue;
    ++seen;
    check_case(component, fields, c);
  }
  CHECK(seen == 3);
}
inline void check_cases(const std::string& file, const std::string& name, const std::vector<FieldOfCase>& fields) {
  check_cases(file, name, fields, name);
}

}  // namespace pushforward::test
