#include "text_table.h"

#include <algorithm>
#include <stdexcept>

namespace pushforward {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 20;  // what a wrapped column is given at least

std::string padded(const std::string& text, std::size_t width, TextTable::Align align) {
  const std::string blanks(width - std::min(width, display_width(text)), ' ');
  return align == TextTable::Align::right ? blanks + text : text + blanks;
}

void append_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

std::size_t display_width(std::string_view text) {
  // Every byte but the continuations of a UTF-8 character.
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xc0') != '\x80'; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\n') {
      lines.emplace_back();
      ++i;
      continue;
    }
    const std::size_t blanks = std::min(text.find_first_not_of(' ', i), text.size()) - i;
    const std::size_t begin = i + blanks;
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    std::string& line = lines.back();
    if (line.empty() || display_width(line) + blanks + display_width(word) <= width) {
      line.append(blanks, ' ').append(word);
    } else if (!word.empty()) {
      lines.emplace_back(word);
    }
    i = end;
  }
  return lines;
}

void TextTable::add(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) throw std::logic_error("a row of a table must have a cell for each column");
  rows_.push_back(std::move(cells));
}

std::string TextTable::to_text(std::size_t width, std::size_t indent) const {
  std::vector<std::size_t> shown, widths(columns_.size());
  bool titles = false;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    for (const auto& row : rows_) widths[j] = std::max(widths[j], display_width(row[j]));
    if (widths[j] == 0) continue;
    shown.push_back(j);
    widths[j] = std::max(widths[j], display_width(columns_[j].title));
    titles = titles || !columns_[j].title.empty();
  }
  if (shown.empty()) return {};
  std::size_t taken = indent;
  for (const std::size_t j : shown) taken += j == shown.back() ? 0 : widths[j] + kGap;
  const std::size_t last = std::max(kNarrowest, width > taken ? width - taken : 0);

  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text(indent, ' ');
    for (const std::size_t j : shown) {
      const bool wrapped = j == shown.back() && columns_[j].align == Align::left;
      text += wrapped ? cell_of(j) : padded(cell_of(j), widths[j], columns_[j].align);
      if (j != shown.back()) text.append(kGap, ' ');
    }
    append_line(out, text);
  };
  if (titles) line([&](std::size_t j) { return columns_[j].title; });
  for (const auto& row : rows_) {
    const std::vector<std::string> lines = wrap(row[shown.back()], last);
    line([&](std::size_t j) { return j == shown.back() ? lines[0] : row[j]; });
    for (std::size_t k = 1; k < lines.size(); ++k) append_line(out, std::string(taken, ' ') + lines[k]);
  }
  return out;
}

}  // namespace pushforward
