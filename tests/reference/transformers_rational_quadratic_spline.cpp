#include "../../plugins/transformers/rational_quadratic_spline.cpp"

#include "reference/transformer_cases.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("rational_quadratic_spline agrees with every library, by hand and derived") {
  for (const char* kernel : {"simd", "derived"})
    check_cases(kComponents[0], {"widths", "heights", "derivatives"}, 18,
                [&](const std::string& name, const Json& config) -> std::optional<Fields> {
                  Fields fields{{"kernel", kernel}};
                  const auto add = [&](Fields more) { fields.merge(more); };
                  if (name == "rational_quadratic_spline_flowtorch")
                    add({{"boundary_derivative", number_text(config["boundary_derivative"])}});
                  else if (name == "rational_quadratic_spline_zuko")
                    add({{"constraint", "soft_clip"}});
                  else if (name == "rational_quadratic_spline_unit")
                    add({{"interval", "[0, 1]"}, {"tails", "none"}});
                  else if (name == "circular_rational_quadratic_spline")
                    add({{"tails", "circular"}});
                  else if (name == "circular_shift_rational_quadratic_spline")
                    add({{"constraint", "soft_clip"}, {"half_turn", "true"}});
                  else if (name != "rational_quadratic_spline_nflows")
                    return {};
                  add({{"bins", std::to_string(config["bins"].get<int>())}});
                  for (const char* bound : {"bound", "tail_bound"})
                    if (config.contains(bound)) add({{"bound", number_text(config[bound])}});
                  return fields;
                });
}

TEST_CASE("rational_quadratic_spline refuses minima that leave no room, and a wrong interval") {
  CHECK_THROWS_WITH(make_transformer<double>(kComponents[0], {{"minimum_height", "0.2"}}),
                    "minimum_height: times the bins must be less than 1");
  CHECK_THROWS_WITH(make_transformer<double>(kComponents[0], {{"interval", "[1, 0]"}}),
                    "interval: must be two numbers, the smaller one first, such as [0, 1]");
}

TEST_CASE("a circular spline repeats") {
  const auto map = make_transformer<double>(kComponents[0], {{"bound", "2"}, {"tails", "circular"}});
  std::vector<double> theta;
  for (Index k = 0; k < map->parameters(); ++k) theta.push_back(std::sin(3.0 * static_cast<double>(k)));
  const Result once = evaluate(*map, {-1.5, 0.25, 1.75}, 1, theta, Form::rows, false);
  const Result later = evaluate(*map, {6.5, 8.25, -6.25}, 1, theta, Form::prepared, false);
  CHECK(largest_difference({once.value[0] + 8, once.value[1] + 8, once.value[2] - 8}, later.value) < 1e-14);
  CHECK(largest_difference(once.log_det, later.log_det) < 1e-14);
}
