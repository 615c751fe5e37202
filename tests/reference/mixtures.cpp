// Mixtures' log_prob and its gradient against values of scipy and PyTorch.
#include <catch2/catch.hpp>

#include "support/reference.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kAllowed = 1e-9;

/// The numbers of a list of lists, one after another.
Json flat(const Json& lists) {
  Json all = Json::array();
  for (const Json& line : lists)
    for (const Json& n : line) all.push_back(n);
  return all;
}

Json weights(const Json& logits) {
  Json all = Json::array();
  for (const Json& l : logits) all.push_back(std::exp(number(l)));
  return all;
}

/// Lower triangle, row by row.
Json triangle(const Json& factor) {
  Json all = Json::array();
  for (std::size_t i = 0; i < factor.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) all.push_back(factor[i][j]);
  return all;
}

template <class Yaml>
void check_cases(const std::string& name, Yaml&& yaml) {
  const Json cases = Json::parse(reference_text("mixtures.json"))["cases"];
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
    CHECK(distance(response.x, array(c["d_log_prob_dx"])) < kAllowed);
  }
  CHECK(seen == 3);
}

std::string gaussian_mixture(std::size_t components, const std::string& covariance, const Json& weights,
                             const Json& means, const Json& scales, bool learnable) {
  return "gaussian_mixture: {components: " + std::to_string(components) + ", covariance: " + covariance +
         ", weights: " + weights.dump() + ", means: " + means.dump() + ", scales: " + scales.dump() +
         ", learnable: " + (learnable ? "true" : "false") + "}";
}

}  // namespace

TEST_CASE("a mixture of diagonal normals agrees with scipy") {
  for (const bool learnable : {true, false})
    check_cases("gaussian_mixture", [&](const Json& p) {
      return gaussian_mixture(p["logits"].size(), "diagonal", weights(p["logits"]), flat(p["loc"]), flat(p["scale"]),
                              learnable);
    });
}

TEST_CASE("a mixture whose parts are distributions of their own agrees with scipy") {
  check_cases("gaussian_mixture", [](const Json& p) {
    std::string parts;
    for (std::size_t k = 0; k < p["loc"].size(); ++k)
      parts += (k ? ", " : "") + ("{normal: {mean: " + p["loc"][k].dump()) + ", scale: " + p["scale"][k].dump() + "}}";
    return "mixture: {parts: [" + parts + "], weights: " + weights(p["logits"]).dump() + "}";
  });
}

TEST_CASE("a component with any covariance matrix agrees with scipy, and so do many that are alike") {
  for (const char* covariance : {"full", "tied"})
    for (const std::size_t alike : {1, 3})
      check_cases("multivariate_normal", [&](const Json& p) {
        Json means = Json::array(), factors = Json::array(), weights = Json::array();
        for (std::size_t k = 0; k < alike; ++k) {
          weights.push_back(0.5 + static_cast<double>(k));
          for (const Json& m : p["loc"]) means.push_back(m);
          if (k > 0 && std::string(covariance) == "tied") continue;
          for (const Json& l : triangle(p["scale_tril"])) factors.push_back(l);
        }
        return gaussian_mixture(alike, covariance, weights, means, factors, true);
      });
}
