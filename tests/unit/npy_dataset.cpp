#include <catch2/catch.hpp>

#include "../../plugins/datasets/npy.cpp"
#include "support/fake_build.h"
#include "support/temporary_folder.h"

using namespace pushforward::test;  // NOLINT

namespace {

using Names = std::vector<std::string>;
using Column = std::vector<double>;

/// A file around these bytes, as numpy writes it.
std::string file_of(const std::string& header, const std::string& numbers, char version = 1) {
  std::string text = "\x93NUMPY";
  text += version;
  text += '\0';
  std::size_t size = header.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i, size >>= 8) text += static_cast<char>(size & 0xff);
  return text + header + numbers;
}
std::string header_of(const std::string& type, const std::string& shape, const char* fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }          \n";
}
template <class N>
std::string bytes_of(const std::vector<N>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(N)};
}

Table load(const Fields& fields) { return make_component<Dataset<double>>(kComponents[0], fields)->load(0); }

struct Files {
  TemporaryFolder folder;
  Table load(const std::string& content, Fields fields = {}) const {
    fields["file"] = folder.write("a.npy", content);
    return ::load(fields);
  }
  /// The message about a file, without its name.
  std::string message(const std::string& content, const Fields& fields = {}) const {
    try {
      load(content, fields);
    } catch (const DataError& error) {
      const std::string what = error.what(), start = folder.file("a.npy") + ": error: ";
      REQUIRE(what.starts_with(start));
      return what.substr(start.size());
    }
    return "none";
  }
};

template <class N>
void check_type(const Files& files, const std::string& type, const std::vector<N>& numbers) {
  CAPTURE(type);
  const Table t = files.load(file_of(header_of(type, "(2, 2)"), bytes_of(numbers)));
  CHECK(t.rows == 2);
  CHECK(t.names == Names{"x0", "x1"});
  for (std::size_t i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j)
      CHECK(t.column(j)[i] == static_cast<double>(numbers[2 * i + static_cast<std::size_t>(j)]));
}

}  // namespace

TEST_CASE("npy reads every type of real and whole numbers") {
  const Files files;
  check_type<double>(files, "<f8", {1.5, -2, 0.1, 1e300});
  check_type<float>(files, "<f4", {1.5f, -2, 0.1f, 1e30f});
  check_type<std::uint8_t>(files, "|u1", {0, 255, 7, 1});
  check_type<std::int8_t>(files, "|i1", {-128, 127, 7, 1});
  check_type<std::uint8_t>(files, "|b1", {0, 1, 1, 0});
  check_type<std::uint16_t>(files, "<u2", {0, 65535, 258, 1});
  check_type<std::int16_t>(files, "<i2", {-32768, 32767, 258, 1});
  check_type<std::uint32_t>(files, "<u4", {0, 4294967295u, 258, 1});
  check_type<std::int32_t>(files, "<i4", {-2147483647, 2147483647, 258, 1});
  check_type<std::uint64_t>(files, "<u8", {0, 1, std::uint64_t{1} << 52, 3});
  check_type<std::int64_t>(files, "<i8", {-1, 1, -(std::int64_t{1} << 52), 3});
}

TEST_CASE("npy reads both orders, one dimension and all versions") {
  const Files files;
  const std::string numbers = bytes_of<double>({1, 2, 3, 4, 5, 6});
  CHECK(files.load(file_of(header_of("<f8", "(3, 2)"), numbers)).values == Column{1, 3, 5, 2, 4, 6});
  CHECK(files.load(file_of(header_of("<f8", "(3, 2)", "True"), numbers)).values == Column{1, 2, 3, 4, 5, 6});
  const Table one = files.load(file_of(header_of("<f8", "(6,)"), numbers));
  CHECK(one.names == Names{"x0"});
  CHECK(one.rows == 6);
  CHECK(files.load(file_of(header_of("<f8", "(6, 1)"), numbers, 2)).values == one.values);
  CHECK(files.load(file_of(header_of("<f8", "(6L, 1L)"), numbers, 3)).values == one.values);
  CHECK(files.load(file_of("{\"shape\":(1,6),\"fortran_order\":False,\"descr\":\"<f8\"}", numbers)).columns() == 6);
}

TEST_CASE("npy reads arrays that are larger than what it reads at once") {
  const Files files;
  constexpr Index kRows = 20011, kColumns = 7;
  std::vector<float> rows, columns;
  for (Index i = 0; i < kRows * kColumns; ++i) {
    rows.push_back(static_cast<float>(i));
    columns.push_back(static_cast<float>(i % kRows * kColumns + i / kRows));
  }
  const Table by_rows = files.load(file_of(header_of("<f4", "(20011, 7)"), bytes_of(rows)));
  CHECK(by_rows.column(6)[20010] == 20011 * 7 - 1);
  CHECK(by_rows.column(2)[12345] == 12345 * 7 + 2);
  CHECK(files.load(file_of(header_of("<f4", "(20011, 7)", "True"), bytes_of(columns))).values == by_rows.values);
  // One row alone is larger.
  std::vector<double> wide(100000);
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<double>(i);
  CHECK(files.load(file_of(header_of("<f8", "(2, 50000)"), bytes_of(wide))).column(49999)[1] == 99999);
}

TEST_CASE("npy names and drops columns") {
  const Files files;
  const std::string file = file_of(header_of("|u1", "(2, 3)"), bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6}));
  const Table named = files.load(file, {{"names", "[a, b, label]"}, {"drop", "[b]"}});
  CHECK(named.names == Names{"a", "label"});
  CHECK(named.values == Column{1, 4, 3, 6});
  CHECK(files.load(file, {{"drop", "[x2, x0]"}}).values == Column{2, 5});
  CHECK(files.message(file, {{"names", "[a, b]"}}) ==
        "its array has 3 columns, but 'names' has 2; give each column a name, or none");
  CHECK(files.message(file, {{"names", "[alpha, beta, gamma]"}, {"drop", "[gama]"}}) ==
        "there is no column 'gama' to drop; did you mean 'gamma'?");
  CHECK(files.message(file, {{"drop", "[x0, x1, x2]"}}) == "'drop' leaves no column");
  CHECK_THROWS_WITH(files.load(file, {{"names", "[a, b, a]"}}), "names: holds 'a' twice");
}

TEST_CASE("npy says which number is not finite, or too large for a double") {
  const Files files;
  for (const double wild : {std::nan(""), HUGE_VAL, -HUGE_VAL})
    CHECK(files.message(file_of(header_of("<f8", "(2, 2)"), bytes_of<double>({1, 2, 3, wild}))) ==
          "row 1, column 'x1' holds " + number_text(wild) +
              ", but data must be finite; rows are counted from 0. Leave the row or the column out");
  CHECK(files.message(file_of(header_of("<i8", "(2, 1)"), bytes_of<std::int64_t>({1, -(std::int64_t{1} << 53) - 1}))) ==
        "row 1, column 'x0' holds -9007199254740992, but whole numbers must stay below 2^53; rows are counted from 0. "
        "Leave the row or the column out");
}

TEST_CASE("npy says what is wrong with a file") {
  const Files files;
  const std::string good = bytes_of<double>({1, 2, 3, 4});
  const std::string broken = "its header is not one that numpy writes; save the array anew with numpy.save";
  CHECK_THAT(files.message(""), Catch::StartsWith("it does not start as NumPy's files do"));
  CHECK_THAT(files.message("PK\x03\x04 an archive"), Catch::StartsWith("it does not start as NumPy's files do"));
  CHECK(files.message(file_of("", "", 4)) == "it has version 4 of the format, and 1 to 3 are known");
  CHECK(files.message(std::string("\x93NUMPY\x01\x00\x76", 9)) ==
        "it ends before its array does; it was cut off, or is not complete");
  CHECK(files.message(file_of(header_of("<f8", "(2, 2)"), "").substr(0, 30)) ==
        "it ends before its array does; it was cut off, or is not complete");
  CHECK(files.message(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)) == broken);
  for (const char* header :
       {"", "{", "{}", "nonsense", "{'descr': '<f8'}", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)} more",
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': maybe, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2",
        "{'descr': '<f8, 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'x': True}"}) {
    CAPTURE(header);
    CHECK(files.message(file_of(header, good)) == broken);
  }
  CHECK_THAT(files.message(file_of("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 2)}", good)),
             Catch::StartsWith("it holds records with named fields"));
  for (const std::string type : {">f8", "<f2", "|O", "<U5", "<c8"})
    CHECK(files.message(file_of(header_of(type, "(2, 2)"), good)) ==
          "its numbers have the type '" + type + "', but must be real or whole numbers of this machine's byte order; " +
              "convert them before saving: array.astype('<f8')");
}

TEST_CASE("npy says which shape is no table, or does not fit the file") {
  const Files files;
  const std::string good = bytes_of<double>({1, 2, 3, 4});
  const auto message = [&](const std::string& shape) { return files.message(file_of(header_of("<f8", shape), good)); };
  CHECK(message("(1, 2, 2)") ==
        "its array has 3 dimensions, 1 x 2 x 2, but must have rows and columns; reshape it before saving: "
        "array.reshape(len(array), -1)");
  CHECK_THAT(message("()"), Catch::StartsWith("its array has 0 dimensions, but must have rows"));
  CHECK(message("(0, 2)") == "its array is empty: 0 x 2");
  CHECK(message("(2, 0)") == "its array is empty: 2 x 0");
  for (const char* shape : {"(3, 2)", "(1, 2)", "(4611686018427387904, 2)", "(9223372036854775807, 9)"})
    CHECK_THAT(message(shape),
               Catch::EndsWith("numbers of 8 bytes and the 32 bytes that the file has for it do not fit "
                               "together; it was cut off, or is not complete"));
  CHECK(message("(2, 9223372036854775807)") == "it ends before its array does; it was cut off, or is not complete");
}

TEST_CASE("npy says which file cannot be read, and which fields do not fit together") {
  const TemporaryFolder folder;
  const std::string missing = folder.file("missing.npy");
  CHECK_THROWS_WITH(load({{"file", missing}}),
                    missing + ": error: the file cannot be opened: No such file or directory; check the field 'file'");
  CHECK_THROWS_WITH(load({{"file", folder.path()}}),
                    folder.path() + ": error: it is no ordinary file; copy what it gives into one");
  CHECK_THROWS_WITH(load({}), "file: is missing; give it");
  CHECK_THROWS_WITH(load({{"file", "a"}, {"base64", "b"}}), "file: is given beside 'base64'; remove one of the two");
  CHECK_THROWS_WITH(load({{"base64", "k05V#"}}), "base64: holds a character that base64 does not have");
  CHECK_THROWS_WITH(load({{"base64", "k05V"}}), Catch::StartsWith("test.base64: error: it does not start as NumPy's"));
}
