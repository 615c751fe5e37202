// InputFile: a file of data that is read from start to end, with errors that name it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "pushforward/shape.h"

namespace pushforward {

/// Throws DataError wherever the system refuses: `NAME: error: the file cannot be opened: CAUSE; check the field
/// 'file'`; SpecError with the same text if there is no such file.
class PUSHFORWARD_EXPORT InputFile {
 public:
  explicit InputFile(std::string name);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& name() const { return name_; }
  /// Bytes; none if the file is a pipe or the like, which can be read only once.
  std::optional<std::uint64_t> size() const { return size_; }
  /// The next bytes; returns how many there were: fewer than asked for only at the end.
  std::size_t read(std::span<char> out);
  /// Back to the start. Only for files that have a size.
  void rewind();
  /// All that is left.
  std::string read_rest();
  /// Throws DataError with a message about the file as a whole.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  [[noreturn]] void refuse(const char* what, int cause) const;

  std::string name_;
  int descriptor_;
  std::optional<std::uint64_t> size_;
};

}  // namespace pushforward
