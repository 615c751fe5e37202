// What a person or a machine sees: results to stdout (or a file), messages and progress to stderr.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "shown_text.h"

namespace pushforward {

class Console {
 public:
  Console();

  bool quiet = false;                   // no notes, no progress
  bool json = false;                    // results for machines
  std::string program = "pushforward";  // as one types it to call this program again

  /// True if stderr is a terminal that can move its cursor: a bar may be drawn and words may be coloured.
  bool terminal() const { return terminal_; }
  bool coloured() const { return coloured_; }
  /// True if results go to a terminal that shows colours.
  bool coloured_results() const { return coloured_results_; }
  /// Columns of the terminal that shows results, 100 if it is none.
  std::size_t width() const { return width_; }
  /// Columns of the terminal that shows messages: a bar must not be longer.
  std::size_t terminal_width() const { return terminal_width_; }

  /// A line about what happens; not in quiet mode.
  template <class... A>
  void note(fmt::format_string<A...> format, A&&... arguments) {
    if (!quiet) error_line(shown_text(fmt::format(format, std::forward<A>(arguments)...)));
  }
  /// A line that is shown in quiet mode, too: what the user must know although nothing failed.
  template <class... A>
  void warn(fmt::format_string<A...> format, A&&... arguments) {
    error_line("pushforward: " + paint("warning:", Colour::yellow) + " " +
               shown_text(fmt::format(format, std::forward<A>(arguments)...)));
  }
  /// The message of what ended the program. A message that begins with a place (`file:1:2: error: ...`) stands alone.
  void error(const std::string& raw);

  /// Adds to the result; nothing is written before `finish`, so a command that fails leaves no half of one.
  void result(const std::string& text) { result_ += text; }
  /// Writes what was added since the last call to stdout or, whole or not at all, to a file. Throws FileError.
  void finish(const std::filesystem::path& file = {});

  /// Raw text to stderr, at once.
  void error_text(const std::string& text);
  void error_line(const std::string& line) { error_text(line + "\n"); }

 private:
  enum class Colour : std::uint8_t { red = 31, yellow = 33 };
  std::string paint(const std::string& text, Colour colour) const;

  bool terminal_, coloured_, coloured_results_;
  std::size_t width_, terminal_width_;
  std::string result_;
};

}  // namespace pushforward
