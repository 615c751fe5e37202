// Tables, numbers and CSV as people read them.
#include <catch2/catch.hpp>
#include <limits>

#include "io/csv_writer.h"
#include "number_format.h"
#include "text_table.h"

namespace {

using namespace pushforward;  // NOLINT

TEST_CASE("Counts are grouped, and nouns agree with them") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1,000");
  CHECK(count_text(-1234567) == "-1,234,567");
  CHECK(counted(1, "row") == "1 row");
  CHECK(counted(0, "row") == "0 rows");
  CHECK(counted(5000, "entry", "entries") == "5,000 entries");
}

TEST_CASE("Numbers have digits that mean something") {
  CHECK(decimal(-2.193412) == "-2.1934");
  CHECK(decimal(0) == "0.0000");
  CHECK(decimal(1.23456e-7) == "1.2346e-07");
  CHECK(decimal(12345678.9) == "1.2346e+07");
  CHECK(decimal(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("Durations use the unit that fits") {
  CHECK(duration(0.8234) == "0.82 s");
  CHECK(duration(41.4) == "41 s");
  CHECK(duration(205) == "3:25 min");
  CHECK(duration(7405) == "2:03:25 h");
  CHECK(time_left(0.3) == "< 1 s");
  CHECK(time_left(59.6) == "1:00 min");
}

TEST_CASE("Text is broken at blanks, and long words stand alone") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("a\n\nb", 7) == std::vector<std::string>{"a", "", "b"});
  CHECK(wrap("a longerthanthewidth b", 7) == std::vector<std::string>{"a", "longerthanthewidth", "b"});
  CHECK(wrap("", 7) == std::vector<std::string>{""});
  CHECK(wrap("ééé ééé", 7) == std::vector<std::string>{"ééé ééé"});
}

TEST_CASE("Columns are aligned, empty ones left out, the last one wrapped") {
  TextTable table({{"name"}, {"n", TextTable::Align::right}, {"nothing"}, {"text"}});
  table.add({"a", "1", "", "one two three four five six"});
  table.add({"longer", "200", "", "x"});
  CHECK(table.to_text(33) ==
        "name      n  text\n"
        "a         1  one two three four\n"
        "             five six\n"
        "longer  200  x\n");
  CHECK(TextTable({{}, {}}).to_text().empty());
  CHECK_THROWS_AS(table.add({"too", "few"}), std::logic_error);
}

TEST_CASE("CSV numbers read back exactly, and names are quoted where they must be") {
  const Table table{.rows = 2, .names = {"x", "a \"b\", c", ""}, .values = {0.1, 1e300, -3, 1.0 / 3, 0, 7}};
  CHECK(encode_csv(table) == "x,\"a \"\"b\"\", c\",\"\"\n0.1,-3,0\n1e+300,0.3333333333333333,7\n");
}

}  // namespace
