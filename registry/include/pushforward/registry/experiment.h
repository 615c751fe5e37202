// Experiment: a resolved spec, built: data, model, objective, optimizer, everything that a run needs.
#pragma once

#include "pushforward/dataset.h"
#include "pushforward/engine.h"
#include "pushforward/procedure.h"
#include "pushforward/registry/assembly.h"

namespace pushforward {

/// One split, as the model sees it.
template <class T>
struct Split {
  std::string name;             // train, validation, test
  Matrix<T> data;               // preprocessed, rows x D
  Matrix<T> context;            // rows x C, or empty
  Matrix<T> weights;            // rows x 1, or empty
  std::vector<double> log_det;  // of the preprocessing, one per row: log_prob in data units is log_prob + log_det
  Index rows() const { return data.rows(); }
  Rows<T> view() const;
};

/// The data side of a spec: source, columns, splits, preprocessing. Its state (the preprocessing's numbers, the
/// names of the columns) is saved with a run, so that new data can be mapped without the training data.
template <class T>
class DataPipeline {
 public:
  /// The preprocessing's numbers and the column names, for a checkpoint.
  struct State {
    std::vector<std::string> columns, context_columns;
    std::vector<std::vector<double>> preprocess;
    Index rows = 0;             // of the source
    std::string checksum = {};  // of the values that it gave for the columns above; empty: not known
  };

  DataPipeline(const Registry& registry, const ResolvedSpec& spec);
  ~DataPipeline();

  /// Loads the source, splits it by the seed, fits the preprocessing on the training rows (or takes the `fitted`
  /// numbers of a run, to evaluate it on its own splits). Throws DataError, also if the source does not give the data
  /// of the run; SpecError if a split gets no row.
  void load(const State* fitted = nullptr);
  const std::vector<Split<T>>& splits() const;  // train first; those with a share of zero are absent
  const Split<T>* split(const std::string& name) const;

  const std::vector<std::string>& columns() const;          // of the model's events, in order
  const std::vector<std::string>& context_columns() const;  // raw columns that the context is made of
  Index event_size() const;
  Index context_size() const;  // columns of the context as the model sees it (labels: one per class)

  /// New data in the user's units to what the model sees. Columns are found by name; if none of the names is there and
  /// the table has exactly as many columns as are needed, by position: events first, then the context. Missing columns:
  /// DataError naming them. Weights are taken if their column is there. `need_events` false: a table with the context
  /// alone (sampling); its split has rows, but no data.
  Split<T> transform(const Table& table, bool need_events = true) const;
  /// Samples of the model (rows x D), in place, to the user's units; the table's names are the columns'.
  Table inverse(Block<const T> samples) const;

  State state() const;
  void restore(const State& state);  // in place of `load`: no splits, but `transform` and `inverse` work

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Numbers of the `training:` section, validated.
struct TrainingSettings {
  std::int64_t steps = 0;
  Index batch_size = 0;  // 0: all
  int lanes = 8;
  Index shard_rows = 0;  // 0: auto
  double clip_norm = 0;
  double ema_decay = 0;
  std::optional<EarlyStopping> early_stopping;
  std::int64_t report_every = 200, validate_every = 0, checkpoint_every = 0;
  double checkpoint_seconds = 0;  // time between two checkpoints, where no number of steps is; 0: none
};

template <class T>
struct Experiment {
  ResolvedSpec spec;
  std::unique_ptr<DataPipeline<T>> data;  // none: no `data:`
  Model<T> model;
  TrainingSettings settings;
  std::unique_ptr<Optimizer<T>> optimizer;
  std::unique_ptr<Schedule<T>> schedule;
  std::unique_ptr<Procedure<T>> procedure;
  std::vector<std::unique_ptr<Tracker<T>>> trackers;
  std::vector<ParameterRange> ranges;  // from training.groups: what moves, and how
  std::vector<std::uint8_t> frozen;    // one byte for each kPadding elements
};

/// `for_training`: loads the data and builds everything; with `restored` a training that goes on, whose data must be
/// those of that state. Otherwise the model and the pipeline alone, to be filled from a checkpoint; event and context
/// sizes then come from `restored`.
/// Checks what only instances know: shapes, traits (a model that cannot do what the objective needs is refused with
/// the path of the component that cannot), patterns of groups that match nothing, unused context.
template <class T>
Experiment<T> build_experiment(const Registry& registry, const ResolvedSpec& spec, bool for_training,
                               const typename DataPipeline<T>::State* restored = nullptr);

/// How the spec wants its model evaluated.
template <class T>
EngineSettings engine_settings(const Experiment<T>& experiment, int threads);
/// What the experiment's procedure is given: rows, optimizer, what moves, settings. Callbacks are the caller's to add.
/// Both arguments must outlive it.
template <class T>
Training<T> make_training(const Experiment<T>& experiment, Engine<T>& engine);

}  // namespace pushforward
