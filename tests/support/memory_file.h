// Bytes as a file that lies on no disk, for readers that take a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace pushforward::test {

/// A regular file with a size, as long as the object lives.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& bytes) : descriptor_(::memfd_create("pushforward-test", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("no file in memory");
    const char* at = bytes.data();
    for (std::size_t left = bytes.size(); left > 0;) {
      const ssize_t written = ::write(descriptor_, at, left);
      if (written <= 0) throw std::runtime_error("a file in memory cannot be written");
      at += written;
      left -= static_cast<std::size_t>(written);
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace pushforward::test
