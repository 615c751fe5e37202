// csv: a table from a text file, one row per line.
//
// Shafranovich, "Common format and MIME type for comma-separated values (CSV) files", RFC 4180 (2005).
#include <fast_float/fast_float.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "pushforward/input_file.h"
#include "pushforward/nearest.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

enum class Header : std::uint8_t { automatic, yes, no };

/// What the fields say of the text.
struct Format {
  char delimiter = ',';  // a blank: any run of spaces and tabs
  Header header = Header::automatic;
  std::vector<std::string> columns;  // to keep, in this order; none: all
  std::vector<std::string> drop;     // to leave out
  bool blanks_divide() const { return delimiter == ' '; }
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && (c != delimiter || blanks_divide()); }
};

/// One cell as text, without quotes and surrounding blanks, and where it starts.
struct Cell {
  const char* at;
  std::string text;
};

bool parse_number(const std::string& text, double& value) {
  const char *first = text.data(), *last = first + text.size();
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') ++first;
  const auto parsed = fast_float::from_chars(first, last, value);
  return parsed.ec == std::errc() && parsed.ptr == last;
}

/// A later byte of a character in UTF-8.
bool continues(char c) { return (c & '\xc0') == '\x80'; }

/// A cell for a message: what cannot be printed escaped, what is long cut.
std::string printable(const std::string& text) {
  constexpr std::size_t kLongest = 40;
  std::size_t size = std::min(text.size(), kLongest);
  while (size < text.size() && size > 0 && continues(text[size])) --size;
  std::string out;
  for (const char c : text.substr(0, size)) {
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(c));
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? escaped : std::string(1, c);
  }
  return out + (size < text.size() ? "..." : "");
}
std::string shown(const std::string& text) { return "'" + printable(text) + "'"; }

/// All names, as far as anybody reads.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 50;
  std::string all;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) all += (i ? ", " : "") + printable(names[i]);
  return all + (names.size() > kMost ? " and " + std::to_string(names.size() - kMost) + " more" : "");
}

/// What tables hold where nothing was measured.
bool marks_missing(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view kMarks[] = {"na", "n/a", "#n/a", "nan", "null", "none", "missing", "?", ".", "-"};
  return std::find(std::begin(kMarks), std::end(kMarks), text) != std::end(kMarks);
}

std::string counted(Index n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

/// A text in pieces of whole rows, without the empty lines at its end, which are no rows.
///
/// A file is gone through twice, so that a table of its size can be made before its rows are read, and only a piece of
/// it is in memory. Where quotes may hide line ends, or a pipe cannot be read twice, there is one piece: all of it.
class Lines {
 public:
  Lines(const Format& format, std::string text) : format_(format), buffer_(std::move(text)) { take_whole(); }
  Lines(const Format& format, InputFile& file) : format_(format), file_(&file) {
    if (file.size() && survey()) {
      file.rewind();
      return;
    }
    if (file.size()) file.rewind();
    buffer_ = file.read_rest();
    file_ = nullptr;
    take_whole();
  }

  /// Lines of the text.
  Index count() const { return lines_; }
  /// Its length up to the end of the last row.
  Index bytes() const { return bytes_; }
  /// The next piece; empty behind the last one.
  std::string_view next() {
    if (!file_) return std::exchange(piece_, {});
    used_ -= piece_.size();
    std::memmove(buffer_.data(), buffer_.data() + piece_.size(), used_);
    fill();
    return piece_;
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 18;  // stays in the cache

  bool is_empty(char c) const { return format_.is_blank(c) || c == '\n' || c == '\r'; }

  void take_whole() {
    const auto last = std::find_if_not(buffer_.rbegin(), buffer_.rend(), [&](char c) { return is_empty(c); }).base();
    const auto end = std::find(last, buffer_.end(), '\n');
    if (last != buffer_.begin()) piece_ = {buffer_.data(), static_cast<std::size_t>(end - buffer_.begin())};
    lines_ = std::count(piece_.begin(), piece_.end(), '\n') + 1;
    bytes_ = static_cast<Index>(piece_.size());
  }

  /// Finds where the last row ends and how many lines there are; false if there are quotes below the first line.
  bool survey() {
    buffer_.resize(kPiece);
    Index line_ends = 0;
    bool open = false;  // the end of the last row is not found yet
    std::uint64_t offset = 0;
    for (std::size_t size; (size = file_->read(buffer_)) > 0; offset += size) {
      const std::string_view text(buffer_.data(), size);
      const std::size_t body = line_ends > 0 ? 0 : text.find('\n');
      if (body != text.npos && text.find('"', body) != text.npos) return false;
      line_ends += std::count(text.begin(), text.end(), '\n');
      std::size_t last = size;
      while (last > 0 && is_empty(text[last - 1])) --last;
      if (last == 0 && !open) continue;
      const std::size_t end = text.find('\n', last);
      open = end == text.npos;
      left_ = offset + (open ? size : end);
      lines_ =
          line_ends - (open ? 0 : std::count(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(), '\n')) + 1;
    }
    bytes_ = static_cast<Index>(left_);
    return true;
  }

  /// Reads on, to the last line end that fits; a line that does not gets more room.
  void fill() {
    for (;;) {
      const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - used_, left_));
      if (file_->read({buffer_.data() + used_, wanted}) < wanted)
        file_->fail("the file became shorter while it was read; try again when it is complete");
      used_ += wanted;
      left_ -= wanted;
      const std::string_view text(buffer_.data(), used_);
      const std::size_t last = text.rfind('\n');
      piece_ = left_ == 0 ? text : text.substr(0, last + 1);
      if (left_ == 0 || last != text.npos) return;
      buffer_.resize(2 * buffer_.size());
    }
  }

  const Format& format_;
  InputFile* file_ = nullptr;  // none: `piece_` is all
  std::string buffer_;
  std::size_t used_ = 0;  // of the buffer
  std::string_view piece_;
  std::uint64_t left_ = 0;  // bytes of rows that are not read yet
  Index lines_ = 0, bytes_ = 0;
};

/// Reads one text. A pointer `p` is the place in the text; every step returns the place behind what it read.
class Reader {
 public:
  Reader(const Format& format, std::string name, Lines& lines)
      : format_(format), name_(std::move(name)), lines_(lines) {
    const std::string_view text = lines_.next();
    begin_ = text.data();
    end_ = begin_ + text.size();
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
      throw DataError(name_ + ": error: the text is UTF-16; save it as UTF-8");
    if (text.starts_with("\xef\xbb\xbf")) begin_ += 3;
    if (begin_ == end_) throw DataError(name_ + ": error: there are no rows in it");
  }

  Table read() {
    const char* p = read_names();
    choose_columns();
    if (p == end_ && !next_piece(p)) throw DataError(name_ + ": error: there is a header, but no rows below it");
    Table table;
    for (const Index j : kept_) table.names.push_back(names_[static_cast<std::size_t>(j)]);
    const Index room = most_rows(p);
    table.values.resize(static_cast<std::size_t>(room * table.columns()));
    do
      for (; p < end_; ++table.rows) p = read_row(p, table.values.data() + table.rows, room);
    while (next_piece(p));
    for (Index j = 0; j < table.columns() && table.rows < room; ++j)
      std::copy_n(table.values.data() + j * room, table.rows, table.values.data() + j * table.rows);
    table.values.resize(static_cast<std::size_t>(table.rows * table.columns()));
    return table;
  }

 private:
  [[noreturn]] void fail(const char* at, const std::string& message) const {
    const char* line = at;
    while (line > begin_ && line[-1] != '\n') --line;
    const Index column = at - line - std::count_if(line, at, continues) + 1;
    const Index number = lines_before_ + std::count(begin_, line, '\n') + 1;
    throw DataError(name_ + ":" + std::to_string(number) + ":" + std::to_string(column) + ": error: " + message);
  }

  /// Goes on to the next piece of the text, and p to its start; false if there is none.
  bool next_piece(const char*& p) {
    const Index lines = std::count(begin_, end_, '\n');
    const std::string_view text = lines_.next();
    if (text.empty()) return false;
    lines_before_ += lines;
    p = begin_ = text.data();
    end_ = begin_ + text.size();
    return true;
  }

  /// As many rows as lines at most, because a quoted cell may go over several; and no more than there are bytes for,
  /// each cell and a row's end taking one, or a long first line above many short ones would ask for all memory.
  Index most_rows(const char* first) const {
    const Index lines = lines_.count() - lines_before_ - std::count(begin_, first, '\n');
    return std::min(lines, lines_.bytes() / static_cast<Index>(names_.size()) + 1);
  }

  // --- characters ----------------------------------------------------------------------------------------------------
  bool blanks_divide() const { return format_.blanks_divide(); }
  bool is_blank(char c) const { return format_.is_blank(c); }
  bool at_line_end(const char* p) const {
    return p == end_ || *p == '\n' || (*p == '\r' && (p + 1 == end_ || p[1] == '\n'));
  }
  bool at_cell_end(const char* p) const {
    return at_line_end(p) || *p == format_.delimiter || (blanks_divide() && is_blank(*p));
  }
  const char* skip_blanks(const char* p) const {
    while (p < end_ && is_blank(*p)) ++p;
    return p;
  }
  const char* next_line(const char* p) const {
    while (p < end_ && *p == '\r') ++p;
    return p < end_ ? p + 1 : p;
  }
  /// Moves p over a delimiter to the next cell; false, and p at the line's end, if there is none.
  bool next_cell(const char*& p) const {
    p = skip_blanks(p);
    if (at_line_end(p)) return false;
    if (!blanks_divide()) ++p;
    return true;
  }

  // --- cells ---------------------------------------------------------------------------------------------------------
  /// Any cell; afterwards p is at a cell's end.
  Cell read_cell(const char*& p) const {
    p = skip_blanks(p);
    Cell cell{p, {}};
    if (p < end_ && *p == '"') {
      p = read_quoted(p, cell.text);
      if (!blanks_divide()) p = skip_blanks(p);
      if (!at_cell_end(p)) fail(p, "there is text behind a closing quote; double a quote that belongs to the cell");
      return cell;
    }
    while (!at_cell_end(p)) ++p;
    const char* last = p;
    while (last > cell.at && is_blank(last[-1])) --last;
    cell.text.assign(cell.at, last);
    return cell;
  }
  const char* read_quoted(const char* quote, std::string& text) const {
    for (const char* p = quote + 1; p < end_; ++p) {
      if (*p == '"') {
        if (p + 1 == end_ || p[1] != '"') return p + 1;
        ++p;
      }
      text += *p;
    }
    fail(quote, "this quote is not closed; close it, or double it if it belongs to the cell");
  }

  const char* read_number(const char* p, Index column, double& value) const {
    p = skip_blanks(p);
    const auto parsed = fast_float::from_chars(p, end_, value);
    if (parsed.ec == std::errc() && std::isfinite(value)) {
      const char* behind = blanks_divide() ? parsed.ptr : skip_blanks(parsed.ptr);
      if (at_cell_end(behind)) return behind;
    }
    // Quotes, a plus sign, or something to complain about.
    const Cell cell = read_cell(p);
    if (!parse_number(cell.text, value) || !std::isfinite(value)) complain(cell, column);
    return p;
  }
  [[noreturn]] void complain(const Cell& cell, Index column) const {
    const std::string holds = "holds " + shown(cell.text) + ", ";
    double value = 0;
    if (cell.text.empty()) refuse(cell, column, "is empty here; write a number, or leave the row or the column out");
    if (marks_missing(cell.text))
      refuse(cell, column, holds + "so its value is missing; write a number, or leave the row or the column out");
    if (parse_number(cell.text, value))
      refuse(cell, column, holds + "but data must be finite; correct the cell, or leave the row or the column out");
    std::string pointed = cell.text;
    std::replace(pointed.begin(), pointed.end(), ',', '.');
    const bool comma = pointed != cell.text && parse_number(pointed, value);
    refuse(cell, column,
           holds + "which is not a number; " +
               (comma ? "write its decimal comma as a point"
                      : other_delimiter(cell.text) +
                            "correct the cell, or leave the column out with 'drop' or 'columns'"));
  }
  [[noreturn]] void refuse(const Cell& cell, Index column, const std::string& why) const {
    fail(cell.at, in_column(column) + why);
  }
  /// A table of one column whose name or cell holds what often divides cells: probably it does.
  std::string other_delimiter(const std::string& cell) const {
    if (names_.size() != 1) return "";
    for (const auto& [delimiter, written] : {std::pair(';', ";"), std::pair('\t', "\\t"), std::pair(' ', " ")})
      if (names_[0].find(delimiter) != std::string::npos || cell.find(delimiter) != std::string::npos)
        return std::string("if it divides cells, set 'delimiter: \"") + written + "\"'; else ";
    return "";
  }
  std::string in_column(Index column) const {
    return "column " + shown(names_[static_cast<std::size_t>(column)]) + " ";
  }

  // --- rows ----------------------------------------------------------------------------------------------------------
  /// One row to `row[k * stride]` for every kept column k.
  const char* read_row(const char* p, double* row, Index stride) const {
    const char* start = p;
    if (at_line_end(skip_blanks(p))) fail(p, "this line is empty; remove it (only the end may have empty lines)");
    const Index columns = static_cast<Index>(names_.size());
    for (Index j = 0; j < columns; ++j) {
      if (j > 0 && !next_cell(p)) wrong_count(start, p);
      const Index target = targets_[static_cast<std::size_t>(j)];
      if (target >= 0)
        p = read_number(p, j, row[target * stride]);
      else
        read_cell(p);
    }
    const char* surplus = p;
    if (next_cell(p)) wrong_count(start, surplus);
    return next_line(p);
  }
  [[noreturn]] void wrong_count(const char* start, const char* at) const {
    Index cells = 0;
    const char* p = start;
    do {
      read_cell(p);
      ++cells;
    } while (next_cell(p));
    fail(at, "this row has " + counted(cells, "cell") + ", but the table has " +
                 counted(static_cast<Index>(names_.size()), "column") +
                 "; mend the row, or set 'delimiter' if it is not " +
                 (blanks_divide() ? "blanks" : shown(std::string(1, format_.delimiter))));
  }

  // --- columns -------------------------------------------------------------------------------------------------------
  /// Names of all columns, from the header or counted; returns where the rows start.
  const char* read_names() {
    const char* p = begin_;
    if (at_line_end(skip_blanks(p))) fail(p, "this line is empty; start with the header or the first row");
    std::vector<Cell> cells;
    do cells.push_back(read_cell(p));
    while (next_cell(p));
    const bool header = is_header(cells);
    for (std::size_t j = 0; j < cells.size(); ++j)
      names_.push_back(header ? cells[j].text : std::string("x").append(std::to_string(j)));
    return header ? next_line(p) : begin_;
  }
  bool is_header(const std::vector<Cell>& cells) const {
    if (format_.header != Header::automatic) return format_.header == Header::yes;
    double value = 0;
    const auto number = [&](const Cell& cell) { return parse_number(cell.text, value); };
    const auto first = std::find_if(cells.begin(), cells.end(), number);
    const auto other = std::find_if_not(cells.begin(), cells.end(), number);
    if (first != cells.end() && other != cells.end())
      fail(other->at, "the first line holds the number " + shown(first->text) + " and the text " + shown(other->text) +
                          ", so it may be a header or a row; say 'header: true' or 'header: false'");
    return first == cells.end();
  }

  void choose_columns() {
    for (std::size_t j = 0; j < names_.size(); ++j) {
      const auto [place, is_new] = places_.emplace(names_[j], Places{static_cast<Index>(j), -1});
      if (!is_new && place->second.again < 0) place->second.again = static_cast<Index>(j);
    }
    std::vector<bool> dropped(names_.size(), false);
    for (const std::string& name : format_.drop) dropped[static_cast<std::size_t>(find(name))] = true;
    if (format_.columns.empty()) {
      for (std::size_t j = 0; j < names_.size(); ++j)
        if (!dropped[j]) kept_.push_back(static_cast<Index>(j));
      if (kept_.empty()) fail(begin_, "'drop' leaves no column");
    } else {
      for (const std::string& name : format_.columns) kept_.push_back(find(name));
    }
    targets_.assign(names_.size(), Index{-1});
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const std::size_t j = static_cast<std::size_t>(kept_[k]);
      targets_[j] = static_cast<Index>(k);
      if (names_[j].empty())
        fail(begin_, "column " + std::to_string(j + 1) + " has no name; give it one, or choose others with 'columns'");
      find(names_[j]);
    }
  }
  /// The column of a name, which must be there once.
  Index find(const std::string& name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) {
      const std::string near = nearest(name, names_);
      fail(begin_, "there is no column " + shown(name) +
                       (near.empty() ? "; the columns are " + listed(names_) : "; did you mean " + shown(near) + "?"));
    }
    const auto [first, again] = found->second;
    if (again >= 0)
      fail(begin_, "columns " + std::to_string(first + 1) + " and " + std::to_string(again + 1) + " are both named " +
                       shown(name) + "; rename one in the header");
    return first;
  }

  const Format& format_;
  std::string name_;
  Lines& lines_;
  const char *begin_, *end_;        // the piece that is read
  Index lines_before_ = 0;          // of the text, before that piece
  std::vector<std::string> names_;  // of all columns
  /// Of each name: its first column, and the next one that has it too, or -1.
  struct Places {
    Index first, again;
  };
  std::unordered_map<std::string_view, Places> places_;
  std::vector<Index> kept_;     // columns of the table, in its order
  std::vector<Index> targets_;  // of each column: its place in the table, or -1
};

template <class T>
class Csv final : public Dataset<T> {
 public:
  explicit Csv(Build<T>& build) {
    if (build.given("file") == build.given("text"))
      build.fail("file", build.given("file") ? "is given beside 'text'; remove one of the two"
                                             : "is missing; give it, or the rows themselves as 'text'");
    if (build.given("file")) file_ = build.file("file");
    if (build.given("text")) text_ = build.text("text");
    name_ = file_.empty() ? build.path() + ".text" : file_;
    const std::string header = build.text("header");
    if (header != "auto") format_.header = header == "true" ? Header::yes : Header::no;
    if (build.given("columns")) format_.columns = build.texts("columns");
    if (build.given("drop")) format_.drop = build.texts("drop");
    if (!format_.columns.empty() && !format_.drop.empty())
      build.fail("drop", "has nothing to leave out: 'columns' already says which columns to keep");
    std::vector<std::string> sorted = format_.columns;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) build.fail("columns", "names " + shown(*twice) + " twice");
    const std::string delimiter = build.text("delimiter");
    const auto allowed = [](unsigned char c) { return c == '\t' || (std::ispunct(c) && !std::strchr("\"+-._", c)); };
    if (delimiter.size() != 1 || !(delimiter == " " || allowed(static_cast<unsigned char>(delimiter[0]))))
      build.fail("delimiter", "must be one character that no number contains, such as \",\", \";\", \"\\t\" or \" \"");
    format_.delimiter = delimiter[0];
  }

  Table load(std::uint64_t) const override {
    if (file_.empty()) {
      Lines lines(format_, text_);
      return Reader(format_, name_, lines).read();
    }
    InputFile file(file_);
    Lines lines(format_, file);
    return Reader(format_, name_, lines).read();
  }

 private:
  std::string file_, text_, name_;
  Format format_;
};

constexpr Field kFields[] = {
    path("file", kOptional, "the file; relative to the spec"),
    text("text", kOptional, "the table itself, in place of a file: for a few rows"),
    texts("columns", kOptional, "names of the columns to keep, in this order; all if left out"),
    texts("drop", kOptional, "names of columns to leave out"),
    choice("header", "auto", "auto|true|false",
           "whether the first line holds names: `auto` says so if none of its cells is a number"),
    text("delimiter", "\",\"", "character between cells; a blank stands for any run of blanks and tabs"),
};

constexpr Example kExamples[] = {
    {"default", R"(csv: {text: "x,y\n1.5,2\n-3,4e-2\n0,7\n"})", 2},
    {"columns", R"(csv: {text: "x,y,z\n1,2,3\n4,5,6\n7,8,1\n", columns: [z, x]})", 2},
    {"drop", R"(csv: {text: "name,x\n\"Rome, Italy\",2\nOslo,3\nPrague,5\n", drop: [name]})", 1},
    {"no_header", R"(csv: {text: "1;2\n3;4\n5;1\n", header: false, delimiter: ";"})", 2},
    {"years", R"(csv: {text: "2023,2024\n3,4\n5,6\n1,2\n", header: true})", 2},
    {"tabs", R"(csv: {text: "x\ty\n1\t2\n3\t4\n2\t5\n", delimiter: "\t"})", 2},
    {"blanks", R"(csv: {text: "  1.0   2\n -3.0\t4\n  5   6\n", delimiter: " "})", 2},
};

constexpr const char kDocumentation[] = R"(
Cells are numbers: `1`, `-2.5`, `.5`, `+1e-3`; the decimal point is a point. Blanks around a cell are ignored, and a
cell may stand in quotes, with a quote in it doubled; quoted cells may hold delimiters and line ends. Lines end in LF
or CR LF, a UTF-8 byte order mark at the start and empty lines at the end are ignored. Columns that are not kept may
hold anything. Without a header, the columns are named `x0`, `x1`, ...

Everything else is an error with file, line and column: cells that are empty, marks of missing values (`NA`, `?`, ...),
texts (number classes 0, 1, ...), numbers that are not finite, rows with more
or fewer cells than the table has columns, empty lines between rows, names that are missing, unknown or there twice, and
a first line of names and numbers, which `header: auto` does not guess about.

Y. Shafranovich, Common format and MIME type for comma-separated values (CSV) files, RFC 4180 (2005).
)";

constexpr ComponentInfo kComponents[] = {
    describe<Csv>("dataset", "csv", "A table from a text file, one row per line", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("csv_dataset", "0.1.0", "MIT", kComponents);
