// Compares a transformer with every case of data/transformers.json that stands for it: values, log_dets, inverses and
// gradients, in all forms of theta.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/transformers.h"

namespace pushforward::test {

using Json = nlohmann::json;
/// The fields that give a case's parametrisation; none if the case belongs to another transformer.
using FieldsOf = std::function<std::optional<Fields>(const std::string& transformer, const Json& config)>;

inline std::string number_text(const Json& number) {
  std::ostringstream out;
  out.precision(17);
  out << number.get<double>();
  return out.str();
}

inline std::vector<double> numbers(const Json& list) {
  std::vector<double> v;
  for (const Json& x : list) v.push_back(x.is_string() ? std::strtod(x.get<std::string>().c_str(), nullptr) : x.get<double>());
  return v;
}

/// `order`: the names of the parameters, in the transformer's order.
inline std::vector<double> raw_numbers(const Json& by_name, const std::vector<std::string>& order) {
  std::vector<double> v;
  for (const std::string& name : order)
    if (by_name.contains(name))
      for (double x : numbers(by_name[name])) v.push_back(x);
  return v;
}

inline void check_cases(const ComponentInfo& info, const std::vector<std::string>& order, std::size_t expected_cases,
                        const FieldsOf& fields_of) {
  constexpr double kAllowed = 1e-9;
  std::ifstream in(PUSHFORWARD_SOURCE_DIR "/tests/reference/data/transformers.json");
  REQUIRE(in.good());
  const Json cases = Json::parse(in)["cases"];
  std::size_t seen = 0;
  for (const Json& c : cases) {
    const std::optional<Fields> fields = fields_of(c["transformer"], c["config"]);
    if (!fields) continue;
    ++seen;
    const auto map = make_transformer<double>(info, *fields);
    const std::vector<double> theta = raw_numbers(c["parameters"], order);
    REQUIRE(static_cast<Index>(theta.size()) == map->parameters());
    const std::vector<double> x = numbers(c["x"]), y = numbers(c["y"]);
    for (const Form form : kForms) {
      CAPTURE(c["name"].get<std::string>(), static_cast<int>(form));
      const Result forward = evaluate(*map, x, 1, theta, form, false);
      CHECK(largest_difference(forward.value, y) < kAllowed);
      CHECK(largest_difference(forward.log_det, numbers(c["log_det"])) < kAllowed);
      const Json inverse = c.value("inverse", Json::object());
      const Result back = evaluate(*map, inverse.empty() ? y : numbers(inverse["y"]), 1, theta, form, true);
      CHECK(largest_difference(back.value, inverse.empty() ? x : numbers(inverse["x"])) < kAllowed);
      if (inverse.contains("log_det")) CHECK(largest_difference(back.log_det, numbers(inverse["log_det"])) < kAllowed);
      if (!c.contains("gradient")) continue;
      const Json& g = c["gradient"];
      const Result gradient = evaluate(*map, numbers(g["x"]), 1, theta, form, false, numbers(g["cotangent_y"]),
                                       numbers(g["cotangent_log_det"]));
      CHECK(largest_difference(gradient.g_x, numbers(g["dx"])) < kAllowed);
      CHECK(largest_difference(gradient.g_theta, raw_numbers(g["dparameters"], order)) < kAllowed);
    }
  }
  CHECK(seen == expected_cases);
}

}  // namespace pushforward::test
