// One fit: from an experiment to the files of its run.
#pragma once

#include <limits>
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
  double loss = 0;                          // as last reported: see ReportedLoss
  int signal = 0;                           // what interrupted it, or 0
  std::int64_t best_step = 0;               // whose parameters are the run's; 0: those of the last step
  double best_validation_loss = 0;          // at them
  std::vector<SplitEvaluation> evaluation;  // none if it was interrupted
};

/// The loss that trackers, progress and the result of a fit tell. That of one batch tells more about the batch than
/// about the parameters: where batches are a part of the rows, it is the mean over the steps since the last report, and
/// only where they are all rows the step's own.
class ReportedLoss {
 public:
  explicit ReportedLoss(bool of_all_rows) : of_all_rows_(of_all_rows) {}
  /// To be told every step's loss; gives what is to be reported at it.
  double at_step(double loss) {
    sum_ = of_all_rows_ ? loss : sum_ + loss;
    steps_ = of_all_rows_ ? 1 : steps_ + 1;
    return sum_ / static_cast<double>(steps_);
  }
  /// The next mean begins after this step.
  void reported(double loss) {
    last_ = loss;
    sum_ = 0;
    steps_ = 0;
  }
  double last() const { return last_; }

 private:
  bool of_all_rows_;
  double sum_ = 0, last_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t steps_ = 0;
};

/// Trains an experiment and writes everything that a run's folder holds. Used once.
template <class T>
class Fitting {
 public:
  Fitting(const Registry& registry, Experiment<T>& experiment, RunFolder folder, int threads, Console& console);

  /// Before `run`: goes on from a checkpoint of this run, with its own spec as the run's. Throws CheckpointError if it
  /// does not fit the experiment.
  void go_on_from(const Checkpoint& checkpoint);

  /// Throws what training throws; the last checkpoint whose parameters gave a finite loss is then in the folder, and
  /// named in a warning. If no step was made there is nothing to keep: the folder is as it was before, or gone.
  FitOutcome run();
  /// After `run`: ready to evaluate and sample what later commands load.
  Engine<T>& engine() { return engine_; }

 private:
  Training<T> make_training();
  /// Rows whose density is zero before the first step make the loss infinite, and no step can mend that. Throws
  /// DataError.
  void require_support();
  void start_trackers();
  void train(FitOutcome& outcome);
  bool after_step(const MetricRow& step, bool report);
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
  ReportedLoss loss_;
  Progress progress_;

  struct Candidate {
    Checkpoint checkpoint;
    std::int64_t step = 0;
    bool write = false;  // due by `checkpoint_every`
  };
  std::optional<Candidate> candidate_, good_;
  std::int64_t saved_step_ = 0;  // of the file
  double saved_seconds_ = 0;     // when it was written
  bool stepped_ = false;         // a step was made
  bool goes_on_ = false;         // with what was there already
};

}  // namespace pushforward
