// Chain and Flow: bijectors in a row, and a base distribution pushed through them.
#pragma once

#include "pushforward/distribution.h"

namespace pushforward {

/// Bijectors from base to data, composed.
template <class T>
class PUSHFORWARD_EXPORT Chain final : public Bijector<T> {
 public:
  explicit Chain(std::vector<std::unique_ptr<Bijector<T>>> parts) : parts_(std::move(parts)) {}
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override;
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override;
  Shape forward_event_shape(const Shape& base) const override;
  Shape inverse_event_shape(const Shape& data) const override;
  Support domain() const override;
  Support codomain() const override;
  Traits traits() const override;
  const std::vector<std::unique_ptr<Bijector<T>>>& parts() const { return parts_; }

 private:
  std::vector<std::unique_ptr<Bijector<T>>> parts_;
};

/// log p(y) = log p_base(inverse(y)) + log_det_inverse(y). Sampling gives log_prob for free, from the base's and the
/// forward log_det, so reverse KL never needs an inverse.
template <class T>
class PUSHFORWARD_EXPORT Flow final : public Distribution<T> {
 public:
  /// `event_shape` is the data side's. Throws ShapeError if the base's event shape is not what the bijector needs.
  Flow(std::unique_ptr<Distribution<T>> base, std::unique_ptr<Bijector<T>> bijector, Shape event_shape);
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override;
  Sampled<T> sample(Index n, const Pass<T>& pass) const override;
  /// Those of a base that is a mixture.
  Var<T> log_prob_parts(Var<T> y, const Pass<T>& pass) const override;
  Shape event_shape() const override { return event_shape_; }
  Support support() const override;
  DistributionTraits traits() const override;
  FlowView<T> as_flow() const override { return {base_.get(), bijector_.get()}; }
  const Distribution<T>& base() const { return *base_; }
  const Bijector<T>& bijector() const { return *bijector_; }

 private:
  Mapped<T> to_base(Var<T> y, const Pass<T>& pass) const;
  std::unique_ptr<Distribution<T>> base_;
  std::unique_ptr<Bijector<T>> bijector_;
  Shape event_shape_;
};

extern template class Chain<float>;
extern template class Chain<double>;
extern template class Flow<float>;
extern template class Flow<double>;

}  // namespace pushforward
