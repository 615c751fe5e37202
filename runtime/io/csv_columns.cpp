#include "io/csv_columns.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace pushforward {
namespace {

constexpr const char* kBlanks = " \t";

bool is_blank(const std::string& text) { return text.find_first_not_of(kBlanks) == std::string::npos; }

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

bool is_number(const std::string& cell) {
  const char* begin = cell.data() + (cell.starts_with('+') && !cell.starts_with("+-") ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(begin, cell.data() + cell.size(), value);
  return error != std::errc::invalid_argument && end == cell.data() + cell.size();
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Cells of the first line; quotes are taken away, and what they hold divides nothing.
std::vector<std::string> first_cells(std::istream& file, char delimiter) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false, was_quoted = false;
  const auto end_cell = [&] {
    if (delimiter == ' ' && is_blank(cell) && !was_quoted) return cell.clear();  // a run of blanks divides once
    cells.push_back(was_quoted ? cell : trimmed(cell));
    cell.clear();
    was_quoted = false;
  };
  for (char c; file.get(c);) {
    if (quoted) {
      if (c != '"')
        cell += c;
      else if (file.peek() == '"')
        cell += static_cast<char>(file.get());
      else
        quoted = false;
    } else if (c == '"' && is_blank(cell) && !was_quoted) {
      quoted = was_quoted = true;
      cell.clear();
    } else if (c == '\n' || (c == '\r' && (file.peek() == '\n' || file.peek() == EOF))) {
      break;
    } else if (c == delimiter || (delimiter == ' ' && c == '\t')) {
      end_cell();
    } else if (!was_quoted) {
      cell += c;
    }
  }
  end_cell();
  return cells;
}

}  // namespace

std::vector<std::string> csv_columns(const std::filesystem::path& path, const CsvForm& form) {
  std::ifstream file(path, std::ios::binary);
  if (!file || form.delimiter.empty()) return {};
  std::string mark(3, '\0');  // of UTF-8, which belongs to no name
  if (!file.read(mark.data(), 3) || mark != "\xef\xbb\xbf") {
    file.clear();
    file.seekg(0);
  }
  std::vector<std::string> names = first_cells(file, form.delimiter.front());
  if (form.header == "true" || (form.header == "auto" && std::none_of(names.begin(), names.end(), is_number)))
    return names;
  for (std::size_t j = 0; j < names.size(); ++j) names[j] = "x" + std::to_string(j);
  return names;
}

std::vector<std::string> csv_selection(const std::vector<std::string>& there, const CsvForm& form) {
  const auto found = [&](const std::string& name) { return is_in(there, name); };
  if (std::none_of(form.needed.begin(), form.needed.end(), found) && there.size() == form.needed.size()) return {};
  std::vector<std::string> columns = form.needed;  // one that is missing is the reader's to complain about
  std::copy_if(form.welcome.begin(), form.welcome.end(), std::back_inserter(columns),
               [&](const std::string& name) { return found(name) && !is_in(form.needed, name); });
  return columns;
}

}  // namespace pushforward
