// log_prob, its gradient and that of the parameters, against values to 50 digits, also 40 scales from the centre.
#include "distribution_cases.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

void check(const std::string& name, const std::vector<FieldOfCase>& fields, const std::string& component) {
  check_cases("distributions.json", name, fields, component);
}
void check(const std::string& name, const std::vector<FieldOfCase>& fields) { check(name, fields, name); }

const std::vector<FieldOfCase> kLocationAndScale = {{"location", "loc"}, {"scale", "scale", true}};

/// The diagonal of a lower triangular matrix, and what is below it.
std::vector<double> diagonal(const Json& matrix) {
  std::vector<double> all;
  for (std::size_t i = 0; i < matrix.size(); ++i) all.push_back(matrix[i][i]);
  return all;
}
std::vector<double> below(const Json& matrix) {
  std::vector<double> all;
  for (std::size_t i = 0; i < matrix.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) all.push_back(matrix[i][j]);
  return all;
}
/// L L', row by row.
std::vector<double> product(const Json& factor) {
  std::vector<double> all;
  for (const Json& a : factor)
    for (const Json& b : factor) {
      double sum = 0;
      for (std::size_t k = 0; k < factor.size(); ++k) sum += a[k].get<double>() * b[k].get<double>();
      all.push_back(sum);
    }
  return all;
}

}  // namespace

TEST_CASE("normal agrees with values to 50 digits") {
  for (const char* name : {"normal", "diagonal_normal"})
    check(name, {{"mean", "loc"}, {"scale", "scale", true}}, "normal");
}

TEST_CASE("uniform agrees with values to 50 digits") {
  check("uniform", {{"low", "lower", false, false}, {"high", "upper", false, false}});
}

TEST_CASE("laplace agrees with values to 50 digits") { check("laplace", kLocationAndScale); }
TEST_CASE("logistic agrees with values to 50 digits") { check("logistic", kLocationAndScale); }
TEST_CASE("cauchy agrees with values to 50 digits") { check("cauchy", kLocationAndScale); }
TEST_CASE("gumbel agrees with values to 50 digits") { check("gumbel", kLocationAndScale); }
TEST_CASE("log_normal agrees with values to 50 digits") { check("log_normal", kLocationAndScale); }
TEST_CASE("exponential agrees with values to 50 digits") { check("exponential", {{"rate", "rate", true}}); }

TEST_CASE("truncated_normal agrees with values to 50 digits") {
  check("truncated_normal",
        {{"mean", "loc"}, {"scale", "scale", true}, {"low", "lower", false, false}, {"high", "upper", false, false}});
}

TEST_CASE("multivariate_normal agrees with values of other libraries, by its factor") {
  check("multivariate_normal",
        {{"mean", "loc"}, {"scale", "scale_tril", true, true, diagonal}, {"lower", "scale_tril", false, true, below}});
}

TEST_CASE("multivariate_normal agrees with values of other libraries, by its covariance matrix") {
  check("multivariate_normal", {{"mean", "loc"}, {"covariance", "scale_tril", false, false, product}});
}
