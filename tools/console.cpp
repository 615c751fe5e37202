#include "console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/atomic_file.h"
#include "io/file_error.h"

namespace pushforward {
namespace {

constexpr std::size_t kWidth = 100;  // where no terminal says otherwise
constexpr std::size_t kNarrowest = 60, kWidest = 120;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

std::size_t columns_of(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kWidth;
}

}  // namespace

Console::Console() {
  const char* term = std::getenv("TERM");
  const bool capable = term && std::strcmp(term, "dumb") != 0;
  terminal_ = capable && isatty(STDERR_FILENO);
  coloured_ = terminal_ && !is_set("NO_COLOR");
  coloured_results_ = capable && isatty(STDOUT_FILENO) && !is_set("NO_COLOR");
  width_ = std::clamp(columns_of(STDOUT_FILENO), kNarrowest, kWidest);
  terminal_width_ = columns_of(STDERR_FILENO);
}

std::string Console::paint(const std::string& text, Colour colour) const {
  return coloured_ ? fmt::format("\033[1;{}m{}\033[0m", static_cast<int>(colour), text) : text;
}

void Console::error(const std::string& raw) {
  const std::string message = shown_text(raw);
  constexpr std::string_view kWord = "error:";
  const std::size_t place = message.find(std::string(": ").append(kWord));
  if (place == std::string::npos || message.find('\n') < place)
    return error_line("pushforward: " + paint(std::string(kWord), Colour::red) + " " + message);
  // Messages with places: one to a line, each painted.
  std::string text;
  for (std::size_t begin = 0; begin < message.size();) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    std::string line = message.substr(begin, end - begin);
    const std::size_t word = line.find(std::string(": ").append(kWord));
    if (word != std::string::npos) line.replace(word + 2, kWord.size(), paint(std::string(kWord), Colour::red));
    text += line + "\n";
    begin = end + 1;
  }
  error_text(text);
}

void Console::error_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void Console::finish(const std::filesystem::path& file) {
  const std::string text = std::exchange(result_, {});
  if (!file.empty()) return write_file(file, text);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    throw FileError("cannot write to stdout: " + std::generic_category().message(errno));
}

}  // namespace pushforward
