// Dataset, Preprocess, Tracker: what comes in before training and what goes out during it.
#pragma once

#include <string>
#include <vector>

#include "pushforward/bijector.h"
#include "pushforward/optimizer.h"

namespace pushforward {

/// A table in double precision, column-major, compact: `values[i + j * rows]`.
struct Table {
  Index rows = 0;
  std::vector<std::string> names;  // one per column
  std::vector<double> values;
  Index columns() const { return static_cast<Index>(names.size()); }
  std::span<const double> column(Index j) const { return {values.data() + j * rows, static_cast<std::size_t>(rows)}; }
  std::span<double> column(Index j) { return {values.data() + j * rows, static_cast<std::size_t>(rows)}; }
};

/// A source of rows. Independent of the precision; registered as the same factory for both.
template <class T>
class PUSHFORWARD_EXPORT Dataset : public Component<T> {
 public:
  ~Dataset() override;
  /// All rows, a function of the fields and the seed alone. Throws DataError with file, line and column.
  virtual Table load(std::uint64_t seed) const = 0;
};

/// A fixed invertible map that is fitted to the training rows before training, and is part of the run: it maps raw
/// data to what the model sees. Its numbers are state, saved in the checkpoint.
template <class T>
class PUSHFORWARD_EXPORT Preprocess : public Component<T> {
 public:
  ~Preprocess() override;
  /// Numbers that `fit` makes for `columns` columns.
  virtual Index state_size(Index columns) const = 0;
  /// Computes the state from the training rows.
  virtual void fit(const Table& training, std::span<double> state) const = 0;
  /// Raw to preprocessed, in place; adds each row's log abs det to `log_det` if that is not empty.
  virtual void apply(Table& table, std::span<const double> state, std::span<double> log_det) const = 0;
  /// Preprocessed to raw, in place.
  virtual void undo(Table& table, std::span<const double> state) const = 0;
};

/// Receives a run's numbers as they come.
struct MetricRow {
  std::int64_t step = 0;
  double loss = 0;  // of the step's batch; in what a fit's trackers are told, the mean since the last row (see csv)
  double validation_loss = 0;  // NaN: not computed at this step
  double learning_rate = 0;
  double seconds = 0;
};
template <class T>
class PUSHFORWARD_EXPORT Tracker : public Component<T> {
 public:
  ~Tracker() override;
  /// Called once; the folder exists.
  virtual void start(const std::string& run_folder) = 0;
  virtual void record(const MetricRow& row) = 0;
  virtual void finish() = 0;
};

extern template class Dataset<float>;
extern template class Dataset<double>;
extern template class Preprocess<float>;
extern template class Preprocess<double>;
extern template class Tracker<float>;
extern template class Tracker<double>;

}  // namespace pushforward
