// Quantiles of standard distributions, and how they move with the parameter. One number at a time, in double.
#pragma once

namespace pushforward::special {

/// The Gamma distribution with density g^(a-1) exp(-g) / Gamma(a), in terms of log g.
class GammaQuantile {
 public:
  explicit GammaQuantile(double concentration);
  /// log g with P(a, g) = u, 0 < u < 1.
  double operator()(double u) const;
  /// The derivative of log g with respect to a while u stays: -(dP/da) / (dP/dlog g).
  double slope(double log_g) const;

 private:
  double small(double log_g, double u) const;
  double large(double u) const;
  double a_, log_a_, log_gamma_next_, digamma_next_, correction_;
};

/// The von Mises distribution with density exp(k cos x) / (2 pi I0(k)) on [-pi, pi].
class VonMisesQuantile {
 public:
  explicit VonMisesQuantile(double concentration);
  /// x with F(x) = u, 0 < u < 1.
  double operator()(double u) const;
  /// The derivative of x with respect to k while u stays.
  double slope(double x) const;

 private:
  double body(double x) const;
  double tail(double x) const;
  double from_body(double mass, double start, double most) const;
  double from_tail(double mass, double start, double most) const;
  double k_;
  double log_normaliser_;  // log(2 pi exp(-k) I0(k))
  double one_less_ratio_;  // 1 - I1(k)/I0(k)
};

}  // namespace pushforward::special
