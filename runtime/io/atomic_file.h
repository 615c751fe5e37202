// A file that is there whole, or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace pushforward {

/// Writes under a temporary name in the target's folder; `commit` syncs it, gives it its name and syncs the folder.
/// Without `commit` (an exception, an early return) the temporary is removed and the target is what it was.
///
/// A target that is a symbolic link keeps the link: the file it points to is replaced. All methods throw FileError,
/// which names the target and the system's reason.
class AtomicFile {
 public:
  /// Opens the temporary. The folder must exist; a target that is no regular file (a folder, a device) is refused.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  void commit();

 private:
  [[noreturn]] void fail(const char* what, int error) const;

  std::filesystem::path target_, temporary_;
  std::string named_;  // the target as the caller named it
  int descriptor_ = -1;
};

/// The whole of `text` as a file.
void write_file(const std::filesystem::path& target, std::string_view text);

/// The whole of a file. Throws DataError with the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

}  // namespace pushforward
