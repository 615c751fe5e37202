// One fit: from an experiment to the files of its run.
#pragma once

#include <memory>
#include <optional>

#include "console.h"
#include "evaluation.h"
#include "io/checkpoint.h"
#include "progress.h"
#include "pushforward/registry/experiment.h"
#include "run_folder.h"

namespace pushforward {

/// What a fit came to.
struct FitOutcome {
  TrainingResult training;
  int signal = 0;                           // what interrupted it, or 0
  std::int64_t best_step = 0;               // whose parameters are the run's; 0: those of the last step
  double best_validation_loss = 0;          // at them
  std::vector<SplitEvaluation> evaluation;  // none if it was interrupted
};

/// Trains an experiment and writes everything that a run's folder holds. Used once.
template <class T>
class Fitting {
 public:
  Fitting(const Registry& registry, Experiment<T>& experiment, RunFolder folder, int threads, Console& console);

  /// Throws what training throws; the last checkpoint whose parameters gave a finite loss is then in the folder, and
  /// named in a warning.
  FitOutcome run();
  /// After `run`: ready to evaluate and sample what later commands load.
  Engine<T>& engine() { return engine_; }

 private:
  Training<T> make_training();
  void start_trackers();
  void train(FitOutcome& outcome);
  bool after_step(const MetricRow& row, bool report);
  Checkpoint capture(std::int64_t step) const;
  void save_checkpoint(std::int64_t step);
  /// Keeps the parameters of this step in memory until the next step says whether they are good.
  void remember(std::int64_t step, bool write);
  void confirm();
  void keep_last_good();
  /// No step judges the last one's parameters: this does, before they replace the checkpoint. Throws NumericalError.
  void judge(std::int64_t step);
  void judge(std::int64_t step, const std::vector<T>& parameters);
  /// Puts what later commands load into the model: the best parameters, the averaged ones or the last.
  void adopt_result(FitOutcome& outcome);
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

  struct Candidate {
    Checkpoint checkpoint;
    std::int64_t step = 0;
    bool write = false;  // due by `checkpoint_every`
  };
  std::optional<Candidate> candidate_, good_;
  std::int64_t saved_step_ = 0;  // of the file
};

}  // namespace pushforward
