// The folder of a run: its name, its files, and that nothing in it is ever overwritten.
#pragma once

#include <filesystem>
#include <string>

namespace pushforward {

class RunFolder {
 public:
  /// Makes `given`, or the first free `runs/<name>-<n>` if none is given. A folder that is there and not empty is
  /// refused with SpecError; what cannot be made is a FileError.
  static RunFolder create(const std::string& given, const std::string& name);
  /// Throws SpecError if `create` would refuse: asked before work is done that would be lost.
  static void check_free(const std::string& given);
  /// The checkpoint that an argument RUN names: a run's folder, or a checkpoint itself. Throws SpecError if there is
  /// nothing of that name, CheckpointError if the folder holds none.
  static std::filesystem::path checkpoint_of(const std::string& run);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path spec() const { return path_ / "spec.yaml"; }
  std::filesystem::path checkpoint() const { return path_ / kCheckpoint; }
  std::filesystem::path samples() const { return path_ / "samples.npy"; }
  std::filesystem::path evaluation() const { return path_ / "evaluation.json"; }

 private:
  static constexpr const char* kCheckpoint = "checkpoint.safetensors";
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace pushforward
