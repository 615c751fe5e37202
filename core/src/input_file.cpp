#include "pushforward/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "pushforward/error.h"

namespace pushforward {

InputFile::InputFile(std::string name)
    : name_(std::move(name)), descriptor_(::open(name_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) refuse("opened", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

std::size_t InputFile::read(std::span<char> out) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t more = ::read(descriptor_, out.data() + size, out.size() - size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) refuse("read", errno);
    if (more == 0) break;
    size += static_cast<std::size_t>(more);
  }
  return size;
}

void InputFile::rewind() {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) refuse("read again", errno);
}

std::string InputFile::read_rest() {
  // One byte more than the file has, so that a whole file comes to its end in one go.
  std::string text(size_ ? static_cast<std::size_t>(*size_) + 1 : std::size_t{1} << 16, '\0');
  for (std::size_t size = 0;;) {
    size += read(std::span(text).subspan(size));
    if (size < text.size()) {
      text.resize(size);
      return text;
    }
    text.resize(2 * size);
  }
}

void InputFile::fail(const std::string& message) const { throw DataError(name_ + ": error: " + message); }

void InputFile::refuse(const char* what, int cause) const {
  const std::string message = std::string("the file cannot be ") + what + ": " +
                              std::generic_category().message(cause) + "; check the field 'file'";
  // A name without a file is a mistake of the spec, not of the data.
  if (cause == ENOENT) throw SpecError(name_ + ": error: " + message);
  fail(message);
}

}  // namespace pushforward
