// Procedure: who owns the training loop.
#pragma once

#include <functional>
#include <memory>

#include "pushforward/dataset.h"
#include "pushforward/engine.h"
#include "pushforward/optimizer.h"

namespace pushforward {

/// What a procedure is given. Everything outlives the call.
template <class T>
struct Training {
  Engine<T>* engine = nullptr;
  Rows<T> train;       // all training rows (count 0 and no data: fresh draws or no data)
  Rows<T> validation;  // count 0: none
  const Optimizer<T>* optimizer = nullptr;
  const Schedule<T>* schedule = nullptr;            // none: constant
  std::vector<ParameterRange> ranges;               // what moves, and how
  std::vector<std::uint8_t> frozen;                 // as Engine::set_frozen; frozen by the spec's groups
  std::vector<OptimizerState<T>> optimizer_states;  // one for each phase
  std::int64_t steps = 0;
  std::int64_t first_step = 0;  // not zero when a run goes on
  Index batch_size = 0;         // 0: all rows
  double clip_norm = 0;         // 0: none
  std::int64_t report_every = 200;
  std::int64_t validate_every = 0;  // 0: never; at the averaged parameters, if there are any
  double ema_decay = 0;             // 0: no averaging
  std::vector<T> averaged;          // the averaged parameters, if any
  std::uint64_t seed = 0;
  std::int64_t checkpoint_every = 0;  // 0: never during the run
  /// Called after every step, cheaply: `report` is set every `report_every` steps, at the first and at the last.
  /// Return false to stop after this step (its parameters are kept). May be empty.
  std::function<bool(const MetricRow& row, bool report)> on_step;
  /// Called after `step` steps were made, when the store and the optimizer states are consistent. May be empty.
  std::function<void(std::int64_t steps)> on_checkpoint;
};

struct TrainingResult {
  std::int64_t steps = 0;  // made in all, those before `first_step` included
  double loss = 0;         // at the last step's parameters before its update, as the literature reports
  double seconds = 0;
  bool stopped = false;  // by on_step
};

template <class T>
class PUSHFORWARD_EXPORT Procedure : public Component<T> {
 public:
  ~Procedure() override;
  virtual TrainingResult run(Training<T>& training) const = 0;
};

/// The default: stochastic gradient steps over shuffled batches, phases, clipping, averaging, validation.
template <class T>
PUSHFORWARD_EXPORT TrainingResult train_by_gradient(Training<T>& training);

extern template class Procedure<float>;
extern template class Procedure<double>;
extern template TrainingResult train_by_gradient<float>(Training<float>&);
extern template TrainingResult train_by_gradient<double>(Training<double>&);

}  // namespace pushforward
