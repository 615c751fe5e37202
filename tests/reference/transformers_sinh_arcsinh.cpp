#include "../../plugins/transformers/sinh_arcsinh.cpp"

#include "reference/transformer_cases.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("sinh_arcsinh agrees with values to 50 digits") {
  check_cases(kComponents[0], {"skewness", "log_tailweight"}, 3,
              [](const std::string& name, const Json&) -> std::optional<Fields> {
                if (name == "sinh_arcsinh") return Fields{};
                return {};
              });
}
