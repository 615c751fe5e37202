// The folder of a run: its name, its files, and that nothing in it is ever overwritten.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace pushforward {

class RunFolder {
 public:
  /// Makes `given`, or the first free `runs/<name>-<n>` if none is given, and claims it until the last copy of this
  /// object is gone: another `create` of the same folder meanwhile is refused, even if nothing is in it yet. A folder
  /// that is claimed, or there and not empty, is refused with SpecError; what cannot be made is a FileError.
  static RunFolder create(const std::string& given, const std::string& name);
  /// Claims the folder of a run that was begun, to go on with it. Throws SpecError if `run` is no folder, or if another
  /// run is writing into it.
  static RunFolder reopen(const std::string& run);
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
  /// Takes back a run of which nothing came: its files and, if `create` made it, the folder. Leaves everything as it is
  /// if anything else is in there. Returns whether it is as if the run had not been.
  bool discard() const;

 private:
  struct Claim;
  static constexpr const char* kCheckpoint = "checkpoint.safetensors";
  RunFolder(std::filesystem::path path, bool made);
  std::filesystem::path path_;
  bool made_;  // it was not there before
  std::shared_ptr<Claim> claim_;
};

}  // namespace pushforward
