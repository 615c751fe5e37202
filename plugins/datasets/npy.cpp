// npy: a table from an array in NumPy's file format.
//
// numpy.lib.format, versions 1.0 to 3.0 (NEP 1, 2007).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "pushforward/input_file.h"
#include "pushforward/nearest.h"
#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// What YAML's `!!binary` holds; anything else than its characters is no part of it.
std::optional<std::string> from_base64(const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=' || c == ' ' || c == '\n') continue;
    const std::size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

/// Bytes of a file, or of the spec.
class Source {
 public:
  explicit Source(const std::string& file) : file_(std::in_place, file), name_(file) {
    if (!file_->size()) fail("it is no ordinary file; copy what it gives into one");
    size_ = *file_->size();
  }
  Source(std::string name, std::string_view bytes) : name_(std::move(name)), bytes_(bytes), size_(bytes.size()) {}

  std::uint64_t size() const { return size_; }
  std::size_t read(std::span<char> out) {
    if (file_) return file_->read(out);
    const std::size_t count = bytes_.copy(out.data(), out.size());
    bytes_.remove_prefix(count);
    return count;
  }
  void read_exactly(std::span<char> out) {
    if (read(out) < out.size()) fail("it ends before its array does; it was cut off, or is not complete");
  }
  [[noreturn]] void fail(const std::string& message) const { throw DataError(name_ + ": error: " + message); }

 private:
  std::optional<InputFile> file_;
  std::string name_;
  std::string_view bytes_;
  std::uint64_t size_;
};

/// What stands before the numbers.
struct Header {
  std::string type;  // as numpy writes it: `<f8`
  bool fortran_order = false;
  std::vector<Index> shape;
};

/// Reads the header's text, a Python dictionary of strings, truth values and tuples of whole numbers.
class HeaderText {
 public:
  HeaderText(const Source& file, std::string_view text) : file_(file), text_(text) {}

  Header read() {
    Header header;
    std::set<std::string_view> keys;
    take("{");
    while (!accept("}")) {
      const std::string_view key = quoted();
      if (!keys.insert(key).second) wrong();
      take(":");
      if (key == "descr")
        header.type = type();
      else if (key == "fortran_order")
        header.fortran_order = truth();
      else if (key == "shape")
        header.shape = tuple();
      else
        wrong();
      if (!accept(",") && !text_.starts_with('}')) wrong();
    }
    if (!text_.empty() || keys.size() != 3) wrong();
    return header;
  }

 private:
  [[noreturn]] void wrong() const {
    file_.fail("its header is not one that numpy writes; save the array anew with numpy.save");
  }
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool accept(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    skip_blanks();
    return true;
  }
  void take(std::string_view token) {
    if (!accept(token)) wrong();
  }
  std::string_view quoted() {
    const char quote = text_.empty() ? ' ' : text_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : text_.npos;
    if (end == text_.npos) wrong();
    const std::string_view inside = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    skip_blanks();
    return inside;
  }
  bool truth() {
    if (accept("True")) return true;
    take("False");
    return false;
  }
  std::string type() {
    if (text_.starts_with('['))
      file_.fail(
          "it holds records with named fields, not one array of numbers; save the fields as columns: "
          "numpy.lib.recfunctions.structured_to_unstructured");
    return std::string(quoted());
  }
  std::vector<Index> tuple() {
    std::vector<Index> extents;
    take("(");
    while (!accept(")")) {
      Index extent = -1;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0) wrong();
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      accept("L");  // as Python 2 wrote it
      extents.push_back(extent);
      if (!accept(",") && !text_.starts_with(')')) wrong();
    }
    return extents;
  }

  const Source& file_;
  std::string_view text_;
};

Header read_header(Source& file, std::uint64_t& size) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  char start[8];
  if (file.read(start) < sizeof(start) || std::string_view(start, kMagic.size()) != kMagic)
    file.fail("it does not start as NumPy's files do; an .npz archive holds several: save one array with numpy.save");
  const int version = start[6];
  if (version < 1 || version > 3)
    file.fail("it has version " + std::to_string(version) + " of the format, and 1 to 3 are known");
  unsigned char bytes[4] = {};
  const std::size_t wide = version == 1 ? 2 : 4;
  file.read_exactly({reinterpret_cast<char*>(bytes), wide});
  const std::uint32_t length = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
  size = sizeof(start) + wide + length;
  constexpr std::uint32_t kLongest = 1 << 16;
  if (length > kLongest) file.fail("its header is not one that numpy writes; save the array anew with numpy.save");
  std::string text(length, '\0');
  file.read_exactly(text);
  return HeaderText(file, text).read();
}

/// One kind of numbers in the file.
struct Type {
  const char* name;
  std::size_t size;
  void (*convert)(const char* bytes, std::size_t count, double* out);
};

template <class N>
void convert(const char* bytes, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) {
    N number;
    std::memcpy(&number, bytes + i * sizeof(N), sizeof(N));
    out[i] = static_cast<double>(number);
  }
}

constexpr Type kTypes[] = {
    {"<f8", 8, &convert<double>},        {"<f4", 4, &convert<float>},         {"|u1", 1, &convert<std::uint8_t>},
    {"|i1", 1, &convert<std::int8_t>},   {"|b1", 1, &convert<std::uint8_t>},  {"<u2", 2, &convert<std::uint16_t>},
    {"<i2", 2, &convert<std::int16_t>},  {"<u4", 4, &convert<std::uint32_t>}, {"<i4", 4, &convert<std::int32_t>},
    {"<u8", 8, &convert<std::uint64_t>}, {"<i8", 8, &convert<std::int64_t>},
};

const Type& type_of(const Source& file, const std::string& name) {
  for (const Type& type : kTypes)
    if (name == type.name) return type;
  file.fail("its numbers have the type '" + name.substr(0, 20) +
            "', but must be real or whole numbers of this machine's " +
            "byte order; convert them before saving: array.astype('<f8')");
}

template <class T>
class Npy final : public Dataset<T> {
 public:
  explicit Npy(Build<T>& build) : place_(build.path() + ".base64") {
    if (build.given("file") == build.given("base64"))
      build.fail("file",
                 build.given("file") ? "is given beside 'base64'; remove one of the two" : "is missing; give it");
    if (build.given("file")) file_ = build.file("file");
    if (build.given("base64")) {
      const std::optional<std::string> bytes = from_base64(build.text("base64"));
      if (!bytes) build.fail("base64", "holds a character that base64 does not have");
      bytes_ = *bytes;
    }
    if (build.given("names")) names_ = build.texts("names");
    if (build.given("drop")) drop_ = build.texts("drop");
    std::set<std::string> seen;
    for (const std::string& name : names_)
      if (name.empty() || !seen.insert(name).second)
        build.fail("names", name.empty() ? "holds an empty name" : "holds '" + name + "' twice");
  }

  Table load(std::uint64_t) const override {
    Source file = file_.empty() ? Source(place_, bytes_) : Source(file_);
    std::uint64_t before = 0;
    const Header header = read_header(file, before);
    const Type& type = type_of(file, header.type);
    Table table = table_of(file, header);
    require_size(file, table, type, before);
    table.values.resize(static_cast<std::size_t>(table.rows * table.columns()));
    if (header.fortran_order)
      read_columns(file, type, table);
    else
      read_rows(file, type, table);
    drop_columns(file, table);
    require_exact(file, table, type);
    return table;
  }

 private:
  /// Rows and names.
  Table table_of(const Source& file, const Header& header) const {
    std::string shape;
    for (const Index extent : header.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(extent);
    if (header.shape.size() != 1 && header.shape.size() != 2)
      file.fail("its array has " + std::to_string(header.shape.size()) + " dimensions" +
                (shape.empty() ? "" : ", " + shape) +
                ", but must have rows and columns; reshape it before saving: array.reshape(len(array), -1)");
    const Index columns = header.shape.size() == 2 ? header.shape[1] : 1;
    if (header.shape[0] == 0 || columns == 0) file.fail("its array is empty: " + shape);
    if (!names_.empty() && static_cast<Index>(names_.size()) != columns)
      file.fail("its array has " + std::to_string(columns) + " columns, but 'names' has " +
                std::to_string(names_.size()) + "; give each column a name, or none");
    // Every column takes a byte at least; a wrong number must not fill the memory with names.
    if (static_cast<std::uint64_t>(columns) > file.size())
      file.fail("it ends before its array does; it was cut off, or is not complete");
    Table table;
    table.rows = header.shape[0];
    table.names = names_;
    if (names_.empty())
      for (Index j = 0; j < columns; ++j) table.names.push_back(std::string("x").append(std::to_string(j)));
    return table;
  }

  static void require_size(const Source& file, const Table& table, const Type& type, std::uint64_t before) {
    std::uint64_t numbers = 0, bytes = 0;
    const bool huge = __builtin_mul_overflow(static_cast<std::uint64_t>(table.rows),
                                             static_cast<std::uint64_t>(table.columns()), &numbers) ||
                      __builtin_mul_overflow(numbers, type.size, &bytes);
    const std::uint64_t there = file.size() - std::min(before, file.size());
    if (!huge && bytes == there) return;
    file.fail("its array of " + std::to_string(table.rows) + " x " + std::to_string(table.columns()) + " numbers of " +
              std::to_string(type.size) + (type.size == 1 ? " byte" : " bytes") + " and the " + std::to_string(there) +
              " bytes that the file has for it do not fit together; it was cut off, or is not complete");
  }

  static constexpr Index kBytes = 1 << 18;  // of the file that are read at once

  static void read_columns(Source& file, const Type& type, Table& table) {
    std::vector<char> bytes(kBytes);
    const std::size_t most = bytes.size() / type.size;
    for (std::size_t first = 0; first < table.values.size(); first += most) {
      const std::size_t count = std::min(most, table.values.size() - first);
      file.read_exactly(std::span(bytes).first(count * type.size));
      type.convert(bytes.data(), count, table.values.data() + first);
    }
  }
  static void read_rows(Source& file, const Type& type, Table& table) {
    const Index columns = table.columns(), most = std::max<Index>(1, kBytes / static_cast<Index>(type.size) / columns);
    std::vector<char> bytes(static_cast<std::size_t>(most * columns) * type.size);
    std::vector<double> numbers(static_cast<std::size_t>(most * columns));
    for (Index first = 0; first < table.rows; first += most) {
      const Index rows = std::min(most, table.rows - first);
      const std::size_t count = static_cast<std::size_t>(rows * columns);
      file.read_exactly(std::span(bytes).first(count * type.size));
      type.convert(bytes.data(), count, numbers.data());
      for (Index j = 0; j < columns; ++j) {
        double* column = table.column(j).data() + first;
        for (Index i = 0; i < rows; ++i) column[i] = numbers[static_cast<std::size_t>(i * columns + j)];
      }
    }
  }

  void drop_columns(const Source& file, Table& table) const {
    for (const std::string& name : drop_) {
      const auto found = std::find(table.names.begin(), table.names.end(), name);
      if (found == table.names.end()) {
        const std::string near = nearest(name, table.names);
        file.fail(
            "there is no column '" + name + "' to drop" +
            (near.empty() ? "; name columns by 'names', or x0, x1, ... without it" : "; did you mean '" + near + "'?"));
      }
      const auto at = table.values.begin() + (found - table.names.begin()) * table.rows;
      table.values.erase(at, at + table.rows);
      table.names.erase(found);
    }
    if (table.names.empty()) file.fail("'drop' leaves no column");
  }

  static void require_exact(const Source& file, const Table& table, const Type& type) {
    constexpr double kLargest = 0x1p53;  // up to here, every whole number is a double
    const bool whole = std::strchr("ui", type.name[1]) && type.size == 8;
    const auto fine = [&](double x) { return std::isfinite(x) && (!whole || std::abs(x) < kLargest); };
    const auto wrong = std::find_if_not(table.values.begin(), table.values.end(), fine);
    if (wrong == table.values.end()) return;
    const Index place = wrong - table.values.begin();
    file.fail("row " + std::to_string(place % table.rows) + ", column '" +
              table.names[static_cast<std::size_t>(place / table.rows)] + "' holds " + number_text(*wrong) +
              (whole ? ", but whole numbers must stay below 2^53" : ", but data must be finite") +
              "; rows are counted from 0. Leave the row or the column out");
  }

  std::string file_, place_, bytes_;
  std::vector<std::string> names_, drop_;
};

constexpr Field kFields[] = {
    path("file", kOptional, "the file; relative to the spec"),
    text("base64", kOptional, "the file's bytes in base64, in place of a file: for a few rows"),
    texts("names", kOptional, "one for each column; x0, x1, ... if left out"),
    texts("drop", kOptional, "names of columns to leave out"),
};

constexpr Example kExamples[] = {
    {"default",
     "npy: {base64: \""
     "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDIpLCB9ICAgICAg"
     "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAABAAAAAAAAA"
     "CMB7FK5H4XqkPwAAAAAAAAAAAAAAAAAAHEA="
     "\"}",
     2},
    {"floats",
     "npy: {base64: \""
     "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMywgMiksIH0gICAgICAg"
     "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAAQAAAQEAAAIC/AAAAPwAA"
     "gEA="
     "\", names: [height, width]}",
     2},
    {"drop",
     "npy: {base64: \""
     "k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAg"
     "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAgD6BAE="
     "\", names: [x, y, label], drop: [label]}",
     2},
};

constexpr const char kDocumentation[] = R"(
What `numpy.save` writes: an array of rows and columns (or of rows alone: then there is one column), in C or Fortran
order, of `float64`, `float32`, `bool` or whole numbers of 8 to 64 bits, little-endian. Numbers become double precision.

Everything else is an error that says so: numbers that are not finite (with row and column), whole numbers from 2^53 on,
other types, other numbers of dimensions, an array that does not fit the file's length.

Other libraries: `numpy.load`. A class column can be context by its name: `context: {labels: x10, classes: 2}`.

C. R. Harris et al., Array programming with NumPy, Nature 585 (2020).
)";

constexpr ComponentInfo kComponents[] = {describe<Npy>("dataset", "npy", "A table from an array in NumPy's file format",
                                                       kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("npy", "0.1.0", "MIT", kComponents);
