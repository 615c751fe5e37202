// A finished run, ready to be evaluated and sampled: built from its checkpoint alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "io/table_file.h"

namespace pushforward {

/// A table in the user's units as a model sees it. Without `data`, the data side of a spec, the columns are taken as
/// they are. Throws DataError if they do not fit.
template <class T>
Split<T> transform_rows(const Model<T>& model, const DataPipeline<T>* data, const Table& table);

template <class T>
class LoadedRun {
 public:
  /// Builds the model that the checkpoint's spec describes and fills it, with the parameters that the run came
  /// to: the best, the averaged or the last. `seed` is that of the draws.
  LoadedRun(const Registry& registry, const ResolvedSpec& spec, const Checkpoint& checkpoint, int threads,
            std::uint64_t seed);

  Engine<T>& engine() { return *engine_; }
  const Model<T>& model() const { return experiment_.model; }
  /// None for a run that was fitted without data.
  const DataPipeline<T>* data() const { return experiment_.data.get(); }
  /// The rows that it was fitted to and those it was not, read again from the spec's source. Throws DataError; a run
  /// without data is one.
  const std::vector<Split<T>>& own_splits();
  /// The columns that the model needs of a file; a CSV file is read as the run's own was. `events` false: its context
  /// alone. Throws as `read_table` does.
  Table read(const std::filesystem::path& path, const std::string& what, bool events = true) const;
  /// The same for points of the base: the columns `base_columns()`, and the context.
  Table read_base(const std::filesystem::path& path, const std::string& what) const;
  Split<T> transform(const Table& table) const { return transform_rows(model(), data(), table); }

  /// Log-density of each row, in nats and in the units of the table. Throws DataError if the columns do not fit.
  std::vector<double> log_prob(const Table& table) { return log_prob(transform(table)); }
  /// The same for rows as the model sees them: still in the data's units.
  std::vector<double> log_prob(const Split<T>& split);
  /// `n` samples in the data's units; `context` is a split with rows of the context, or without. Other seeds give other
  /// samples. Throws SpecError if the model cannot be sampled.
  Table sample(Index n, std::uint64_t seed, const Split<T>& context);
  /// Events in the data's units to points of the flow's base, and each row's log abs det of that map, preprocessing
  /// included, into `log_det`. Throws SpecError if the model is no flow.
  Table to_base(const Table& table, std::vector<double>& log_det);
  /// Points of the base, columns `base_columns()` and those of the context by name, or all by place, to events in the
  /// data's units; `log_det` is that of this direction. Throws as `to_base`, and DataError for columns that are
  /// missing.
  Table from_base(const Table& table, std::vector<double>& log_det);
  /// `z0`, `z1`, ...
  std::vector<std::string> base_columns() const;

 private:
  CsvForm csv_form() const;
  const Registry& registry_;
  int threads_;
  std::optional<typename DataPipeline<T>::State> state_;
  Experiment<T> experiment_;
  std::unique_ptr<Engine<T>> engine_;
};

}  // namespace pushforward
