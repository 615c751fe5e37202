// One fit: from an experiment to the files of its run.
#pragma once

#include <memory>
#include <optional>

#include "console.h"
#include "evaluation.h"
#include "progress.h"
#include "pushforward/registry/experiment.h"
#include "run_folder.h"

namespace pushforward {

/// What a fit came to.
struct FitOutcome {
  TrainingResult training;
  int signal = 0;                           // what interrupted it, or 0
  std::vector<SplitEvaluation> evaluation;  // none if it was interrupted
};

/// Trains an experiment and writes everything that a run's folder holds. Used once.
template <class T>
class Fitting {
 public:
  Fitting(const Registry& registry, Experiment<T>& experiment, RunFolder folder, int threads, Console& console);

  /// Throws what training throws; the last checkpoint that was written is then kept, and named in a warning.
  FitOutcome run();

 private:
  Training<T> make_training();
  void start_trackers();
  void train(FitOutcome& outcome);
  bool after_step(const MetricRow& row, bool report);
  void save_checkpoint(std::int64_t step);
  void evaluate(FitOutcome& outcome);
  void write_samples();

  const Registry& registry_;
  Experiment<T>& experiment_;
  RunFolder folder_;
  Console& console_;
  Engine<T> engine_;
  std::string spec_text_;
  std::optional<typename DataPipeline<T>::State> data_state_;
  std::vector<std::unique_ptr<Tracker<T>>> trackers_;  // besides the spec's
  Training<T> training_;
  Progress progress_;
  std::int64_t saved_step_ = 0;
};

}  // namespace pushforward
