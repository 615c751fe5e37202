// Procedure: who owns the training loop.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "pushforward/dataset.h"
#include "pushforward/engine.h"
#include "pushforward/optimizer.h"

namespace pushforward {

/// When a training ends before its steps are made: Prechelt, "Early stopping - but when?", 1998. Whoever gives one
/// also wants the best parameters kept, stopping or not.
struct EarlyStopping {
  std::int64_t patience = 0;       // looks at the validation rows in a row that are no improvement; 0: never stops
  double minimum_improvement = 0;  // a look is one if its loss is lower by more than this
};

/// The parameters with the lowest validation loss so far, with the state that components had then. Saved in every
/// checkpoint.
template <class T>
struct PUSHFORWARD_EXPORT BestParameters {
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  std::int64_t step = 0;           // how many steps had been made; 0: no loss was finite so far
  double validation_loss = kNone;  // at them
  double reference = kNone;        // the loss that an improvement is measured from
  std::int64_t waited = 0;         // looks since the last improvement
  std::vector<T> parameters;       // the averaged ones, where the training averages
  std::vector<T> real_state;
  std::vector<std::int64_t> integer_state;

  /// Takes a look into account; keeps a copy of `theta` and of the store's state if nothing was better.
  void look(std::int64_t made, double loss, double minimum_improvement, std::span<const T> theta,
            const Store<T>& store);
  /// Exchanges what is kept, which must be something, and what the store holds.
  void exchange(Store<T>& store);
};

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
  ScheduleState schedule_state;
  std::optional<EarlyStopping> early_stopping;  // needs validation
  BestParameters<T> best;                       // kept with `early_stopping`
  double ema_decay = 0;                         // 0: no averaging
  std::vector<T> averaged;                      // the averaged parameters, if any
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
  bool stopped = false;        // by on_step
  bool stopped_early = false;  // by early stopping, with steps left
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

extern template struct BestParameters<float>;
extern template struct BestParameters<double>;
extern template class Procedure<float>;
extern template class Procedure<double>;
extern template TrainingResult train_by_gradient<float>(Training<float>&);
extern template TrainingResult train_by_gradient<double>(Training<double>&);

}  // namespace pushforward
