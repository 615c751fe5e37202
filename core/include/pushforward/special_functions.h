// Special functions as operations of the tape, elementwise. Each has a vjp and a jvp rule.
//
// They are evaluated number by number, in double, and rounded once: 20 to 200 ns each. A distribution calls them with
// what all rows share, 1 x D.
#pragma once

#include "pushforward/tape.h"

namespace pushforward {

/// log Gamma(x) for x > 0; infinity at 0, NaN below.
template <class T>
PUSHFORWARD_EXPORT Var<T> log_gamma(Var<T> x);
/// The derivative number `order` + 1 of log Gamma(x), for x > 0 and order >= 0; NaN elsewhere.
template <class T>
PUSHFORWARD_EXPORT Var<T> polygamma(Var<T> x, int order);
/// The derivative of log Gamma(x), for x > 0.
template <class T>
Var<T> digamma(Var<T> x) {
  return polygamma(x, 0);
}

/// What Stirling's formula lacks, log Gamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), for x > 0: about 1/(12 x).
///
/// Densities written with it lose no digits where x is large: the difference of two log Gammas of 1e6 has no digit left
/// in float32 (Loader, "Fast and accurate computation of binomial probabilities", 2000).
template <class T>
PUSHFORWARD_EXPORT Var<T> log_gamma_correction(Var<T> x);

/// log(exp(-x) I0(x)) for x >= 0, with the modified Bessel function I0; NaN below. About -log(2 pi x)/2 for large x.
template <class T>
PUSHFORWARD_EXPORT Var<T> log_bessel_i0e(Var<T> x);

/// |x|^exponent for exponents above 0; the operands broadcast like those of arithmetic. At x = 0 the derivative with
/// respect to x is 0 (a cusp for exponents up to 1), and so is that with respect to the exponent.
template <class T>
PUSHFORWARD_EXPORT Var<T> abs_power(Var<T> x, Var<T> exponent);

}  // namespace pushforward
