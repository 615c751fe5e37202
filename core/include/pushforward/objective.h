// Objective: what training minimises.
#pragma once

#include "pushforward/distribution.h"

namespace pushforward {

/// The rows of one shard of a batch. The context is in the pass.
template <class T>
struct Batch {
  Var<T> data;     // N x D; none if the objective draws from the model only
  Var<T> weights;  // N x 1 or none
  Index rows = 0;
  const Target<T>* target = nullptr;  // the model's, if it has one
};

template <class T>
class Optimizer;

/// An objective may alternate between phases (a critic five times, then the model).
template <class T>
struct PhaseInfo {
  const char* name = "model";
  enum class Trains : std::uint8_t { model, objective } trains = Trains::model;
  int repeats = 1;
  const Optimizer<T>* optimizer = nullptr;  // none: the training's
};

struct ObjectiveNeeds {
  bool data = true;
  bool model_log_prob = true;
  bool model_sample = false;
  bool target = false;
  /// The gradient is that of the loss with the same draws. False: only its mean is, as where the score of the samples is
  /// left out because it is zero on average.
  bool exact_gradient = true;
};

/// A loss built from per-row numbers.
///
/// `rows` maps a shard to N x K; `reduce` maps the K columns of the whole batch to the loss, 1 x 1. A separable
/// objective's loss is the weighted mean of column 0 and `reduce` is never called. For others the engine runs `rows`
/// unrecorded on all shards, `reduce` once on its own tape, then `rows` again, recorded, seeded with the adjoint of
/// `reduce`: exact because draws are keyed, and memory stays flat.
template <class T>
class PUSHFORWARD_EXPORT Objective : public Component<T> {
 public:
  ~Objective() override;
  virtual Var<T> rows(int phase, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const = 0;
  virtual Var<T> reduce(int phase, Var<T> rows, Var<T> weights, const Pass<T>& pass) const;
  virtual bool separable() const { return true; }
  virtual std::span<const PhaseInfo<T>> phases() const;
  virtual ObjectiveNeeds needs() const { return {}; }
};

extern template class Objective<float>;
extern template class Objective<double>;

}  // namespace pushforward
