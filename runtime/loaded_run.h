// A finished run, ready to be evaluated and sampled: built from its checkpoint alone.
#pragma once

#include <memory>
#include <optional>

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
  /// Builds the model that the checkpoint's spec describes and fills it, with the averaged parameters where the run
  /// averages. `seed` is that of the draws.
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
  Split<T> transform(const Table& table) const { return transform_rows(model(), data(), table); }

 private:
  const Registry& registry_;
  std::optional<typename DataPipeline<T>::State> state_;
  Experiment<T> experiment_;
  std::unique_ptr<Engine<T>> engine_;
};

}  // namespace pushforward
