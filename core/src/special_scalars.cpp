#include "special_scalars.h"

#include <array>
#include <boost/math/special_functions/bessel.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "boost_policy.h"

namespace pushforward::special {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// (-1)^order n (n + 1) ... (n + order - 1) x^(-n - order): derivative number `order` of x^-n.
double power_derivative(int order, double n, double x) {
  double value = std::pow(x, -n);
  for (int k = 0; k < order; ++k) value *= -(n + k) / x;
  return value;
}

}  // namespace

double log_gamma(int order, double x) {
  if (!(x >= 0)) return kNan;
  if (x == 0) return order % 2 == 0 ? kInfinity : -kInfinity;
  if (x == kInfinity) return order < 2 ? kInfinity : 0;
  if (order == 0) return boost::math::lgamma(x, QuietPolicy());
  if (order == 1) return boost::math::digamma(x, QuietPolicy());
  return boost::math::polygamma(order - 1, x, QuietPolicy());
}

namespace {

/// B_2n / (2n (2n - 1)), the coefficients of x^(1 - 2n).
constexpr double kStirling[] = {1.0 / 12,         -1.0 / 360,         1.0 / 1260,     -1.0 / 1680,
                                1.0 / 1188,       -691.0 / 360360,    1.0 / 156,      -3617.0 / 122400,
                                43867.0 / 244188, -174611.0 / 125400, 77683.0 / 5796, -236364091.0 / 1506960};

double stirling_series(int order, double x) {
  double sum = 0;
  for (int n = static_cast<int>(std::size(kStirling)); n >= 1; --n)
    sum += kStirling[n - 1] * power_derivative(order, 2 * n - 1, x);
  return sum;
}

/// Derivative number `order` of (x - 1/2) log x - x + log(2 pi)/2.
double stirling_formula(int order, double x) {
  if (order == 0) return (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi);
  if (order == 1) return std::log(x) - 0.5 / x;
  return power_derivative(order - 2, 1, x) + 0.5 * power_derivative(order - 2, 2, x);
}

}  // namespace

double log_gamma_correction(int order, double x) {
  constexpr double kSeries = 16;  // from here on the series is exact to the last bit
  if (x >= kSeries) return x == kInfinity ? 0 : stirling_series(order, x);
  if (!(x > 0)) return log_gamma(order, x);
  return log_gamma(order, x) - stirling_formula(order, x);
}

// The ratio r = I1/I0 obeys x r' + r = x - x r^2. Its series about 0, about infinity and about any point follow from
// that, and give the derivatives of any order without differences of nearly equal numbers.
namespace {

/// r = sum a_n x^(2n + 1), for |x| < 2.4.
constexpr int kNearTerms = 24;
constexpr std::array<double, kNearTerms> near_coefficients() {
  std::array<double, kNearTerms> a{};
  for (int n = 0; n < kNearTerms; ++n) {
    double sum = n == 0 ? 1 : 0;
    for (int i = 0; i < n; ++i) sum -= a[static_cast<std::size_t>(i)] * a[static_cast<std::size_t>(n - 1 - i)];
    a[static_cast<std::size_t>(n)] = sum / (2 * n + 2);
  }
  return a;
}

/// r = sum b_n x^-n, asymptotically.
constexpr int kFarTerms = 36;
constexpr std::array<double, kFarTerms> far_coefficients() {
  std::array<double, kFarTerms> b{};
  b[0] = 1;
  for (int n = 1; n < kFarTerms; ++n) {
    double sum = (n - 2) * b[static_cast<std::size_t>(n - 1)];
    for (int i = 1; i < n; ++i) sum -= b[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(n - i)];
    b[static_cast<std::size_t>(n)] = sum / 2;
  }
  return b;
}

constexpr double kNear = 1, kFar = 25;

double near_ratio(int order, double x) {
  static constexpr std::array<double, kNearTerms> a = near_coefficients();
  double sum = 0;
  for (int n = kNearTerms - 1; n >= 0; --n) {
    const int power = 2 * n + 1 - order;
    if (power < 0) break;
    double factor = a[static_cast<std::size_t>(n)];
    for (int k = 0; k < order; ++k) factor *= 2 * n + 1 - k;
    sum += factor * std::pow(x, power);
  }
  return sum;
}

/// Derivatives of r - 1, from the smallest term up.
double far_ratio_less_one(int order, double x) {
  static constexpr std::array<double, kFarTerms> b = far_coefficients();
  double sum = 0;
  for (int n = kFarTerms - 1; n >= 1; --n) sum += b[static_cast<std::size_t>(n)] * power_derivative(order, n, x);
  return sum;
}

/// Derivatives of r at x by its Taylor series there; r is known.
double taylor_ratio(int order, double x, double r) {
  constexpr int kMost = 16;
  if (order >= kMost) return kNan;
  std::array<double, kMost> a{r}, s{};  // coefficients of r and r^2
  double factorial = 1;
  for (int n = 0; n < order; ++n) {
    const auto at = static_cast<std::size_t>(n);
    for (int i = 0; i <= n; ++i) s[at] += a[static_cast<std::size_t>(i)] * a[static_cast<std::size_t>(n - i)];
    double sum = -(n + 1) * a[at] - x * s[at];
    if (n == 0) sum += x;
    if (n == 1) sum += 1;
    if (n > 0) sum -= s[at - 1];
    a[at + 1] = sum / (x * (n + 1));
    factorial *= n + 1;
  }
  return a[static_cast<std::size_t>(order)] * factorial;
}

/// exp(-x) sqrt(2 pi x) I0(x) for x >= kFar: sum ((1 3 ... (2n - 1))^2 / (n! (8x)^n)).
double far_bessel(double x) {
  double term = 1, sum = 1;
  for (int n = 1; n < 2 * kFar && term > 1e-17; ++n) {
    term *= (2.0 * n - 1) * (2.0 * n - 1) / (8 * n * x);
    sum += term;
  }
  return sum;
}

}  // namespace

double log_bessel_i0e(int order, double x) {
  if (!(x >= 0)) return kNan;
  if (x == kInfinity) return order == 0 ? -kInfinity : 0;
  if (order == 0) {
    if (x >= kFar) return std::log(far_bessel(x)) - 0.5 * std::log(2 * std::numbers::pi * x);
    return std::log(boost::math::cyl_bessel_i(0, x, QuietPolicy())) - x;
  }
  if (x >= kFar) return far_ratio_less_one(order - 1, x);
  const double less = order == 1 ? 1 : 0;
  if (x < kNear) return near_ratio(order - 1, x) - less;
  const double r = boost::math::cyl_bessel_i(1, x, QuietPolicy()) / boost::math::cyl_bessel_i(0, x, QuietPolicy());
  return taylor_ratio(order - 1, x, r) - less;
}

}  // namespace pushforward::special
