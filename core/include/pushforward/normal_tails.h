// The standard normal distribution far from its centre: its distribution function Phi, quantiles, and the normal
// truncated to an interval. Exact to some units of the last place, relative, also where Phi itself is no number.
#pragma once

#include "pushforward/tape.h"

namespace pushforward {

/// log(2 pi) / 2: what normalises exp(-x^2 / 2).
inline constexpr double kHalfLogTwoPi = 0.91893853320467274178;

/// log Phi(x). Relative error below 1e-14 for every x; 0 at infinity, -infinity at -infinity.
PUSHFORWARD_EXPORT double log_ndtr(double x);
/// The x with log Phi(x) = log_p, for log_p <= 0: the quantile of exp(log_p), which need not be a number.
PUSHFORWARD_EXPORT double ndtri_exp(double log_p);

/// The standard normal truncated to [a, b], a < b. An infinite end is written as -kFarAway or kFarAway, which leaves
/// every result as it is in double and has derivatives of 0 instead of NaN.
inline constexpr double kFarAway = 1e8;
/// The logarithm of its density at its mode, the point of [a, b] nearest to 0: log(phi(mode) / (Phi(b) - Phi(a))).
/// Relative to the density itself the logarithm has an error of some 1e-14, however far the interval lies from 0 and
/// however narrow it is.
PUSHFORWARD_EXPORT double truncated_normal_log_peak(double a, double b);
/// Its quantile: the z in [a, b] with (Phi(z) - Phi(a)) / (Phi(b) - Phi(a)) = u, 0 < u < 1.
PUSHFORWARD_EXPORT double truncated_normal_quantile(double u, double a, double b);
/// Its mean less its mode, and its variance, by quadrature to 1e-10: closed forms are differences of nearly equal
/// numbers where the interval is narrow or far away.
struct TruncatedNormalMoments {
  double mean_from_mode, variance;
};
PUSHFORWARD_EXPORT TruncatedNormalMoments truncated_normal_moments(double a, double b);

// --- operations of the tape, evaluated in double, with vjp and jvp rules
// ----------------------------------------------

template <class T>
PUSHFORWARD_EXPORT Var<T> log_ndtr(Var<T> x);
/// a and b have one shape.
template <class T>
PUSHFORWARD_EXPORT Var<T> truncated_normal_log_peak(Var<T> a, Var<T> b);
/// All of one shape; no gradient with respect to u. The derivative with respect to the ends is the implicit one.
template <class T>
PUSHFORWARD_EXPORT Var<T> truncated_normal_quantile(Var<T> u, Var<T> a, Var<T> b);

}  // namespace pushforward
