// Run: a finished run in a program of one's own. Link pushforward::run; no spec, no training data and no Python are
// needed.
//
//   pushforward::Run run("runs/wine");
//   const pushforward::Table rows = run.read("new_wines.csv");
//   for (double log_density : run.log_prob(rows)) std::cout << log_density << '\n';
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pushforward/dataset.h"

namespace pushforward {

struct RunSettings {
  /// Searched for plugins before PUSHFORWARD_PLUGIN_PATH and the installation's own folder.
  std::vector<std::string> plugin_folders = {};
  int threads = 1;  // never changes a result
};

/// A run as `pushforward fit` left it: the model with its trained numbers (averaged ones where the run averages), and
/// the preprocessing between the data's units and the model's. Everything is in the checkpoint; the plugins that the
/// model is made of must be found.
///
/// Rows are tables in double precision in the data's units; columns are found by their names or, if none of the names
/// is there and the table has exactly as many columns as are needed, by their places: events first, then the context.
/// One object belongs to one thread at a time.
class PUSHFORWARD_EXPORT Run {
 public:
  /// `run`: the folder of a run, or a checkpoint. Throws SpecError if there is none, CheckpointError if it is damaged,
  /// PluginError or SpecError if a plugin is missing or was built for something else.
  explicit Run(const std::string& run, const RunSettings& settings = {});
  ~Run();
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;

  /// Names of the columns of an event, and of those that the context is made of (none: the model is unconditional).
  const std::vector<std::string>& columns() const;
  const std::vector<std::string>& context_columns() const;
  /// What the run was made with and differs now (other plugins); for a log. Empty: nothing.
  const std::vector<std::string>& warnings() const;

  /// Reads the needed columns of a `.csv` or `.npy` file. Throws DataError with file, row and column;
  /// SpecError if there is no such file.
  Table read(const std::string& file) const;
  /// An empty table of `rows` rows with the columns that are needed, to be filled in.
  Table rows(Index rows) const;

  /// Log-density of each row, in nats; minus infinity outside of the support. Throws DataError if columns are missing
  /// or a value is not finite.
  std::vector<double> log_prob(const Table& rows);
  /// `n` samples. Equal seeds give equal samples. A conditional model needs a context of as many rows, or of a number
  /// that divides n: each then gets as many samples. Throws SpecError without one, or if it cannot be sampled.
  Table sample(Index n, std::uint64_t seed, const Table& context = {});
  /// Events to points of the flow's base (columns `z0`, `z1`, ...) and back; `log_det`, if given, gets the rows' log
  /// abs det of that direction, in the data's units. Throws SpecError if the model is no flow.
  Table to_base(const Table& rows, std::vector<double>* log_det = nullptr);
  Table from_base(const Table& points, std::vector<double>* log_det = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pushforward
