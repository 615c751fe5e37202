// Target: a density, known up to a constant, that a model is fitted to without data.
#pragma once

#include <limits>

#include "pushforward/bijector.h"

namespace pushforward {

/// What `target:` of a spec names: a posterior, an energy, a distribution. Every distribution is one.
///
/// A target is never trained: objectives evaluate it with `Pass::without_gradient`, and whoever builds a model leaves
/// its parameters out of the ranges that the optimizer moves.
template <class T>
class PUSHFORWARD_EXPORT Target : public Component<T> {
 public:
  ~Target() override;
  /// N x D to N x 1: the logarithm of the density up to a constant, nats; minus infinity outside the support. Wrong
  /// columns: ShapeError.
  virtual Var<T> log_density(Var<T> y, const Pass<T>& pass) const = 0;
  virtual Shape event_shape() const = 0;
  virtual Support support() const { return {}; }
  /// log of the integral of exp(log_density), where it is known; else NaN. With it a divergence has an absolute value.
  virtual double log_normaliser() const { return std::numeric_limits<double>::quiet_NaN(); }
};

extern template class Target<float>;
extern template class Target<double>;

}  // namespace pushforward
