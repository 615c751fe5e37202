// Distributions with Gamma and Bessel functions: log_prob, its gradient and that of the parameters, against values to
// 50 digits, also 40 scales away from the centre.
#include "distribution_cases.h"

using namespace pushforward::test;  // NOLINT

namespace {

void check(const std::string& name, const std::vector<FieldOfCase>& fields) {
  check_cases("distributions_gamma.json", name, fields);
}

}  // namespace

TEST_CASE("student_t agrees with values to 50 digits") {
  check("student_t", {{"degrees_of_freedom", "df", true}, {"location", "loc", false}, {"scale", "scale", true}});
}

TEST_CASE("generalized_normal agrees with values to 50 digits") {
  check("generalized_normal", {{"power", "shape", true}, {"location", "loc", false}, {"scale", "scale", true}});
}

TEST_CASE("gamma agrees with values to 50 digits") {
  check("gamma", {{"concentration", "shape", true}, {"rate", "rate", true}});
}

TEST_CASE("beta agrees with values to 50 digits") {
  check("beta", {{"concentration1", "alpha", true}, {"concentration0", "beta", true}});
}

TEST_CASE("dirichlet agrees with values to 50 digits") {
  check("dirichlet", {{"concentration", "concentration", true}});
}

TEST_CASE("von_mises agrees with values to 50 digits") {
  check("von_mises", {{"location", "loc", false}, {"concentration", "concentration", true}});
}
