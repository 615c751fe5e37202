// The names in the first line of a CSV file, and which columns are read.
#include <catch2/catch.hpp>
#include <ctime>

#include "io/csv_columns.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Names = std::vector<std::string>;

Names columns(const std::string& text, const CsvForm& form = {}) {
  const TemporaryFolder folder;
  folder.write("data.csv", text);
  return csv_columns(folder / "data.csv", form);
}

TEST_CASE("Names come from the first line, or from the places where it is a row") {
  CHECK(columns("a, b ,c\r\n1,2,3\n") == Names{"a", "b", "c"});
  CHECK(columns("\xef\xbb\xbf\"a, \"\"big\"\"\",b\n1,2\n") == Names{"a, \"big\"", "b"});
  CHECK(columns("1,-2e3,+.5\n") == Names{"x0", "x1", "x2"});
  CHECK(columns("2023;x", {.delimiter = ";", .header = "true"}) == Names{"2023", "x"});
  CHECK(columns("a;b\n", {.delimiter = ";", .header = "false"}) == Names{"x0", "x1"});
  CHECK(columns("  a \t b  c \n1 2 3\n", {.delimiter = " "}) == Names{"a", "b", "c"});
  CHECK(columns("a\tb\n", {.delimiter = "\t"}) == Names{"a", "b"});
  CHECK(csv_columns("no such file.csv", {}).empty());
  // As the component reads them: a carriage return belongs to the end of a line alone, and a number has one sign.
  CHECK(columns("\ra\r,b\r\n1,2\n") == Names{"\ra\r", "b"});
  CHECK(columns("a\r") == Names{"a"});
  CHECK(columns("+-1,a\n") == Names{"+-1", "a"});
}

TEST_CASE("A name of many quotes is read at once") {
  const std::string name = "a" + std::string(1 << 20, '"');
  const std::clock_t start = std::clock();
  CHECK(columns(name + ",b\n") == Names{name, "b"});
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 1);
}

TEST_CASE("Columns are chosen by name; all are, where they can only be meant by their places") {
  const CsvForm form{.needed = {"x", "y"}, .welcome = {"w"}};
  CHECK(csv_selection({"name", "y", "x"}, form) == Names{"x", "y"});
  CHECK(csv_selection({"w", "y", "x"}, form) == Names{"x", "y", "w"});
  CHECK(csv_selection({"a", "b"}, form).empty());
  CHECK(csv_selection({"a", "y"}, form) == Names{"x", "y"});
  CHECK(csv_selection({"a", "b", "c"}, form) == Names{"x", "y"});
}

}  // namespace
