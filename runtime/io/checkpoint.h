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
/// | `preprocess/<i>` | the numbers of the i-th preprocessing step |
/// | `optimizer/<phase>/<name>` | an optimizer's memory, over the whole parameter vector with its gaps |
/// | `optimizer_numbers/<phase>/<name>`, `optimizer_step/<phase>` | its small exact state |
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

  /// The preprocessing's numbers and the names of the columns; none for a run without data.
  template <class T>
  std::optional<typename DataPipeline<T>::State> data() const;

  /// Parameters and state into the store of a model built from `spec()`. Throws CheckpointError with every difference:
  /// missing, unknown, another shape or type. Nothing is written unless everything fits.
  template <class T>
  void restore(Model<T>& model) const;
  /// The averaged parameters in place of the last ones; nothing if the run does not average.
  template <class T>
  void restore_averaged(Model<T>& model) const;
  /// Optimizer states, averaged parameters and the step to go on from.
  template <class T>
  void restore(Training<T>& training, const Layout& layout) const;

 private:
  std::int64_t count(const std::string& key) const;  // of the metadata
  const std::string& metadata(const std::string& key) const;
  void check_metadata() const;
  template <class E>
  std::vector<E> list(const std::string& name) const;
  template <class T>
  std::vector<T> averaged_parameters(const Layout& layout) const;  // empty: the run does not average

  TensorFile file_;
  std::string name_ = "checkpoint";
};

}  // namespace pushforward
