// ContextEmbedding: `model.context`, a network that every row's context goes through before the model sees it.
#pragma once

#include "pushforward/distribution.h"
#include "pushforward/network.h"

namespace pushforward {

template <class T>
class ContextEmbedding final : public Distribution<T> {
 public:
  ContextEmbedding(std::unique_ptr<Distribution<T>> model, std::unique_ptr<Network<T>> network)
      : model_(std::move(model)), network_(std::move(network)) {}

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override { return model_->log_prob(y, embedded(pass)); }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override { return model_->sample(n, embedded(pass)); }
  Shape event_shape() const override { return model_->event_shape(); }
  Support support() const override { return model_->support(); }
  DistributionTraits traits() const override {
    DistributionTraits t = model_->traits();
    const Traits network = network_->traits();
    t.needs_context = true;
    t.couples_rows |= network.couples_rows;
    t.uses_draws_in_log_prob |= network.uses_draws;
    return t;
  }
  Moments<T> moments(const Pass<T>& pass) const override { return model_->moments(embedded(pass)); }
  Var<T> log_prob_parts(Var<T> y, const Pass<T>& pass) const override {
    return model_->log_prob_parts(y, embedded(pass));
  }
  FlowView<T> as_flow() const override { return model_->as_flow(); }
  const Pass<T>& flow_pass(const Pass<T>& pass) const override { return model_->flow_pass(embedded(pass)); }

 private:
  const Pass<T>& embedded(const Pass<T>& pass) const {
    const Var<T> context = (*network_)(Var<T>(), pass);
    pass.check_finite(*network_, context);
    return pass.with_context(context);
  }

  std::unique_ptr<Distribution<T>> model_;
  std::unique_ptr<Network<T>> network_;
};

}  // namespace pushforward
