#include "run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "io/file_error.h"
#include "io/path_hint.h"

namespace pushforward {

namespace fs = std::filesystem;

namespace {

/// True if the folder is new.
bool make_folders(const fs::path& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", path.string(), error.message()));
  return made;
}

[[noreturn]] void refuse_claimed(const fs::path& path) {
  throw SpecError(
      fmt::format("another run is writing into the folder '{}'; name another with --output, or leave it out for a "
                  "fresh one in runs/",
                  path.string()));
}

void require_empty(const fs::path& path) {
  std::error_code error;
  const fs::directory_iterator first(path, error);
  if (!error && first == fs::directory_iterator()) return;
  // Named, because it may be hidden: what an interrupted fit leaves is.
  const std::string there = error ? error.message() : first->path().filename().string();
  throw SpecError(
      fmt::format("the folder '{}' is not empty, and a run overwrites nothing: it holds '{}'; name another with "
                  "--output, or leave it out for a fresh one in runs/",
                  path.string(), there));
}

}  // namespace

/// A lock on the folder itself: it leaves no file behind, and the system drops it however the program ends.
struct RunFolder::Claim {
  explicit Claim(const fs::path& path) : descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    // A file system without locks is no reason to refuse a run.
    free = descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  }
  ~Claim() {
    if (descriptor >= 0) ::close(descriptor);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  int descriptor;
  bool free;  // nobody else has claimed it
};

RunFolder::RunFolder(std::filesystem::path path, bool made)
    : path_(std::move(path)), made_(made), claim_(std::make_shared<Claim>(path_)) {
  if (!claim_->free) refuse_claimed(path_);
}

void RunFolder::check_free(const std::string& given) {
  std::error_code error;
  if (given.empty() || !fs::exists(given, error)) return;
  if (!fs::is_directory(given, error))
    throw SpecError(fmt::format("option '--output' is '{}', which is a file; name a folder for the run", given));
  if (!Claim(given).free) refuse_claimed(given);
  require_empty(given);
}

RunFolder RunFolder::create(const std::string& given, const std::string& name) {
  if (!given.empty()) {
    check_free(given);
    const bool made = make_folders(given);
    const RunFolder folder(given, made);
    // Looked at under the claim: what another run left meanwhile is seen.
    if (!made) require_empty(given);
    return folder;
  }
  const fs::path runs = "runs";
  make_folders(runs);
  for (int n = 1;; ++n) {
    const fs::path path = runs / fmt::format("{}-{}", name, n);
    std::error_code error;
    // Making it, not looking whether it is there: two runs that start at once get two folders.
    if (fs::create_directory(path, error)) return RunFolder(path, true);
    if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", path.string(), error.message()));
  }
}

RunFolder RunFolder::reopen(const std::string& run) {
  require_path(run, "run");
  if (!fs::is_directory(run))
    throw SpecError(fmt::format("'{}' is a file; name the folder of a run, into which the rest is to be written", run));
  if (!Claim(run).free)
    throw SpecError(fmt::format("another program is writing into the run '{}'; wait for its end, or end it", run));
  RunFolder folder(run, false);
  // What a program was writing when it was killed.
  const std::string begin = "." + folder.checkpoint().filename().string() + ".";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run, error))
    if (const std::string name = entry.path().filename().string(); name.starts_with(begin) && name.ends_with(".tmp"))
      fs::remove(entry.path(), error);
  return folder;
}

bool RunFolder::discard() const {
  const std::array<fs::path, 3> ours = {spec(), checkpoint(), path_ / "metrics.csv"};
  std::error_code error;
  std::vector<fs::path> there;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error))
    there.push_back(entry->path());
  const auto is_ours = [&](const fs::path& file) { return std::find(ours.begin(), ours.end(), file) != ours.end(); };
  if (error || !std::all_of(there.begin(), there.end(), is_ours)) return false;
  for (const fs::path& file : there)
    if (!fs::remove(file, error)) return false;
  return !made_ || fs::remove(path_, error);
}

fs::path RunFolder::checkpoint_of(const std::string& run) {
  require_path(run, "run");
  if (!fs::is_directory(run)) {
    const std::string suffix = fs::path(run).extension().string();
    if (suffix == ".yaml" || suffix == ".yml")
      throw SpecError(
          fmt::format("'{}' is no checkpoint: it looks like a spec; fit it first, or name a run's folder", run));
    return run;
  }
  const fs::path checkpoint = fs::path(run) / kCheckpoint;
  std::error_code error;
  const auto holds = [&](const fs::path& file) { return fs::exists(fs::symlink_status(file, error)); };
  if (holds(checkpoint)) return checkpoint;
  if (holds(fs::path(run) / "spec.yaml"))
    throw CheckpointError(
        fmt::format("the folder '{}' holds no {}: the fit ended before it had saved anything; fit again, into another "
                    "folder",
                    run, kCheckpoint));
  throw CheckpointError(fmt::format("the folder '{}' holds no {}: it is not the folder of a run", run, kCheckpoint));
}

}  // namespace pushforward
