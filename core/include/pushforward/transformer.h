// Transformer: a scalar monotone map f(x; theta), usable under every conditioner.
#pragma once

#include <span>
#include <vector>

#include "pushforward/bijector.h"

namespace pushforward {

/// The parameters of a transformer for d elements, in one of two forms.
///
/// raw: unconstrained numbers, N x d*P (each row its own) or 1 x d*P (shared by the rows); element j's parameter k is
/// column j*P + k. prepared: what `Transformer::prepare` made of a shared raw theta, 1 x d*Q.
template <class T>
struct Theta {
  Var<T> values;
  bool prepared = false;
  Theta() = default;
  Theta(Var<T> raw) : values(raw) {}  // NOLINT: a raw theta is what everybody means
  Theta(Var<T> v, bool is_prepared) : values(v), prepared(is_prepared) {}
};

/// A family of scalar increasing (or decreasing) maps with P parameters per element, applied to each column of x.
///
/// `evaluate` gives f(x; theta) and the sum over columns of log |f'|; `invert` gives f^{-1} and its own log_det.
template <class T>
class PUSHFORWARD_EXPORT Transformer : public Component<T> {
 public:
  ~Transformer() override;
  /// P, the parameters per element.
  virtual Index parameters() const = 0;
  /// Writes P raw numbers at which f is the identity, or nearest to it.
  virtual void identity(std::span<T> theta) const = 0;
  /// x: N x d; theta raw (N x d*P or 1 x d*P) or prepared (1 x d*Q).
  virtual Mapped<T> evaluate(Var<T> x, const Theta<T>& theta, const Pass<T>& pass) const = 0;
  virtual Mapped<T> invert(Var<T> y, const Theta<T>& theta, const Pass<T>& pass) const = 0;

  /// Q, numbers per element that `prepare_shared` makes; 0 if the transformer has no such step.
  virtual Index prepared() const { return 0; }
  /// 1 x d*P raw to 1 x d*Q prepared, recorded on the tape; called once a step for a shared theta.
  virtual Var<T> prepare_shared(Var<T> theta) const { return theta; }

  virtual Support domain() const { return {}; }
  virtual Support codomain() const { return {}; }
  virtual Traits traits() const {
    Traits t;
    t.elementwise = t.increasing = t.triangular = true;
    return t;
  }
};

/// The raw numbers of `elements` elements at the identity: how a conditioner starts its parameters.
template <class T>
std::vector<double> identity_start(const Transformer<T>& transformer, Index elements) {
  std::vector<T> one(static_cast<std::size_t>(transformer.parameters()));
  transformer.identity(one);
  std::vector<double> all;
  all.reserve(one.size() * static_cast<std::size_t>(elements));
  for (Index j = 0; j < elements; ++j) all.insert(all.end(), one.begin(), one.end());
  return all;
}

extern template class Transformer<float>;
extern template class Transformer<double>;

}  // namespace pushforward
