#include "quantiles.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "boost_policy.h"
#include "pushforward/simd.h"
#include "special_scalars.h"

namespace pushforward::special {

namespace {

using B = simd::Batch<double>;
constexpr double kPi = std::numbers::pi;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// --- quadrature ------------------------------------------------------------------------------------------------------
//
// Tails are integrals over w >= 0 of exp(-d(w)) with d increasing from 0. Cut off where d is kCut they are smooth on an
// interval, and 32 points of Gauss and Legendre give them to the last bits: the error of exp(-kCut w) is below 1e-24.

constexpr double kCut = 40;
constexpr int kNodes = 32;

struct Rule {
  alignas(64) std::array<double, kNodes> at, weight;  // on [0, 1]
};

/// Newton's method on the Legendre polynomial of degree kNodes.
Rule make_rule() {
  Rule rule{};
  for (int i = 0; i < kNodes; ++i) {
    double x = std::cos(kPi * (i + 0.75) / (kNodes + 0.5)), slope = 1;
    for (int iteration = 0; iteration < 8; ++iteration) {
      double before = 1, p = x;
      for (int n = 2; n <= kNodes; ++n) {
        const double next = ((2 * n - 1) * x * p - (n - 1) * before) / n;
        before = p;
        p = next;
      }
      slope = kNodes * (x * p - before) / (x * x - 1);
      x -= p / slope;
    }
    rule.at[static_cast<std::size_t>(i)] = 0.5 * (1 - x);
    rule.weight[static_cast<std::size_t>(i)] = 1 / ((1 - x * x) * slope * slope);
  }
  return rule;
}

/// The integral of f over [0, width].
template <class F>
double integrate(double width, const F& f) {
  static const Rule rule = make_rule();
  B sum(0.0);
  for (std::size_t i = 0; i < kNodes; i += B::size)
    sum += B::load_aligned(&rule.weight[i]) * f(B(width) * B::load_aligned(&rule.at[i]));
  alignas(64) double lanes[B::size];
  sum.store_aligned(lanes);
  return width * simd::sum_lanes<double>(lanes);
}

// --- Gamma -----------------------------------------------------------------------------------------------------------

/// P(a, g) = g^a exp(-g) / Gamma(a + 1) sum_k g^k / ((a + 1) ... (a + k)): the sum, and its derivative with respect
/// to a.
struct GammaSeries {
  double sum = 1, slope = 0;
  GammaSeries(double a, double g) {
    double term = 1, harmonic = 0;
    for (int k = 1; k < 64 && term > 1e-17 * sum; ++k) {
      term *= g / (a + k);
      harmonic += 1 / (a + k);
      sum += term;
      slope -= term * harmonic;
    }
  }
};

/// The integral of f(w) exp(-a w + g (1 - exp(-w))), g <= a: of s = log g - w, by the density of log g over that at
/// log g.
template <class F>
double lower_integral(double a, double g, const F& f) {
  // exp(-w) >= (2 - w) / (2 + w), so d >= (a - g) w + g w^2 / (2 + w), which reaches kCut at:
  const double d = a - g, b = kCut - 2 * d;
  const double width = 4 * kCut / (std::sqrt(b * b + 8 * kCut * a) - b);
  return integrate(width, [&](const B& w) { return f(w) * simd::exp(-(B(d) * w + B(g) * (w + simd::expm1(-w)))); });
}

/// The integral of f(w) exp(a w - g (exp(w) - 1)), g >= a: of s = log g + w.
template <class F>
double upper_integral(double a, double g, const F& f) {
  // d >= (g - a) w + g w^2 / 2; and g (exp(w) - 1) = kCut + a w where d is kCut.
  const double d = g - a, most = 2 * kCut / (d + std::sqrt(d * d + 2 * kCut * g));
  const double width = std::min(most, std::log1p((kCut + a * most) / g));
  return integrate(width, [&](const B& w) { return f(w) * simd::exp(-(B(d) * w + B(g) * (simd::expm1(w) - w))); });
}

/// Below this g the series needs few terms.
constexpr double kSeriesMost = 1.5;
/// From this concentration on quadrature is faster than the incomplete gamma function.
constexpr double kLarge = 100;

}  // namespace

GammaQuantile::GammaQuantile(double concentration) : a_(concentration) {
  if (!(a_ > 0) || std::isinf(a_)) a_ = kNan;
  log_a_ = std::log(a_);
  log_gamma_next_ = log_gamma(0, a_ + 1);
  digamma_next_ = log_gamma(1, a_ + 1);
  correction_ = log_gamma_correction(0, a_);
}

double GammaQuantile::operator()(double u) const {
  if (std::isnan(a_)) return kNan;
  constexpr double kSmall = -0.7;
  // P <= g^a / Gamma(a + 1), so this is a lower bound of log g, and exact in the limit of a small g.
  const double bound = (std::log(u) + log_gamma_next_) / a_;
  if (bound < kSmall) return small(bound, u);
  if (a_ >= kLarge) return large(u);
  return std::log(u <= 0.5 ? boost::math::gamma_p_inv(a_, u, QuietPolicy())
                           : boost::math::gamma_q_inv(a_, 1 - u, QuietPolicy()));
}

/// Newton's method on log P, which is concave in log g: it approaches from below.
double GammaQuantile::small(double log_g, double u) const {
  const double log_u = std::log(u);
  for (int iteration = 0; iteration < 64; ++iteration) {
    const double g = std::exp(log_g);
    const GammaSeries series(a_, g);
    const double log_p = a_ * log_g - g - log_gamma_next_ + std::log(series.sum);
    const double step = (log_u - log_p) * series.sum / a_;
    log_g += step;
    if (std::abs(step) <= 1e-9 * std::max(1.0, std::abs(log_g))) break;  // the next one would be its square
  }
  return log_g;
}

/// Newton's method on the logarithm of the nearer tail, in s = log(g / a), from Wilson and Hilferty's normal
/// approximation.
double GammaQuantile::large(double u) const {
  const double z =
      (u <= 0.5 ? -1 : 1) * std::numbers::sqrt2 * boost::math::erfc_inv(2 * std::min(u, 1 - u), QuietPolicy());
  double s = 3 * std::log1p(-1 / (9 * a_) + z / (3 * std::sqrt(a_)));
  const auto one = [](const B&) { return B(1.0); };
  for (int iteration = 0; iteration < 16; ++iteration) {
    const double g = a_ * std::exp(s);
    const double log_density = -a_ * (std::expm1(s) - s) + 0.5 * std::log(a_ / (2 * kPi)) - correction_;
    const double ratio = u <= 0.5 ? lower_integral(a_, g, one) : upper_integral(a_, g, one);
    const double excess = log_density + std::log(ratio) - std::log(std::min(u, 1 - u));
    const double step = (u <= 0.5 ? -excess : excess) * ratio;
    s += step;
    if (std::abs(step) * std::sqrt(a_) <= 1e-9) break;
  }
  return log_a_ + s;
}

double GammaQuantile::slope(double log_g) const {
  const double g = std::exp(log_g);
  if (g <= kSeriesMost) {
    const GammaSeries series(a_, g);
    return -(series.sum * (log_g - digamma_next_) + series.slope) / a_;
  }
  // dP/da is the integral of (s - digamma(a)) times the density of s = log g, over one side or minus the other.
  const double distance = log_g - (digamma_next_ - 1 / a_);
  if (g <= a_) return -lower_integral(a_, g, [&](const B& w) { return B(distance) - w; });
  return upper_integral(a_, g, [&](const B& w) { return B(distance) + w; });
}

// --- von Mises -------------------------------------------------------------------------------------------------------
//
// By symmetry 0 <= x <= pi below: its `body` is the integral from 0 to x of the density over that at x, its `tail` the
// one from x to pi.

namespace {

/// k (cos(x + w) - cos(x))
B exponent(double k, double x, const B& w) { return B(-2 * k) * simd::sin(B(x) + B(0.5) * w) * simd::sin(B(0.5) * w); }

template <class F>
double tail_integral(double k, double x, const F& f) {
  // The exponent is -kCut where sin^2(y/2) = sin^2(x/2) + kCut / (2 k).
  const double half = std::sin(0.5 * x), square = half * half + 0.5 * kCut / k;
  const double end = square < 1 ? 2 * std::asin(std::sqrt(square)) : kPi;
  return integrate(std::max(end - x, 0.0), [&](const B& w) { return f(B(x) + w) * simd::exp(exponent(k, x, w)); });
}

template <class F>
double body_integral(double k, double x, const F& f) {
  return integrate(x, [&](const B& w) { return f(B(x) - w) * simd::exp(exponent(k, x, -w)); });
}

B one(const B&) { return B(1.0); }

}  // namespace

VonMisesQuantile::VonMisesQuantile(double concentration) : k_(concentration) {
  if (!(k_ >= 0) || std::isinf(k_)) k_ = kNan;
  log_normaliser_ = std::log(2 * kPi) + log_bessel_i0e(0, k_);
  one_less_ratio_ = -log_bessel_i0e(1, k_);
}

double VonMisesQuantile::operator()(double u) const {
  if (std::isnan(k_)) return kNan;
  const double mass = std::abs(u - 0.5), rest = std::min(u, 1 - u);
  // The density falls from 0 on, so the uniform quantile is the most that x can be; a normal one is near for large k.
  const double most = 2 * kPi * mass;
  const double normal = std::numbers::sqrt2 * boost::math::erfc_inv(2 * rest, QuietPolicy()) / std::sqrt(k_);
  const double start = std::min(normal, most);
  const double x = mass < 0.25 ? from_body(mass, start, most) : from_tail(rest, start, most);
  return u < 0.5 ? -x : x;
}

namespace {

/// Newton's method inside of a bracket. `step(x)` is positive below the root and negative above.
template <class Step>
double solve(double x, double low, double high, const Step& step) {
  for (int iteration = 0; iteration < 100; ++iteration) {
    const double d = step(x);
    (d > 0 ? low : high) = x;
    double next = x + d;
    if (!(next >= low && next <= high)) next = 0.5 * (low + high);
    // The next step would be its square, near either end in units of the distance to it.
    constexpr double kLastBit = 4e-16;
    const bool done = std::abs(next - x) <= std::max(1e-9 * std::min(next, kPi - next), kLastBit * next);
    x = next;
    if (done) break;
  }
  return x;
}

}  // namespace

/// The mass between 0 and x is given, at most a quarter.
double VonMisesQuantile::from_body(double mass, double start, double most) const {
  return solve(start, 0, most, [&](double x) {
    const double half = std::sin(0.5 * x);
    return mass * std::exp(2 * k_ * half * half + log_normaliser_) - body_integral(k_, x, one);
  });
}

/// The mass between x and pi is given.
double VonMisesQuantile::from_tail(double mass, double start, double most) const {
  return solve(start, 0, most, [&](double x) {
    const double half = std::sin(0.5 * x), ratio = tail_integral(k_, x, one);
    return ratio * (std::log(ratio / mass) - 2 * k_ * half * half - log_normaliser_);
  });
}

double VonMisesQuantile::slope(double x) const {
  const double angle = std::abs(x), half = std::sin(0.5 * angle);
  // cos y - I1(k)/I0(k): the derivative of the logarithm of the density at y.
  const auto score = [&](const B& y) {
    const B s = simd::sin(B(0.5) * y);
    return B(one_less_ratio_) - B(2.0) * s * s;
  };
  const double slope = 2 * k_ * half * half < 1 ? -body_integral(k_, angle, score) : tail_integral(k_, angle, score);
  return x < 0 ? -slope : slope;
}

}  // namespace pushforward::special
