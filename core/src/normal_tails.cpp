#include "pushforward/normal_tails.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "pushforward/operations.h"
#include "pushforward/quantile_table.h"

namespace pushforward {

namespace {

/// Left of it erfc nears the end of its range and the asymptotic series is exact.
constexpr double kAsymptotic = -20;

double log_phi(double x) { return -0.5 * x * x - kHalfLogTwoPi; }

/// -x Phi(x) / phi(x) for x < kAsymptotic: 1 - 1/x^2 + 3/x^4 - 15/x^6 + ..., whose tenth term is below 1e-17.
double asymptotic(double x) {
  const double inverse = 1 / (x * x);
  double sum = 1;
  for (int k = 10; k >= 1; --k) sum = 1 - (2 * k - 1) * inverse * sum;
  return sum;
}

/// Phi(x) / phi(x), x <= 0.
double mills_ratio(double x) {
  if (x < kAsymptotic) return asymptotic(x) / -x;
  return std::exp(0.5 * x * x) * std::erfc(-x * (std::numbers::sqrt2 / 2)) /
         (std::numbers::inv_sqrtpi * std::numbers::sqrt2);
}

/// A polynomial, coefficients from the constant on.
template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double sum = 0;
  for (std::size_t i = N; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

/// The quantile of p = exp(log_p), p <= 1/2: Wichura, "Algorithm AS 241: the percentage points of the normal
/// distribution", 1988. For log_p > -729.
double wichura(double log_p) {
  using namespace quantile_table;  // NOLINT: the paper's letters
  const double q = std::exp(log_p) - 0.5;
  if (q >= -0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
  }
  const double r = std::sqrt(-log_p);
  if (r <= 5) return -polynomial(kC, r - 1.6) / polynomial(kD, r - 1.6);
  return -polynomial(kE, r - 5) / polynomial(kF, r - 5);
}

/// (Phi(b) - Phi(a)) / phi(middle) of a narrow interval: the integral of exp(-c t - t^2/2) over [-h/2, h/2], by its
/// series in Hermite polynomials of the middle c.
double narrow_mass(double c, double h) {
  const double second = c * c - 1, fourth = c * c * (c * c - 6) + 3;
  return h * (1 + h * h / 24 * (second + h * h / 80 * fourth));
}
/// Where a narrower interval's mass would be a difference of nearly equal numbers; the series' next term is 1e-15.
bool narrow(double a, double b) { return (b - a) * std::max({1.0, std::abs(a), std::abs(b)}) < 0.02; }

/// The mode: the point of [a, b] nearest to 0.
double mode_of(double a, double b) { return std::max(a, std::min(b, 0.0)); }

/// log(phi(x) / phi(mode)), -inf far away.
double below_mode(double x, double mode) { return -0.5 * (x - mode) * (x + mode); }

}  // namespace

double log_ndtr(double x) {
  if (x > 0) return std::log1p(-0.5 * std::erfc(x * (std::numbers::sqrt2 / 2)));
  if (x < kAsymptotic) return log_phi(x) + std::log(asymptotic(x)) - std::log(-x);
  return std::log(0.5 * std::erfc(-x * (std::numbers::sqrt2 / 2)));
}

double ndtri_exp(double log_p) {
  constexpr double kLogHalf = -std::numbers::ln2;
  if (log_p > kLogHalf) return -ndtri_exp(std::log(-std::expm1(log_p)));
  if (std::isinf(log_p)) return log_p;
  if (log_p > -700) return wichura(log_p);
  // Newton's method: log Phi is concave and nearly a parabola here.
  double x = -std::sqrt(-2 * log_p - 2 * kHalfLogTwoPi - std::log(-2 * log_p));
  for (int i = 0; i < 2; ++i) x -= (log_ndtr(x) - log_p) * mills_ratio(x);
  return x;
}

double truncated_normal_log_peak(double a, double b) {
  if (a > 0) return truncated_normal_log_peak(-b, -a);
  const double mode = mode_of(a, b);
  if (narrow(a, b)) {
    const double middle = a + 0.5 * (b - a);
    return -below_mode(middle, mode) - std::log(narrow_mass(middle, b - a));
  }
  if (b <= 0) return -std::log(mills_ratio(b) - std::exp(below_mode(a, b)) * mills_ratio(a));
  constexpr double kScale = std::numbers::sqrt2 / 2;
  return -kHalfLogTwoPi - std::log(0.5 * (std::erf(b * kScale) - std::erf(a * kScale)));
}

double truncated_normal_quantile(double u, double a, double b) {
  if (a > 0) return -truncated_normal_quantile(1 - u, -b, -a);
  double z;
  if (b <= 0) {
    const double log_below = log_ndtr(b), rest = std::exp(log_ndtr(a) - log_below);
    z = ndtri_exp(log_below + std::log(rest + u * (1 - rest)));
  } else {
    const double below = std::exp(log_ndtr(a)), above = std::exp(log_ndtr(-b)), mass = 1 - below - above;
    const double p = below + u * mass;
    z = p <= 0.5 ? ndtri_exp(std::log(p)) : -ndtri_exp(std::log(above + (1 - u) * mass));
  }
  return std::clamp(z, a, b);
}

TruncatedNormalMoments truncated_normal_moments(double a, double b) {
  // Gauss and Legendre's rule with five points on pieces of what has a density: exp(-40) of the peak is nothing.
  constexpr double kNodes[] = {0, 0.53846931010568309104, 0.90617984593866399280};
  constexpr double kWeights[] = {0.56888888888888888889, 0.47862867049936646804, 0.23692688505618908751};
  constexpr int kPieces = 24;
  const double mode = mode_of(a, b), reach = std::sqrt(mode * mode + 80) - std::abs(mode);
  const double low = std::max(a, mode - reach), half = (std::min(b, mode + reach) - low) / (2 * kPieces);
  double mass = 0, first = 0, second = 0;
  const auto add = [&](double z, double weight) {
    const double t = z - mode, density = weight * std::exp(below_mode(z, mode));
    mass += density;
    first += density * t;
    second += density * t * t;
  };
  for (int piece = 0; piece < kPieces; ++piece) {
    const double middle = low + half * (2 * piece + 1);
    add(middle, kWeights[0]);
    for (int k = 1; k < 3; ++k)
      for (const int side : {-1, 1}) add(middle + side * half * kNodes[k], kWeights[k]);
  }
  const double mean = first / mass;
  return {mean, second / mass - mean * mean};
}

namespace {

/// y = f(x...) for every element; all blocks have one shape.
template <class T, class F, class... Blocks>
void fill(Block<T> y, F f, Blocks... x) {
  for (Index j = 0; j < y.columns; ++j)
    for (Index i = 0; i < y.rows; ++i) y(i, j) = static_cast<T>(f(static_cast<double>(x(i, j))...));
}
template <class T, class F, class... Blocks>
void add_gradient(const Vjp<T>& v, int input, F f, Blocks... x) {
  if (!v.wants(input)) return;
  const Block<T> gradient = v.gradient(input);
  const Block<const T> g = v.adjoint(0);
  for (Index j = 0; j < g.columns; ++j)
    for (Index i = 0; i < g.rows; ++i)
      gradient(i, j) += static_cast<T>(static_cast<double>(g(i, j)) * f(static_cast<double>(x(i, j))...));
}

template <class T>
void require_same_shape(const char* what, Var<T> a, Var<T> b) {
  if (a.rows() != b.rows() || a.columns() != b.columns())
    throw ShapeError(std::string(what) + ": the operands have the shapes " + std::to_string(a.rows()) + " x " +
                     std::to_string(a.columns()) + " and " + std::to_string(b.rows()) + " x " +
                     std::to_string(b.columns()) + ", but must have the same");
}

/// below_mode for Vars: log(phi(x) / phi(mode)).
template <class T>
Var<T> below_mode(Var<T> x, Var<T> mode) {
  return ((x - mode) * (x + mode)) * T(-0.5);
}

/// What an end adds to a tangent: factor * its tangent.
template <class T>
Var<T> sum_of_products(Var<T> fa, Var<T> ta, Var<T> fb, Var<T> tb) {
  if (!ta) return fb * tb;
  if (!tb) return fa * ta;
  return fa * ta + fb * tb;
}

}  // namespace

template <class T>
Var<T> log_ndtr(Var<T> x) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  fill(
      y.data(), [](double v) { return log_ndtr(v); }, x.value());
  x.tape().primitive(
      "log_ndtr", {x}, {y},
      [](Vjp<T>& v) {
        add_gradient(
            v, 0, [](double at) { return std::exp(log_phi(at) - log_ndtr(at)); }, v.value(0));
      },
      [](Jvp<T>& j) { j.set(0, exp(square(j.input(0)) * T(-0.5) - j.output(0) - T(kHalfLogTwoPi)) * j.tangent(0)); });
  return y;
}

// With h = log phi(m) - log(Phi(b) - Phi(a)) and the density f of the truncated normal, f(a) = exp(h) phi(a) / phi(m):
// dh/da = f(a) and dh/db = -f(b), and the end at which the mode m lies adds -m.
template <class T>
Var<T> truncated_normal_log_peak(Var<T> a, Var<T> b) {
  require_same_shape("truncated_normal_log_peak", a, b);
  const Var<T> h = a.tape().make(a.rows(), a.columns());
  fill(
      h.data(), [](double low, double high) { return truncated_normal_log_peak(low, high); }, a.value(), b.value());
  a.tape().primitive(
      "truncated_normal_log_peak", {a, b}, {h},
      [](Vjp<T>& v) {
        const auto density = [](double x, double low, double high) {
          return std::exp(truncated_normal_log_peak(low, high) + below_mode(x, mode_of(low, high)));
        };
        add_gradient(
            v, 0, [&](double low, double high) { return density(low, low, high) - std::max(low, 0.0); }, v.value(0),
            v.value(1));
        add_gradient(
            v, 1, [&](double low, double high) { return -density(high, low, high) - std::min(high, 0.0); }, v.value(0),
            v.value(1));
      },
      [](Jvp<T>& j) {
        const Var<T> low = j.input(0), high = j.input(1), zero = j.tape().constant(T(0));
        const Var<T> upper_part = minimum(high, zero), mode = maximum(low, upper_part);
        const Var<T> at_low = exp(j.output(0) + below_mode(low, mode)) - maximum(low, zero);
        const Var<T> at_high = -exp(j.output(0) + below_mode(high, mode)) - upper_part;
        j.set(0, sum_of_products(at_low, j.tangent(0), at_high, j.tangent(1)));
      });
  return h;
}

// (1 - u) phi(a) da + u phi(b) db = phi(z) dz.
template <class T>
Var<T> truncated_normal_quantile(Var<T> u, Var<T> a, Var<T> b) {
  require_same_shape("truncated_normal_quantile", a, b);
  require_same_shape("truncated_normal_quantile", u, a);
  const Var<T> draws = stop_gradient(u);
  const Var<T> z = u.tape().make(u.rows(), u.columns());
  fill(
      z.data(), [](double p, double low, double high) { return truncated_normal_quantile(p, low, high); },
      draws.value(), a.value(), b.value());
  u.tape().primitive(
      "truncated_normal_quantile", {a, b, draws}, {z},
      [](Vjp<T>& v) {
        add_gradient(
            v, 0, [](double low, double p, double at) { return (1 - p) * std::exp(below_mode(low, at)); }, v.value(0),
            v.value(2), v.result(0));
        add_gradient(
            v, 1, [](double high, double p, double at) { return p * std::exp(below_mode(high, at)); }, v.value(1),
            v.value(2), v.result(0));
      },
      [](Jvp<T>& j) {
        const Var<T> p = j.input(2), at = j.output(0);
        j.set(0, sum_of_products((T(1) - p) * exp(below_mode(j.input(0), at)), j.tangent(0),
                                 p * exp(below_mode(j.input(1), at)), j.tangent(1)));
      });
  return z;
}

#define PUSHFORWARD_INSTANTIATE(T)                           \
  template Var<T> log_ndtr(Var<T>);                          \
  template Var<T> truncated_normal_log_peak(Var<T>, Var<T>); \
  template Var<T> truncated_normal_quantile(Var<T>, Var<T>, Var<T>);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
