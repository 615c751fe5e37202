// Special functions of one number, and their derivatives of any order. In double, without exceptions.
#pragma once

namespace pushforward::special {

/// Derivative number `order` of log Gamma(x), x > 0. NaN outside the domain, as below.
double log_gamma(int order, double x);
/// Derivative number `order` of log Gamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), x > 0.
double log_gamma_correction(int order, double x);
/// Derivative number `order` of log(exp(-x) I0(x)), x >= 0. That of order 1 is I1(x)/I0(x) - 1.
double log_bessel_i0e(int order, double x);

}  // namespace pushforward::special
