// Flows that end with a fixed map: their density is that of the named distribution, and zero outside of its support.
#include <cmath>
#include <limits>

#include "support/experiments.h"
#include "support/models.h"

using namespace pushforward::test;  // NOLINT
using namespace pushforward;        // NOLINT

namespace {

template <class T>
std::vector<double> log_prob(const std::string& flow, const std::vector<double>& data) {
  Surroundings around;
  around.event_shape = {1};
  Model<T> model = make_model<T>(built_plugins(), flow, around);
  Engine<T> engine(model, {});
  Matrix<T> rows(static_cast<Index>(data.size()), 1);
  for (Index i = 0; i < rows.rows(); ++i) rows(i, 0) = static_cast<T>(data[static_cast<std::size_t>(i)]);
  std::vector<double> out(data.size());
  engine.log_prob({.data = rows, .context = {}, .weights = {}, .count = rows.rows()}, out);
  return out;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("exp of a normal number is log-normal", "", float, double) {
  const double x = std::log(2.5), expected = -0.5 * x * x - 0.5 * std::log(2 * M_PI) - x;
  const std::vector<double> got = log_prob<TestType>("flow: {base: normal, bijectors: [exp]}", {2.5, -1, 1e-30, 0});
  CHECK(got[0] == Approx(expected).epsilon(1e-6));
  CHECK(got[1] == -kInfinity);
  CHECK(std::isfinite(got[2]));
  CHECK(got[3] == -kInfinity);  // exp has an infinite slope towards it
}

TEMPLATE_TEST_CASE("an inverted distribution function makes its distribution from uniform numbers", "", float, double) {
  const double z = 0.75, density = -z - std::exp(-z);
  const std::vector<double> got = log_prob<TestType>(
      "flow: {base: {uniform: {low: 0, high: 1}}, bijectors: [{invert: {bijector: gumbel_cdf}}]}", {z, -3, 12});
  CHECK(got[0] == Approx(density).epsilon(1e-6));
  CHECK(got[1] == Approx(3 - std::exp(3.0)).epsilon(1e-6));
  CHECK(got[2] == Approx(-12 - std::exp(-12.0)).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("behind a sigmoid the density is zero outside of the interval", "", float, double) {
  const std::vector<double> got =
      log_prob<TestType>("flow: {base: normal, bijectors: [{sigmoid: {low: -1.0, high: 1.0}}]}", {0, -1.5, 1.5, 1});
  CHECK(got[0] == Approx(-0.5 * std::log(2 * M_PI) + std::log(2.0)).epsilon(1e-6));
  for (const std::size_t i : {1, 2, 3}) CHECK(got[i] == -kInfinity);
}
