// Checkpoint: everything of a run that is needed to evaluate it, sample from it and go on with it, in one file, without
// the spec's file or the training data.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "io/safetensors.h"
#include "pushforward/procedure.h"
#include "pushforward/registry/experiment.h"

namespace pushforward {

/// A safetensors file. Names of its arrays:
///
/// | name | what |
/// | --- | --- |
/// | `model.bijectors[0]...weight` | a parameter, by its path; rows x columns |
/// | `state/<path>` | state of a component |
/// | `averaged/<path>` | the averaged parameter, where the run averages |
/// | `best/<path>`, `best_state/<path>` | the parameter and the state at the lowest validation loss, where the run
/// keeps | |  | them; `early_stopping/counts`, `early_stopping/losses` are the rest of its memory | | `schedule/<name>`
/// | a schedule's memory | | `preprocess/<i>` | the numbers of the i-th preprocessing step | |
/// `optimizer/<phase>/<name>` | an optimizer's memory, over the whole parameter vector with its gaps | |
/// `optimizer_numbers/<phase>/<name>`, `optimizer_step/<phase>` | its small exact state |
///
/// Metadata: `kind`, `format_version`, `toolkit_version`, `spec` (resolved, YAML), `precision`, `step`, `columns` and
/// `context_columns` (JSON lists), `data_rows` and `data_checksum` (of the source), `checksum`.
class Checkpoint {
 public:
  /// What is saved. `training` may be none (before the first step); `data` is none for a spec without data.
  template <class T>
  static Checkpoint capture(const Model<T>& model, const Training<T>* training,
                            const typename DataPipeline<T>::State* data, const std::string& spec, std::int64_t step);

  /// Throws CheckpointError naming the file and what is wrong: not readable, damaged, no checkpoint, a format that this
  /// version does not know.
  static Checkpoint read(const std::filesystem::path& path);
  /// Whole or not at all. Throws FileError.
  void write(const std::filesystem::path& path) const;

  const std::string& spec() const;
  const std::string& toolkit_version() const;
  bool float64() const;
  std::int64_t step() const;
  bool averaged() const;
  bool keeps_best() const;

  /// The preprocessing's numbers and the names of the columns; none for a run without data.
  template <class T>
  std::optional<typename DataPipeline<T>::State> data() const;

  /// Parameters and state into the store of a model built from `spec()`. Throws CheckpointError with every difference:
  /// missing, unknown, another shape or type. Nothing is written unless everything fits.
  template <class T>
  void restore(Model<T>& model) const;
  /// What the run came to, after `restore`, in place of the last parameters: the best ones with their state where it
  /// keeps them, else the averaged ones, if it averages. Throws CheckpointError as `restore` does.
  template <class T>
  void restore_result(Model<T>& model) const;
  /// Memories of optimizers, schedule and early stopping, averaged parameters and the step to go on from.
  template <class T>
  void restore(Training<T>& training, const Layout& layout) const;

 private:
  std::int64_t count(const std::string& key) const;  // of the metadata
  const std::string& metadata(const std::string& key) const;
  void check_metadata() const;
  template <class E>
  std::vector<E> list(const std::string& name) const;
  bool any(const char* prefix) const;  // array of such a name
  /// One whole parameter vector, stored under `prefix`; empty if there is none.
  template <class T>
  std::vector<T> parameters(const char* prefix, const Layout& layout) const;
  template <class T>
  void restore_state(const char* prefix, const Layout& layout, std::vector<T>& real,
                     std::vector<std::int64_t>& integer) const;
  template <class T>
  BestParameters<T> best(const Layout& layout) const;

  TensorFile file_;
  std::string name_ = "checkpoint";
};

}  // namespace pushforward
