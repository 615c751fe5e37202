// What the splines share beyond their pieces: the interval, the tails, and how raw numbers become knots.
#pragma once

#include <cmath>
#include <numbers>

#include "pushforward/kernel_scalars.h"

namespace pushforward {

/// What happens outside of [lower, upper].
enum class Tails : std::uint8_t {
  identity,  ///< y = x, log_det 0; K - 1 derivatives, those at the ends are a constant
  none,      ///< not in the domain: NaN; K + 1 derivatives
  circular,  ///< y repeats, f(x + period) = f(x) + period; K derivatives, the first of both ends
};

/// How raw numbers become widths, heights and derivatives.
enum class Constraint : std::uint8_t {
  softmax,    ///< w = m + (1 - m K) softmax(raw), derivatives m + softplus(raw) (nflows, FlowTorch)
  soft_clip,  ///< w = softmax(c(raw)), derivatives exp(c'(raw)), c(r) = r / (1 + |2 r / log slope|) (zuko)
};

/// The largest number of bins: kernels keep a row's bins on the stack.
inline constexpr Index kMaximumBins = 128;

/// Everything about a spline that is not learned. Raw numbers per element: K widths, K heights, the derivatives from
/// left to right, and, if the pieces are split, K positions lambda of the division points.
template <class T>
struct SplineForm {
  using B = simd::Batch<T>;

  Index bins = 8;
  bool split_bins = false;  // two pieces per bin
  double lower = -3, upper = 3;
  double minimum_width = 1e-3, minimum_height = 1e-3, minimum_derivative = 1e-3, minimum_lambda = 0.025;
  double boundary_derivative = 1;
  double slope = 1e-3;  // of soft_clip
  Constraint constraint = Constraint::softmax;
  Tails tails = Tails::identity;
  bool half_turn = false;  // the argument is turned by half a period first

  double range() const { return upper - lower; }
  Index derivatives() const { return tails == Tails::identity ? bins - 1 : tails == Tails::none ? bins + 1 : bins; }
  Index parameters() const { return 2 * bins + derivatives() + (split_bins ? bins : 0); }
  Index lambda_offset() const { return 2 * bins + derivatives(); }
  Index pieces() const { return split_bins ? 2 * bins : bins; }
  /// Prepared numbers: pieces + 1 knots, as many values, and the shapes (pieces + 1 derivatives, or one ratio each).
  Index prepared() const { return 2 * (pieces() + 1) + (split_bins ? pieces() : pieces() + 1); }
  /// Which raw derivative belongs to knot k of 0..bins; -1 if it is the constant at the ends.
  Index derivative_of_knot(Index k) const {
    if (tails == Tails::none) return k;
    if (tails == Tails::circular) return k == bins ? 0 : k;
    return k == 0 || k == bins ? -1 : k - 1;
  }

  /// |2 / log slope| for widths and heights, half of it for derivatives.
  T clip_rate() const { return static_cast<T>(std::abs(2 / std::log(slope))); }
  /// The raw number at which a derivative is `value`.
  double raw_derivative(double value) const {
    if (constraint == Constraint::soft_clip) {
      const double a = std::log(value);
      return a / (1 - std::abs(a / std::log(slope)));
    }
    const double excess = value - minimum_derivative;
    return excess > 30 ? excess : std::log(std::expm1(excess));
  }

  // --- raw numbers to knots, for any scalar --------------------------------------------------------------------------
  template <class V>
  V clip(const V& raw, T rate) const {
    return raw / (simd::abs(raw) * B(rate) + B(T(1)));
  }
  template <class V>
  V derivative(const V& raw) const {
    if (constraint == Constraint::soft_clip) return simd::exp(clip(raw, clip_rate() / 2));
    return simd::softplus(raw) + B(static_cast<T>(minimum_derivative));
  }
  template <class V>
  V lambda(const V& raw) const {
    return simd::sigmoid(raw) * B(static_cast<T>(1 - 2 * minimum_lambda)) + B(static_cast<T>(minimum_lambda));
  }
  /// K raw numbers to K + 1 knots, `stride` apart.
  template <class V>
  void knots(const V* raw, double minimum, V* out, Index stride) const {
    const bool clipped = constraint == Constraint::soft_clip;
    if (clipped) minimum = 0;
    const auto number = [&](Index k) { return clipped ? clip(raw[k], clip_rate()) : raw[k]; };
    B largest = simd::primal(number(0));
    for (Index k = 1; k < bins; ++k) largest = simd::max(largest, B(simd::primal(number(k))));
    V sum(B(T(0)));
    for (Index k = 0; k < bins; ++k) {
      V& e = out[(k + 1) * stride];
      e = simd::exp(number(k) - largest);
      sum = k == 0 ? e : sum + e;
    }
    const V scale = B(static_cast<T>(range() * (1 - minimum * static_cast<double>(bins)))) / sum;
    const B smallest(static_cast<T>(range() * minimum));
    out[0] = V(B(static_cast<T>(lower)));
    for (Index k = 0; k + 1 < bins; ++k)
      out[(k + 1) * stride] = out[k * stride] + (out[(k + 1) * stride] * scale + smallest);
    out[bins * stride] = V(B(static_cast<T>(upper)));
  }

  /// The argument inside the period (circular tails, half turn) and what must be added to the value.
  B wrapped(const B& x, B& turns) const {
    turns = B(T(0));
    if (tails != Tails::circular) return x;
    const B low(static_cast<T>(lower)), high(static_cast<T>(upper));
    turns = simd::floor((x - low) * B(static_cast<T>(1 / range()))) * B(static_cast<T>(range()));
    return simd::max(low, simd::min(high, x - turns));
  }
  /// x -> ((x - middle) mod period) + lower: half a turn, which is its own inverse up to whole turns.
  B turned(const B& x) const {
    const B low(static_cast<T>(lower)), period(static_cast<T>(range()));
    const B from(static_cast<T>(lower + range() / 2));
    const B z = x - from;
    const B rest = z - simd::floor(z * B(static_cast<T>(1 / range()))) * period;
    return simd::max(low, simd::min(B(static_cast<T>(upper)), rest + low));
  }
};

/// The division of a bin into two linear-rational pieces: weights 1, sqrt(da / db) at its ends, C1 everywhere.
///
/// With A = sqrt(da), E = sqrt(db), m = 1 - lambda: xm = xa + lambda W, ym = ya + q H, q = lambda A / (m E + lambda A),
/// weight of the middle wc = (lambda da + m A E) / s; ratios wc and (A / E) / wc.
template <class V>
struct BinDivision {
  V xm, ym, left, right;
  template <class S>
  static BinDivision of(const S& xa, const S& xb, const S& ya, const S& yb, const S& da, const S& db, const S& lambda) {
    using Number = S;
    const S A = simd::sqrt(da), E = simd::sqrt(db);
    const S m = Number(1.0) - lambda;
    const S wc = (lambda * da + m * A * E) * (xb - xa) / (yb - ya);
    BinDivision d;
    d.xm = xa + lambda * (xb - xa);
    d.ym = ya + (yb - ya) * (lambda * A / (m * E + lambda * A));
    d.left = wc;
    d.right = A / (E * wc);
    return d;
  }
};

/// Gradients of a bin's seven numbers.
template <class B>
struct BinGradient {
  B xa, xb, ya, yb, da, db, lambda;
};

/// Adds to `g` what reaches a bin through its division point and ratios.
template <class B>
void add_division_adjoint(const B& xa, const B& xb, const B& ya, const B& yb, const B& da, const B& db, const B& lambda,
                          const B& g_xm, const B& g_ym, const B& g_left, const B& g_right, BinGradient<B>& g) {
  const B one(1.0), half(0.5);
  const B A = simd::sqrt(da), E = simd::sqrt(db), m = one - lambda;
  const B iW = one / (xb - xa), H = yb - ya, s = H * iW, iE = one / E;
  const B is = one / s;
  const B wc = (lambda * da + m * A * E) * is, iwc = one / wc;
  const B rho = A * iE;
  const B g_rho = g_right * iwc;
  const B g_wc = g_left - g_right * rho * iwc * iwc;
  const B g_n = g_wc * is, g_s = -g_wc * wc * is;  // wc = n / s
  const B denominator = one / (m * E + lambda * A);
  const B q = lambda * A * denominator;
  const B g_q = g_ym * H;
  const B dq = g_q * denominator * denominator;
  const B g_A = g_n * m * E + g_rho * iE + dq * lambda * m * E;
  const B g_E = g_n * m * A - g_rho * rho * iE - dq * lambda * m * A;
  const B g_h = g_s * iW, g_w = g_s * s * iW;  // s = H / W
  g.lambda += g_n * (da - A * E) + g_xm * (xb - xa) + dq * A * E;
  g.da += g_n * lambda + half * g_A / A;
  g.db += half * g_E * iE;
  g.xa += g_xm * m + g_w;
  g.xb += g_xm * lambda - g_w;
  g.ya += g_ym * (one - q) - g_h;
  g.yb += g_ym * q + g_h;
}

}  // namespace pushforward
