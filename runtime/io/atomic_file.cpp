#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "io/file_error.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

/// The file that is really replaced: what a chain of links ends at, even if nothing is there yet.
fs::path behind_links(fs::path path) {
  constexpr int kMaximumLinks = 40;  // as the kernel
  std::error_code error;
  for (int i = 0; i < kMaximumLinks && fs::is_symlink(fs::symlink_status(path, error)); ++i) {
    const fs::path next = fs::read_symlink(path, error);
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// Unique among the threads and processes that share the folder; hidden, so that a `*.npy` never meets it.
std::string temporary_name(const fs::path& target) {
  static std::atomic<unsigned> counter{0};
  return fmt::format(".{}.{}-{}.tmp", target.filename().string(), getpid(), counter++);
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& target) : target_(behind_links(target)), named_(target.string()) {
  std::error_code error;
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status)) throw FileError(fmt::format("cannot write '{}': a folder has that name", named_));
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw FileError(fmt::format("cannot write '{}': it is not a regular file", named_));
  const fs::path folder = folder_of(target_);
  if (!fs::is_directory(folder, error))
    throw FileError(fmt::format("cannot write '{}': there is no folder '{}'; make it first", named_, folder.string()));
  temporary_ = folder / temporary_name(target_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    const int code = errno;
    temporary_.clear();
    fail("cannot write", code);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what, int error) const {
  throw FileError(fmt::format("{} '{}': {}", what, named_, reason(error)));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot write", errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("cannot write", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot give its name to", errno);
  temporary_.clear();
  // The name itself is on the disk only once the folder is.
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("cannot sync the folder of", errno);
  const int synced = ::fsync(folder);
  const int code = errno;
  ::close(folder);
  // Some file systems know no sync of a folder; they say so, and nothing more can be done.
  if (synced != 0 && code != EINVAL && code != ENOTSUP) fail("cannot sync the folder of", code);
}

void write_file(const fs::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(text);
  file.commit();
}

std::string read_file(const fs::path& path) {
  const auto fail = [&](const std::string& why) {
    throw DataError(fmt::format("cannot read '{}': {}", path.string(), why));
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(reason(errno));
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  struct stat status;
  if (::fstat(descriptor, &status) != 0) fail(reason(errno));
  if (S_ISDIR(status.st_mode)) fail("it is a folder");

  std::string text;
  std::size_t filled = 0;
  text.resize(static_cast<std::size_t>(status.st_size > 0 ? status.st_size : 0) + 1);
  for (;;) {
    const ssize_t n = ::read(descriptor, text.data() + filled, text.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(reason(errno));
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
    if (filled == text.size()) text.resize(2 * text.size());  // a pipe, or a file that grows
  }
  text.resize(filled);
  return text;
}

}  // namespace pushforward
