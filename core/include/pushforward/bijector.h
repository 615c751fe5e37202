// Bijector: an invertible map between events.
#pragma once

#include <memory>
#include <vector>

#include "pushforward/component.h"

namespace pushforward {

/// Where the elements of an event may lie.
struct Support {
  double lower = -__builtin_inf();
  double upper = __builtin_inf();
  bool contains(const Support& other) const { return lower <= other.lower && other.upper <= upper; }
};

/// Value and log abs det of the Jacobian of the direction that was called, one number per event, in nats.
template <class T>
struct Mapped {
  Var<T> value;    // N x D'
  Var<T> log_det;  // N x 1
};

/// Invertible map; `forward` is the generative direction (base to data), `inverse` the normalizing one.
///
/// Input is N x D with D the size of the event shape of that side; the value is N x D', the log_det N x 1. N may be 0.
/// A row with a NaN gives NaN in that row and nowhere else. A wrong number of columns throws ShapeError and writes
/// nothing. log p(y) = log p_base(inverse(y)) + log_det_inverse(y).
template <class T>
class PUSHFORWARD_EXPORT Bijector : public Component<T> {
 public:
  ~Bijector() override;
  virtual Mapped<T> forward(Var<T> x, const Pass<T>& pass) const = 0;
  virtual Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const = 0;
  /// Event shape of the data side for one of the base side; identity unless the map reshapes. Throws ShapeError if
  /// the map cannot take that shape.
  virtual Shape forward_event_shape(const Shape& base) const { return base; }
  virtual Shape inverse_event_shape(const Shape& data) const { return data; }
  virtual Support domain() const { return {}; }
  virtual Support codomain() const { return {}; }
  virtual Traits traits() const { return {}; }
};

/// Throws ShapeError naming both shapes unless x has `columns` columns.
PUSHFORWARD_EXPORT void require_columns(const char* what, Index got, Index expected);

extern template class Bijector<float>;
extern template class Bijector<double>;

}  // namespace pushforward
