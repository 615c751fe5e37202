// Distribution: a density over events that can be evaluated and sampled.
#pragma once

#include "pushforward/bijector.h"
#include "pushforward/target.h"

namespace pushforward {

template <class T>
struct Sampled {
  Var<T> value;     // N x D, reparameterised (differentiable) where traits say so
  Var<T> log_prob;  // N x 1 if it comes free, else none
};

/// Mean and variance of every element: 1 x D, or N x D where each row has its own.
template <class T>
struct Moments {
  Var<T> mean, variance;
};

template <class T>
class Distribution;

/// A flow told apart: where its samples start and the map that they go through. Both belong to the flow.
template <class T>
struct FlowView {
  const Distribution<T>* base = nullptr;  // may be a flow itself
  const Bijector<T>* map = nullptr;       // forward: events of the base to those of the flow
  explicit operator bool() const { return map != nullptr; }
};

struct DistributionTraits {
  bool can_sample = true;
  bool reparameterised = true;       // gradients flow through `sample`
  bool needs_context = false;
  bool couples_rows = false;
  bool uses_draws_in_log_prob = false;
  bool on_simplex = false;           // elements sum to 1: a density of all elements but the last
  Cost log_prob = Cost::closed;
  Cost sample = Cost::closed;
  LogDet density = LogDet::exact;    // whether log_prob is exact, an unbiased estimate or a bound
};

/// A distribution over events of `event_shape`. With a context, each row has its own.
template <class T>
class PUSHFORWARD_EXPORT Distribution : public Target<T> {
 public:
  ~Distribution() override;
  /// N x D to N x 1, nats; minus infinity outside the support. Wrong columns: ShapeError.
  virtual Var<T> log_prob(Var<T> y, const Pass<T>& pass) const = 0;
  /// n rows, keyed by the pass's stream and first row; the pass's context, if any, has n rows.
  virtual Sampled<T> sample(Index n, const Pass<T>& pass) const = 0;
  /// `sample` with its log_prob, which is evaluated where it does not come free.
  Sampled<T> sample_with_log_prob(Index n, const Pass<T>& pass) const;
  Var<T> log_density(Var<T> y, const Pass<T>& pass) const final { return log_prob(y, pass); }
  double log_normaliser() const final { return 0; }
  virtual DistributionTraits traits() const { return {}; }
  /// Mean and variance in closed form; none where there is no such form.
  virtual Moments<T> moments(const Pass<T>&) const { return {}; }
  /// A mixture's N x K joint log-densities of part and event (log weight + log density); none for others.
  virtual Var<T> log_prob_parts(Var<T>, const Pass<T>&) const { return {}; }
  /// Base and map of a flow; empty for others. They are to be called with `flow_pass` of the flow's own pass.
  virtual FlowView<T> as_flow() const { return {}; }
  /// The pass that base and map of `as_flow` see: where a context is embedded, with what it becomes.
  virtual const Pass<T>& flow_pass(const Pass<T>& pass) const { return pass; }
};

extern template class Distribution<float>;
extern template class Distribution<double>;

}  // namespace pushforward
