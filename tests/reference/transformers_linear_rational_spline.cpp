#include "../../plugins/transformers/linear_rational_spline.cpp"

#include "reference/transformer_cases.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("linear_rational_spline agrees with FlowTorch and Pyro, by hand and derived") {
  for (const char* kernel : {"simd", "derived"})
    check_cases(kComponents[0], {"widths", "heights", "derivatives", "lambdas"}, 3,
                [&](const std::string& name, const Json& config) -> std::optional<Fields> {
                  if (name != "linear_rational_spline") return {};
                  return Fields{{"bins", std::to_string(config["bins"].get<int>())},
                                {"bound", number_text(config["bound"])},
                                {"kernel", kernel}};
                });
}

TEST_CASE("linear_rational_spline refuses minima that leave no room") {
  CHECK_THROWS_WITH(make_transformer<double>(kComponents[0], {{"bins", "8"}, {"minimum_width", "0.2"}}),
                    "minimum_width: times the bins must be less than 1");
  CHECK_THROWS_WITH(make_transformer<double>(kComponents[0], {{"boundary_derivative", "1e-4"}}),
                    "boundary_derivative: must be larger than minimum_derivative");
}
