#include "run_folder.h"

#include <fmt/format.h>

#include <system_error>

#include "io/file_error.h"
#include "io/path_hint.h"

namespace pushforward {

namespace fs = std::filesystem;

namespace {

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", path.string(), error.message()));
}

}  // namespace

void RunFolder::check_free(const std::string& given) {
  std::error_code error;
  if (given.empty() || !fs::exists(given, error)) return;
  if (!fs::is_directory(given, error))
    throw SpecError(fmt::format("option '--output' is '{}', which is a file; name a folder for the run", given));
  if (!fs::is_empty(given, error))
    throw SpecError(
        fmt::format("the folder '{}' is not empty, and a run overwrites nothing; name another with --output, "
                    "or leave it out for a fresh one in runs/",
                    given));
}

RunFolder RunFolder::create(const std::string& given, const std::string& name) {
  if (!given.empty()) {
    check_free(given);
    make_folders(given);
    return RunFolder(given);
  }
  const fs::path runs = "runs";
  make_folders(runs);
  for (int n = 1;; ++n) {
    const fs::path path = runs / fmt::format("{}-{}", name, n);
    std::error_code error;
    // Making it, not looking whether it is there: two runs that start at once get two folders.
    if (fs::create_directory(path, error)) return RunFolder(path);
    if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", path.string(), error.message()));
  }
}

fs::path RunFolder::checkpoint_of(const std::string& run) {
  require_path(run, "run");
  if (!fs::is_directory(run)) return run;
  const fs::path checkpoint = fs::path(run) / kCheckpoint;
  if (!fs::exists(checkpoint))
    throw CheckpointError(fmt::format("the folder '{}' holds no {}: it is not the folder of a run", run, kCheckpoint));
  return checkpoint;
}

}  // namespace pushforward
