#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "../../plugins/datasets/csv.cpp"
#include "support/fake_build.h"
#include "support/temporary_folder.h"

using namespace pushforward::test;  // NOLINT

namespace {

Table load(const Fields& fields) { return make_component<Dataset<double>>(kComponents[0], fields)->load(0); }
Table load_text(const std::string& text, Fields fields = {}) {
  fields["text"] = text;
  return load(fields);
}

/// The message about a text, without the name that stands before every place.
std::string message(const std::string& text, const Fields& fields = {}) {
  try {
    load_text(text, fields);
  } catch (const DataError& error) {
    const std::string what = error.what();
    REQUIRE(what.starts_with("test.text:"));
    return what.substr(10);
  }
  return "none";
}

using Names = std::vector<std::string>;
using Column = std::vector<double>;

}  // namespace

TEST_CASE("csv reads columns by name, column-major") {
  const Table t = load_text("a,b,c\n1,2.5,-3e2\n4,.5,+6\n");
  CHECK(t.rows == 2);
  CHECK(t.names == Names{"a", "b", "c"});
  CHECK(t.values == Column{1, 4, 2.5, 0.5, -300, 6});
}

TEST_CASE("csv takes what spreadsheets and other programs write") {
  const Column expected = {1, 3, 2, 4};
  const char* texts[] = {
      "a,b\n1,2\n3,4",          // no last line end
      "a,b\r\n1,2\r\n3,4\r\n",  // DOS
      "\xef\xbb\xbf"
      "a,b\n1,2\n3,4\n",                        // byte order mark
      "a,b\n1,2\n3,4\n\n\r\n  \n",              // empty lines at the end
      " a , b \n 1 ,\t2\n3 , 4 \n",             // blanks
      "\"a\",\"b\"\n\"1\",2\n 3 , \"4\" \n",    // quotes
      "\"a\",\"b\"\r\n1,\"2\"\r\n\"3\",\"4\"",  // quotes at line ends
      "a,b\n+1,2.0\n3e0,0.4e+1\n",
  };
  for (const std::string text : texts) {
    CAPTURE(text);
    const Table t = load_text(text);
    CHECK(t.names == Names{"a", "b"});
    CHECK(t.rows == 2);
    CHECK(t.values == expected);
  }
}

TEST_CASE("csv reads other delimiters") {
  const Column expected = {1, 3, 2, 4};
  CHECK(load_text("a;b\n1;2\n3;4\n", {{"delimiter", ";"}}).values == expected);
  CHECK(load_text("a\tb\n1\t2\n3\t4\n", {{"delimiter", "\t"}}).values == expected);
  CHECK(load_text("a|b\n1|2\n3|4\n", {{"delimiter", "|"}}).values == expected);
  CHECK(load_text("a b\n1 2\n3 4\n", {{"delimiter", " "}}).values == expected);
  CHECK(load_text("  a   \"b\"\n 1.0\t 2  \n\t3   4\r\n", {{"delimiter", " "}}).values == expected);
}

TEST_CASE("csv finds out whether there is a header") {
  CHECK(load_text("1,2\n3,4\n").names == Names{"x0", "x1"});
  CHECK(load_text("1,2\n3,4\n").rows == 2);
  CHECK(load_text("1,2\n3,4\n", {{"header", "false"}}).values == Column{1, 3, 2, 4});
  CHECK(load_text("2023,2024\n3,4\n", {{"header", "true"}}).names == Names{"2023", "2024"});
  CHECK(load_text("2023,2024\n3,4\n", {{"header", "true"}}).values == Column{3, 4});
  CHECK(load_text("x\n5\n").values == Column{5});
}

TEST_CASE("csv keeps chosen columns in their order, and does not look into the others") {
  const std::string text = "city,a,b,a note\n\"Rome, \"\"Italy\"\"\",1,2,\"two\nlines\"\nOslo,3,4,\nParis,5,6,x\n";
  CHECK(load_text(text, {{"columns", "[b, a]"}}).values == Column{2, 4, 6, 1, 3, 5});
  CHECK(load_text(text, {{"columns", "[b, a]"}}).names == Names{"b", "a"});
  CHECK(load_text("city,a,b\nOslo,1,2\nRome,3,4\n", {{"drop", "[city, b]"}}).values == Column{1, 3});
  CHECK(load_text("1,x,2\n3,y,4\n", {{"header", "false"}, {"drop", "[x1]"}}).values == Column{1, 3, 2, 4});
  // Names that are missing or there twice do no harm in columns that are not kept.
  CHECK(load_text(",a,n,n\n0,1,2,3\n", {{"columns", "[a]"}}).values == Column{1});
}

TEST_CASE("csv reads numbers exactly") {
  const Table t = load_text("a\n0.1\n1e-320\n17976931348623157e292\n-0\n123456789012345678901234567890\n");
  CHECK(t.values == Column{0.1, 1e-320, 17976931348623157e292, 0, 123456789012345678901234567890.0});
  CHECK(std::signbit(t.values[3]));
}

TEST_CASE("csv reads a file, and is the same for every seed") {
  const TemporaryFolder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + "," + std::to_string(0.5 * i) + "\n";
  const auto data = make_component<Dataset<float>>(kComponents[0], {{"file", folder.write("t.csv", text)}});
  const Table t = data->load(1);
  REQUIRE(t.rows == 20000);
  CHECK(t.column(0)[19999] == 19999);
  CHECK(t.column(1)[12345] == 6172.5);
  CHECK(data->load(2).values == t.values);
}

TEST_CASE("csv reads a long file in pieces as it reads the same text at once") {
  const TemporaryFolder folder;
  std::string body;
  for (int i = 0; i < 60000; ++i) body += std::to_string(i) + ", " + std::to_string(0.25 * i) + "\n";
  const std::string long_cell(700000, ' ');  // longer than any piece
  const struct {
    std::string start, end;
    Index rows;
  } texts[] = {
      {"a,b\n", "", 60000},
      {"\xef\xbb\xbf\"a\",\"b\"\r\n", "7,8", 60001},  // quotes in the first line only
      {"", "7,8\r\n\n \t\r\n" + std::string(300000, '\n'), 60001},
      {"", std::string(400000, '\n'), 60000},
      {"a,b\n", "7," + long_cell + "8\n9,10\n", 60002},
      {"a,b\n7,\"8\"\n", "\"9\",10\n", 60002},
      {"a,b\n", "7,8" + long_cell, 60001},
      {"\"a\nb\",c\n", "", 60000},
  };
  for (const auto& text : texts) {
    CAPTURE(text.start);
    const std::string all = text.start + body + text.end;
    const Table from_file = load({{"file", folder.write("t.csv", all)}});
    CHECK(from_file.rows == text.rows);
    const Table at_once = load_text(all);
    CHECK(from_file.names == at_once.names);
    CHECK(from_file.values == at_once.values);
  }
  CHECK_THROWS_WITH(load({{"file", folder.write("t.csv", "a,b\n" + body + "x,1\n" + body)}}),
                    Catch::StartsWith(folder.file("t.csv") + ":60002:1: error: column 'a' holds 'x'"));
  CHECK_THROWS_WITH(load({{"file", folder.write("t.csv", body + "1," + long_cell + "\n" + body)}}),
                    Catch::StartsWith(folder.file("t.csv") + ":60001:700003: error: column 'x1' is empty here"));
  CHECK_THROWS_WITH(load({{"file", folder.write("t.csv", "a,b\n" + std::string(500000, '\n'))}}),
                    folder.file("t.csv") + ": error: there is a header, but no rows below it");
  CHECK_THROWS_WITH(load({{"file", folder.write("t.csv", std::string(500000, '\n'))}}),
                    folder.file("t.csv") + ": error: there are no rows in it");
}

TEST_CASE("csv reads a pipe, which can be read only once") {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << "a,b\n1,2\n3,4\n"; });
  const Table t = load({{"file", pipe}});
  writer.join();
  CHECK(t.values == Column{1, 3, 2, 4});
}

TEST_CASE("csv says where a cell is wrong, why, and what to do") {
  CHECK(message("a,b\n1,2\n3,red\n") ==
        "3:3: error: column 'b' holds 'red', which is not a number; correct the cell, or leave the column out with "
        "'drop' or 'columns'");
  for (const std::string cell : {"n/a", "NA", "NaN", "?", "null"})
    CHECK(message("a,b\n1,2\n3,\"" + cell + "\"\n") ==
          "3:3: error: column 'b' holds '" + cell +
              "', so its value is missing; write a number, or leave the row or the column out");
  CHECK(message("a;b\n1;2,5\n", {{"delimiter", ";"}}) ==
        "2:3: error: column 'b' holds '2,5', which is not a number; write its decimal comma as a point");
  CHECK(message("a,b\n1, \n") ==
        "2:4: error: column 'b' is empty here; write a number, or leave the row or the column out");
  CHECK(message("a,b\n,1\n") ==
        "2:1: error: column 'a' is empty here; write a number, or leave the row or the column out");
  for (const std::string cell : {"-inf", "Infinity", "1e999"})
    CHECK(message("a,b\n1,2\n 3 , " + cell + "\n") ==
          "3:6: error: column 'b' holds '" + cell +
              "', but data must be finite; correct the cell, or leave the row or the column out");
  CHECK(message("\xc3\xa9t\xc3\xa9,b\n1,2\n\"3\" , x\n") ==
        "3:7: error: column 'b' holds 'x', which is not a number; correct the cell, or leave the column out with "
        "'drop' or 'columns'");
  CHECK(message("h\xc3\xb6he,\"\xc3\xa9\" x\n1,2\n") ==
        "1:10: error: there is text behind a closing quote; double a quote that belongs to the cell");
  CHECK(
      message("a\n12\x01"
              "34567890123456789012345678901234567890123456789\n") ==
      "2:1: error: column 'a' holds '12\\x013456789012345678901234567890123456789...', which is not a number; correct "
      "the cell, or leave the column out with 'drop' or 'columns'");
  // A character of two bytes is not cut in the middle.
  CHECK_THAT(message("a\n" + std::string(39, 'x') + "\xc3\xa9\n"),
             Catch::StartsWith("2:1: error: column 'a' holds '" + std::string(39, 'x') + "...'"));
  CHECK(message("a,b\n1,\"2\n3,4\n") ==
        "2:3: error: this quote is not closed; close it, or double it if it belongs to the cell");
}

TEST_CASE("csv says which row has a wrong number of cells") {
  CHECK(message("a,b,c\n1,2,3\n4,5\n") ==
        "3:4: error: this row has 2 cells, but the table has 3 columns; mend the row, or set 'delimiter' if it is not "
        "','");
  CHECK(message("a,b\n1,2\n3,4,5,6\n") ==
        "3:4: error: this row has 4 cells, but the table has 2 columns; mend the row, or set 'delimiter' if it is not "
        "','");
  CHECK(message("a\n1,\n") ==
        "2:2: error: this row has 2 cells, but the table has 1 column; mend the row, or set 'delimiter' if it is not "
        "','");
  CHECK(message("1 2\n3\n", {{"delimiter", " "}}) ==
        "2:2: error: this row has 1 cell, but the table has 2 columns; mend the row, or set 'delimiter' if it is not "
        "blanks");
  CHECK(message("a,b\n1,2\n\n3,4\n") ==
        "3:1: error: this line is empty; remove it (only the end may have empty lines)");
  CHECK(message("\na,b\n1,2\n") == "1:1: error: this line is empty; start with the header or the first row");
}

TEST_CASE("csv says what is wrong with the header") {
  CHECK(message("a,2024\n1,2\n") ==
        "1:1: error: the first line holds the number '2024' and the text 'a', so it may be a header or a row; say "
        "'header: true' or 'header: false'");
  CHECK(message("alcohol,ash\n1,2\n", {{"columns", "[alchool]"}}) ==
        "1:1: error: there is no column 'alchool'; did you mean 'alcohol'?");
  CHECK(message("alcohol,ash\n1,2\n", {{"drop", "[target]"}}) ==
        "1:1: error: there is no column 'target'; the columns are alcohol, ash");
  CHECK(message("alcohol,\x1b[31m\n1,2\n", {{"drop", "[target]"}}) ==
        "1:1: error: there is no column 'target'; the columns are alcohol, \\x1b[31m");
  CHECK(message("a,b\n1,2\n", {{"drop", "[b, a]"}}) == "1:1: error: 'drop' leaves no column");
  std::string many = "c0";
  for (int j = 1; j < 60; ++j) many += ",c" + std::to_string(j);
  CHECK(message(many + "\n", {{"drop", "[target]"}}).ends_with(", c48, c49 and 10 more"));
  CHECK(message("a,b,a\n1,2,3\n") == "1:1: error: columns 1 and 3 are both named 'a'; rename one in the header");
  CHECK(message(",a\n0,1\n") == "1:1: error: column 1 has no name; give it one, or choose others with 'columns'");
}

TEST_CASE("csv reads a table of very many columns, and finds the one name that stands twice") {
  constexpr int kColumns = 60000;
  std::string names, row;
  for (int j = 0; j < kColumns; ++j) {
    names += (j ? ",c" : "c") + std::to_string(j);
    row += (j ? "," : "") + std::to_string(j);
  }
  const Table table = load_text(names + "\n" + row + "\n");
  REQUIRE(table.columns() == kColumns);
  CHECK(table.column(kColumns - 1)[0] == kColumns - 1);
  CHECK(message(names + ",c777\n" + row + ",0\n") ==
        "1:1: error: columns 778 and 60001 are both named 'c777'; rename one in the header");
}

TEST_CASE("csv asks for no more memory than a text has numbers") {
  // As many rows as lines would be 5 * 10^11 numbers.
  std::string text = "c0";
  constexpr int kSize = 700000;
  for (int j = 1; j < kSize; ++j) text += ",c" + std::to_string(j);
  text += "\n";
  for (int i = 0; i < kSize; ++i) text += "1\n";
  CHECK(message(text).starts_with("2:2: error: this row has 1 cell, but the table has 700000 columns"));
  const TemporaryFolder folder;
  folder.write("data.csv", text);
  CHECK_THROWS_AS(load({{"file", folder / "data.csv"}}), DataError);
}

TEST_CASE("csv reads as many rows as there is room for") {
  CHECK(load_text("a\n1\n2\n3").values == Column{1, 2, 3});
  CHECK(load_text("a,b,c\n1,,\n2,,\n3,,", {{"columns", "[a]"}}).values == Column{1, 2, 3});
  CHECK(load_text("a,b,c,d\n,,,1\n,,,2\n", {{"columns", "[d]"}}).values == Column{1, 2});
  CHECK(load_text("1\n2\n", {{"header", "false"}}).values == Column{1, 2});
}

TEST_CASE("csv says that there are no rows, or not in this encoding") {
  for (const char* text : {"", "\n\n", "\xef\xbb\xbf", " \r\n"})
    CHECK_THROWS_WITH(load_text(text), "test.text: error: there are no rows in it");
  CHECK_THROWS_WITH(load_text("a,b\n"), "test.text: error: there is a header, but no rows below it");
  CHECK_THROWS_WITH(load_text("a,b"), "test.text: error: there is a header, but no rows below it");
  CHECK_THROWS_WITH(load_text("\xff\xfe"
                              "a"),
                    "test.text: error: the text is UTF-16; save it as UTF-8");
}

TEST_CASE("csv says which file cannot be read") {
  const TemporaryFolder folder;
  const std::string missing = folder.file("missing.csv");
  CHECK_THROWS_WITH(load({{"file", missing}}),
                    missing + ": error: the file cannot be opened: No such file or directory; check the field 'file'");
  CHECK_THROWS_WITH(load({{"file", folder.path()}}),
                    folder.path() + ": error: the file cannot be read: Is a directory; check the field 'file'");
  const std::string empty = folder.write("empty.csv", "");
  CHECK_THROWS_WITH(load({{"file", empty}}), empty + ": error: there are no rows in it");
  const std::string wrong = folder.write("wrong.csv", "a\n1\nx\n");
  CHECK_THROWS_WITH(load({{"file", wrong}}), Catch::StartsWith(wrong + ":3:1: error: column 'a' holds 'x'"));
}

TEST_CASE("csv suggests the delimiter of a table that seems to have one column") {
  const auto error_of = [](const std::string& text) {
    try {
      load_text(text);
    } catch (const DataError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const std::string rest = "; else correct the cell, or leave the column out with 'drop' or 'columns'";
  CHECK(error_of("a;b\n1;2\n") ==
        "test.text:2:1: error: column 'a;b' holds '1;2', which is not a number; if it divides cells, set 'delimiter: "
        "\";\"'" +
            rest);
  CHECK_THAT(error_of("a\tb\n1\t2\n"), Catch::EndsWith("set 'delimiter: \"\\t\"'" + rest));
  CHECK_THAT(error_of("a b\n1 2\n"), Catch::EndsWith("set 'delimiter: \" \"'" + rest));
  CHECK_THAT(error_of("a\nx\n"), Catch::EndsWith("which is not a number; correct the cell, or leave the column out "
                                                 "with 'drop' or 'columns'"));
}

TEST_CASE("csv refuses fields that do not fit together") {
  CHECK_THROWS_WITH(load({}), "file: is missing; give it, or the rows themselves as 'text'");
  CHECK_THROWS_WITH(load({{"file", "a"}, {"text", "b"}}), "file: is given beside 'text'; remove one of the two");
  CHECK_THROWS_WITH(load_text("a\n1\n", {{"columns", "[a]"}, {"drop", "[b]"}}),
                    "drop: has nothing to leave out: 'columns' already says which columns to keep");
  CHECK_THROWS_WITH(load_text("a\n1\n", {{"columns", "[a, b, a]"}}), "columns: names 'a' twice");
  for (const char* delimiter : {"", ",,", "\"", ".", "-", "e", "1", "\n"})
    CHECK_THROWS_WITH(load_text("a\n1\n", {{"delimiter", delimiter}}),
                      "delimiter: must be one character that no number contains, such as \",\", \";\", \"\\t\" or "
                      "\" \"");
}
