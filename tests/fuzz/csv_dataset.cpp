// CSV files: the dataset `csv`, and the glance at a file's first line that commands take before.
#include <cmath>
#include <optional>

#include "fuzz/target.h"
#include "io/csv_columns.h"
#include "support/memory_file.h"
#include "support/models.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

struct Form {
  std::string fields;  // of the component, beside the file
  CsvForm glance;
};
const Form kForms[] = {{"", {}},
                       {", delimiter: ' ', header: false", {.delimiter = " ", .header = "false"}},
                       {", delimiter: ';', header: true", {.delimiter = ";", .header = "true"}}};

/// What chooses columns, of files that have them and of others.
const char* const kChoices[] = {", columns: [y, x], header: true", ", drop: [x, name]",
                                ", columns: [x1], header: false"};

/// The message of a file that is refused begins with its name, and with a place in it where there is one.
std::optional<Table> loaded(const MemoryFile& file, const std::string& fields) {
  try {
    const auto dataset = make_plain<Dataset<double>>(plugins(), "csv: {file: " + file.path() + fields + "}");
    Table table = dataset->load(1);
    require(table.rows > 0, "a table without rows");
    require(static_cast<Index>(table.values.size()) == table.rows * table.columns(), "a table of another size");
    for (const double value : table.values) require(std::isfinite(value), "a value that is not finite");
    return table;
  } catch (const DataError& e) {
    require(std::string(e.what()).starts_with(file.path() + ":"),
            std::string("a message without the file: ") + e.what());
    for (const char* c = e.what(); *c; ++c)
      require(static_cast<unsigned char>(*c) >= ' ' && *c != '\x7f', "a message with a control character");
    return std::nullopt;
  }
}

bool accepted(const MemoryFile& file, const Form& form) {
  const std::optional<Table> table = loaded(file, form.fields);
  const std::vector<std::string> glance = csv_columns(file.path(), form.glance);
  require(!table || glance == table->names, "other columns at a glance than in the table");
  return table.has_value();
}

}  // namespace

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {","sv,
                                                 ";"sv,
                                                 " "sv,
                                                 "\t"sv,
                                                 "\n"sv,
                                                 "\r\n"sv,
                                                 "\r"sv,
                                                 "\""sv,
                                                 "\"\""sv,
                                                 "\"a,b\""sv,
                                                 "nan"sv,
                                                 "inf"sv,
                                                 "-inf"sv,
                                                 "1e400"sv,
                                                 "-1e-400"sv,
                                                 "+1"sv,
                                                 "+-1"sv,
                                                 "0x1p3"sv,
                                                 "1e"sv,
                                                 "."sv,
                                                 "1,5"sv,
                                                 "NA"sv,
                                                 "?"sv,
                                                 "\0"sv,
                                                 "\xef\xbb\xbf"sv,
                                                 "\xff\xfe"sv,
                                                 "\xc3\xa9"sv,
                                                 "\x80"sv,
                                                 "-"sv,
                                                 "1"sv,
                                                 "#"sv,
                                                 "infinity"sv,
                                                 "1.7976931348623159e308"sv,
                                                 "9007199254740993"sv,
                                                 "000000000000000000000000000000000001"sv,
                                                 "x"sv};
  std::string long_table = "a,b,c\n";
  for (int i = 0; i < 40; ++i)
    long_table += std::to_string(i) + ".5," + std::to_string(-i) + ",1e-" + std::to_string(i) + "\n";
  return {.files = {"x,y\n1.5,2\n-3,4e-2\n0,7\n", "1,2\n3,4\n", "name,x\n\"Rome, Italy\",2\nOslo,3\n\"P\"\"q\",5\n",
                    "1;2\n3;4\n5;1\n", "a;b\n1;2\n3;4\n", " 1 2  3\n4 5 6\n7\t8 9\n",
                    "\xef\xbb\xbfx,y\r\n1,2\r\n3,4\r\n\r\n", "x\n1\n2\n", "\"a\nb\",c\n1,\"2\"\n3,4\n", long_table},
          .tokens = kTokens};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(text_of(data, size));
  for (const Form& form : kForms) input_was_accepted |= accepted(file, form);
  for (const char* choice : kChoices) loaded(file, choice);
  return 0;
}
