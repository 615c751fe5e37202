// ThetaMap: a transformer with its theta as a bijector, so that every check of maps is a check of transformers.
#pragma once

#include "pushforward/testing/runner.h"

namespace pushforward::testing {

/// theta is the context (per_row), a parameter (shared), or a value derived from it once a step (prepared).
template <class T>
class ThetaMap final : public Bijector<T> {
 public:
  /// `derived` is used in the prepared form only.
  ThetaMap(std::unique_ptr<Transformer<T>> map, ThetaForm form, Parameter theta, Parameter derived)
      : map_(std::move(map)), form_(form), theta_(theta), derived_(derived) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return map_->evaluate(x, theta(pass, x), pass); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return map_->invert(y, theta(pass, y), pass); }
  Support domain() const override { return map_->domain(); }
  Support codomain() const override { return map_->codomain(); }
  Traits traits() const override { return map_->traits(); }
  void prepare(StepPass<T>& step) const override {
    if (form_ == ThetaForm::prepared) step.set(derived_, map_->prepare_shared(step.pass(theta_)));
  }
  const Transformer<T>& transformer() const { return *map_; }

 private:
  Theta<T> theta(const Pass<T>& pass, Var<T> x) const {
    if (form_ == ThetaForm::prepared) return {pass(derived_), true};
    if (form_ == ThetaForm::shared) return pass(theta_);
    return pass.context ? pass.context : x.tape().make(x.rows(), 0);
  }

  std::unique_ptr<Transformer<T>> map_;
  ThetaForm form_;
  Parameter theta_, derived_;
};

}  // namespace pushforward::testing
