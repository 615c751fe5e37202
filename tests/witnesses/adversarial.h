// An adversarial objective: a critic with an optimizer of its own, trained in a phase of its own.
#pragma once

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace pushforward::test {

/// A critic learns to tell data from samples, with a penalty on its slope at the data, which is a derivative inside a
/// loss; then the model learns to deceive it.
///
/// Goodfellow et al., "Generative adversarial nets", 2014; Mescheder, Geiger and Nowozin, "Which training methods for
/// GANs do actually converge?", 2018.
template <class T>
class Adversarial final : public Objective<T> {
 public:
  explicit Adversarial(Build<T>& build)
      : critic_(build.network("critic", {build.event_size(), 1, 0, {}, {}, {}})),
        optimizer_(build.template child<Optimizer<T>>("optimizer", build.surroundings())),
        penalty_(build.real("penalty")),
        phases_{
            {"critic", PhaseInfo<T>::Trains::objective, static_cast<int>(build.integer("repeats")), optimizer_.get()},
            {"model", PhaseInfo<T>::Trains::model, 1, nullptr}} {}

  Var<T> rows(int phase, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Var<T> drawn = (*critic_)(model.sample(batch.rows, pass).value, pass);
    if (phase == 1) return softplus(-drawn);
    const typename Tape<T>::Probe probe(pass.tape);
    const Var<T> data = probe(batch.data), real = (*critic_)(data, pass);
    Var<T> loss = softplus(-real) + softplus(drawn);
    for (Index j = 0; j < data.columns(); ++j) {
      const Var<T> direction = pass.tape.full(data.rows(), data.columns(), T(0));
      std::fill_n(direction.data().column(j), data.rows(), T(1));
      if (const Var<T> slope = pass.tape.tangent(real, data, direction))
        loss = loss + static_cast<T>(penalty_ / 2) * square(slope);
    }
    return loss;
  }
  std::span<const PhaseInfo<T>> phases() const override { return phases_; }
  ObjectiveNeeds needs() const override { return {.data = true, .model_log_prob = false, .model_sample = true}; }

 private:
  std::unique_ptr<Network<T>> critic_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  double penalty_;
  PhaseInfo<T> phases_[2];
};

inline constexpr Field kAdversarialFields[] = {
    component("critic", "network", "{mlp: {hidden: [16], activation: tanh}}", "tells data from samples"),
    component("optimizer", "optimizer", "{adam: {learning_rate: 0.02}}", "the critic's"),
    integer("repeats", "3", "steps of the critic before one of the model").at_least(1),
    real("penalty", "1.0", "on the square of the critic's slope at the data").at_least(0),
};
inline constexpr Example kAdversarialExamples[] = {{"default", "witness_adversarial"}};
inline constexpr ComponentInfo kAdversarial = describe<Adversarial>(
    "objective", "witness_adversarial", "A critic and a model in turn", kAdversarialFields, kAdversarialExamples);

}  // namespace pushforward::test
