// Rows that a model cannot produce have the density zero, whatever its maps make of them.
#include <limits>

#include "support/experiments.h"
#include "support/models.h"

using namespace pushforward::test;  // NOLINT
using namespace pushforward;        // NOLINT

TEMPLATE_TEST_CASE("outside of a flow's support the log-density is minus infinity", "", float, double) {
  using T = TestType;
  Surroundings around;
  around.event_shape = {2};
  Model<T> model = make_model<T>(
      built_plugins(),
      "flow: {base: {uniform: {low: 0, high: 1}}, bijectors: [{elementwise: {maps: data_to_base, transformer: "
      "{rational_quadratic_spline: {interval: [0, 1], tails: none}}}}]}",
      around);
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  const T rows[][2] = {{T(0.5), T(0.25)}, {T(0.5), T(1.5)}, {T(-0.1), T(0.5)}, {T(0), T(1)}, {kNaN, T(0.5)}};
  Matrix<T> data(5, 2);
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 2; ++j) data(i, j) = rows[i][j];
  Engine<T> engine(model, {});
  std::vector<double> log_prob(5);
  engine.log_prob({.data = data, .context = {}, .weights = {}, .count = 5}, log_prob);
  CHECK(std::abs(log_prob[0]) < 1e-5);  // a spline at its start is the identity
  CHECK(log_prob[1] == -std::numeric_limits<double>::infinity());
  CHECK(log_prob[2] == -std::numeric_limits<double>::infinity());
  CHECK(std::abs(log_prob[3]) < 1e-5);
  CHECK(std::isnan(log_prob[4]));
}

TEMPLATE_TEST_CASE("a row outside of the image of a map within a chain has the density zero", "", float, double) {
  using T = TestType;
  Surroundings around;
  around.event_shape = {2};
  // exp(x) is positive, and what follows it maps the whole line onto itself.
  Model<T> model = make_model<T>(
      built_plugins(), "flow: {base: normal, bijectors: [exp, {invert: {bijector: affine}}, affine]}", around);
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  const T rows[][2] = {{T(0.5), T(0.25)}, {T(0.5), T(-1.5)}, {T(-0.1), T(0.5)}, {kNaN, T(0.5)}, {kNaN, T(-1)}};
  Matrix<T> data(5, 2);
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 2; ++j) data(i, j) = rows[i][j];
  Engine<T> engine(model, {});
  std::vector<double> log_prob(5);
  engine.log_prob({.data = data, .context = {}, .weights = {}, .count = 5}, log_prob);
  // All affine maps start as the identity: two log-normal elements.
  const auto log_normal = [](double y) { return -0.5 * std::log(y) * std::log(y) - std::log(y) - 0.918938533204673; };
  CHECK(log_prob[0] == Approx(log_normal(0.5) + log_normal(0.25)).epsilon(1e-5));
  CHECK(log_prob[1] == -std::numeric_limits<double>::infinity());
  CHECK(log_prob[2] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(log_prob[3]));
  CHECK(std::isnan(log_prob[4]));
}
