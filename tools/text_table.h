// Aligned tables and paragraphs for a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pushforward {

/// Columns on a screen that a UTF-8 text takes (one for each character).
std::size_t display_width(std::string_view text);

/// Lines of at most `width` columns, broken at blanks; a longer word stands alone. Line breaks in the text are kept.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// A table whose columns are as wide as their widest cell; the last one is wrapped to what is left of the width.
class TextTable {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  /// Columns without any title make a table without a head.
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// `indent` blanks before each line, two between columns, none at the end of a line. Columns in which every cell is
  /// empty are left out.
  std::string to_text(std::size_t width = 100, std::size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pushforward
