#include "../../plugins/transformers/power_transforms.cpp"
#include "reference/transformer_cases.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("box_cox and yeo_johnson agree with values to 50 digits") {
  for (const ComponentInfo& info : kComponents)
    check_cases(info, {"lambda"}, 4, [&](const std::string& name, const Json&) -> std::optional<Fields> {
      if (name == info.name) return Fields{};
      return {};
    });
}
