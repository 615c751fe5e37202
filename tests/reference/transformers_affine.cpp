#include "../../plugins/transformers/affine.cpp"

#include "reference/transformer_cases.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("affine agrees with zuko, nflows, normflows and FlowTorch") {
  check_cases(kComponents[0], {"shift", "scale"}, 20, [](const std::string& name, const Json&) -> std::optional<Fields> {
    if (name == "affine_zuko") return Fields{{"scale", "soft_clip"}};
    if (name == "affine_softplus") return Fields{{"scale", "softplus"}};
    if (name == "affine_sigmoid") return Fields{{"scale", "sigmoid"}, {"offset", "2"}};
    if (name == "affine_exp_normflows") return Fields{{"scale", "exp"}};
    if (name == "affine_sigmoid_normflows") return Fields{{"scale", "inverse_sigmoid"}, {"offset", "2"}};
    if (name == "affine_sigmoid_inv_normflows")
      return Fields{{"scale", "sigmoid"}, {"offset", "2"}, {"minimum_scale", "0"}};
    if (name == "affine_clipped") return Fields{{"scale", "clipped"}};
    return {};
  });
}

TEST_CASE("affine at its identity is the identity, or near it where a sigmoid cannot reach 1") {
  for (const char* scale : {"exp", "soft_clip", "softplus", "sigmoid", "inverse_sigmoid", "clipped"}) {
    CAPTURE(scale);
    const auto map = make_transformer<double>(kComponents[0], {{"scale", scale}});
    std::vector<double> theta(2);
    map->identity(theta);
    const Result r = evaluate(*map, {-2, 0.5, 30}, 1, theta, Form::rows, false);
    const double allowed = std::string(scale) == "inverse_sigmoid" ? 1e-3 : 1e-14;
    CHECK(largest_difference(r.value, {-2, 0.5, 30}) < allowed);
  }
}

TEST_CASE("affine keeps a finite log_det for scales beyond float32") {
  const auto map = make_transformer<float>(kComponents[0]);
  const Result r = evaluate(*map, {0.5}, 1, {0, 1000}, Form::rows, false);
  CHECK(r.log_det[0] == 1000);
}

TEST_CASE("affine refuses a range of log scales without the identity") {
  CHECK_THROWS_WITH(make_transformer<double>(kComponents[0], {{"scale", "clipped"}, {"log_scale_min", "1"}}),
                    "log_scale_min: must leave room for the identity, log scale 0");
}
