// NPY files: the bytes that NumPy writes, every type and order read, every kind of damage refused.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <span>

#include "io/npy.h"
#include "pushforward/error.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

/// A file of format version 1 or 2 with this header and data.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  const auto length = static_cast<std::uint32_t>(header.size());
  char digits[4];
  std::memcpy(digits, &length, 4);
  bytes.append(digits, version == 1 ? 2 : 4);
  return bytes + header + data;
}
std::string dictionary(const std::string& type, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }\n";
}
template <class E>
std::string raw(std::initializer_list<E> values) {
  std::string bytes(values.size() * sizeof(E), '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}
std::string refusal(const std::string& bytes) {
  try {
    decode_npy(bytes, "some.npy");
  } catch (const DataError& error) {
    CHECK_THAT(error.what(), Contains("'some.npy'"));
    return error.what();
  }
  FAIL("the file was accepted");
  return {};
}

/// 3 x 2 in a padded block, as a batch lies in memory.
template <class T>
struct Batch {
  T memory[32] = {};
  Block<const T> block{memory, 3, 2, 16};
  Batch() {
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 2; ++j) memory[i + 16 * j] = static_cast<T>(10 * i + j + 0.1);
  }
};

TEMPLATE_TEST_CASE("A batch round trips bit for bit in both orders", "", float, double) {
  const Batch<TestType> batch;
  for (const ArrayOrder order : {ArrayOrder::c, ArrayOrder::fortran}) {
    const NpyArray array = decode_npy(encode_npy(batch.block, order), "x");
    CHECK(array.shape == std::vector<Index>{3, 2});
    CHECK(array.type == (sizeof(TestType) == 4 ? "<f4" : "<f8"));
    REQUIRE(array.values.size() == 6);
    for (Index i = 0; i < 3; ++i)
      for (Index j = 0; j < 2; ++j) CHECK(array.values[static_cast<std::size_t>(2 * i + j)] == batch.block(i, j));
  }
}

TEST_CASE("The bytes are those that numpy.save writes") {
  const float values[] = {1, 2, 3};
  const std::string bytes = encode_npy<float>(std::span<const float>(values));
  const std::string expected = npy(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }" + std::string(60, ' ') + "\n", raw<float>({1, 2, 3}));
  CHECK(bytes == expected);
  CHECK((bytes.size() - sizeof(values)) % 64 == 0);
}

TEST_CASE("An empty batch and an empty list are arrays") {
  CHECK(decode_npy(encode_npy<double>(Block<const double>{nullptr, 0, 2, 0}), "x").shape == std::vector<Index>{0, 2});
  CHECK(decode_npy(encode_npy<double>(std::span<const double>()), "x").shape == std::vector<Index>{0});
}

TEST_CASE("An array without elements may have any other extents") {
  for (const bool fortran : {false, true}) {
    const NpyArray array = decode_npy(npy(dictionary("<f8", "(0, 4294967296, 4294967296)", fortran), ""), "x");
    CHECK(array.shape == std::vector<Index>{0, 4294967296, 4294967296});
    CHECK(array.values.empty());
  }
}

TEST_CASE("An array has as many axes as NumPy's can have") {
  const auto ones = [](std::size_t axes) {
    std::string shape = "(2, ";
    for (std::size_t i = 1; i < axes; ++i) shape += "1, ";
    return npy(dictionary("|u1", shape + ")", true), "ab");
  };
  CHECK(decode_npy(ones(64), "x").values == std::vector<double>{97, 98});
  CHECK_THAT(refusal(ones(65)), Contains("its shape has 65 axes; NumPy's arrays have at most 64"));
}

TEST_CASE("Every number type is read, in either byte order") {
  const auto read = [](const std::string& type, const std::string& data) {
    return decode_npy(npy(dictionary(type, "(2,)"), data), "x").values;
  };
  using V = std::vector<double>;
  CHECK(read("|i1", raw<std::int8_t>({-3, 5})) == V{-3, 5});
  CHECK(read("<i2", raw<std::int16_t>({-300, 5})) == V{-300, 5});
  CHECK(read("<i4", raw<std::int32_t>({-70000, 5})) == V{-70000, 5});
  CHECK(read("<i8", raw<std::int64_t>({-(1LL << 53), 5})) == V{-9007199254740992.0, 5});
  CHECK(read("|u1", raw<std::uint8_t>({200, 5})) == V{200, 5});
  CHECK(read("<u2", raw<std::uint16_t>({60000, 5})) == V{60000, 5});
  CHECK(read("<u4", raw<std::uint32_t>({4000000000u, 5})) == V{4000000000.0, 5});
  CHECK(read("<u8", raw<std::uint64_t>({7, 5})) == V{7, 5});
  CHECK(read("|b1", raw<std::uint8_t>({1, 0})) == V{1, 0});
  CHECK(read("<f4", raw<float>({1.5f, -2})) == V{1.5, -2});
  CHECK(read("=f8", raw<double>({0.1, -2})) == V{0.1, -2});
  CHECK(read(">i2", std::string("\xff\xfe\x00\x05", 4)) == V{-2, 5});
  CHECK(read(">f4", std::string("\x3f\xc0\x00\x00\xc0\x00\x00\x00", 8)) == V{1.5, -2});
}

TEST_CASE("Any shape and the later format versions are read; Fortran order comes out in C order") {
  const std::string data = raw<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const NpyArray c = decode_npy(npy(dictionary("|u1", "(2, 3, 2)"), data, 2), "x");
  CHECK(c.shape == std::vector<Index>{2, 3, 2});
  CHECK(c.values == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const NpyArray fortran = decode_npy(npy(dictionary("|u1", "(2, 3, 2)", true), data, 3), "x");
  CHECK(fortran.values == std::vector<double>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
  CHECK(decode_npy(npy(dictionary("|u1", "()"), "a"), "x").values == std::vector<double>{97});
}

TEST_CASE("A file that is no array of numbers, or is damaged, is refused with the reason") {
  const std::string good = npy(dictionary("<f8", "(2,)"), raw<double>({1, 2}));
  CHECK_THAT(refusal(""), Contains("it does not begin as one"));
  CHECK_THAT(refusal("x,y\n1,2\n"), Contains("it does not begin as one"));
  CHECK_THAT(refusal(good.substr(0, 7)), Contains("cut short within its first bytes"));
  CHECK_THAT(refusal(good.substr(0, 30)), Contains("cut short within its header"));
  CHECK_THAT(refusal(good.substr(0, good.size() - 1)), Contains("needs 16 bytes of data, and the file holds 15"));
  CHECK_THAT(refusal(good + "x"), Contains("needs 16 bytes of data, and the file holds 17"));
  CHECK_THAT(refusal(npy(dictionary("<f8", "(2,)"), "", 9)), Contains("format version 9"));
  CHECK_THAT(refusal(npy(dictionary("<U5", "(2,)"), "")), Contains("type is '<U5'") && Contains("astype"));
  CHECK_THAT(refusal(npy(dictionary("|O", "(2,)"), "")), Contains("type is '|O'"));
  CHECK_THAT(refusal(npy(dictionary("<c16", "(2,)"), "")), Contains("type is '<c16'"));
  CHECK_THAT(refusal(npy(dictionary("", "(2,)"), "")), Contains("type is ''"));
  CHECK_THAT(refusal(npy(dictionary("<i8", "(1,)"), raw<std::int64_t>({(1LL << 53) + 2}))),
             Contains("element 0 is an integer beyond 2^53"));
  CHECK_THAT(refusal(npy(dictionary("<f8", "(9223372036854775807, 9)"), "")), Contains("too large"));
  CHECK_THAT(refusal(npy(dictionary("<f8", "(2305843009213693952,)"), "")), Contains("too large"));
}

TEST_CASE("A header that is no dictionary of its three keys is refused") {
  const auto header = [](const std::string& text) { return refusal(npy(text, "")); };
  CHECK_THAT(header(""), Contains("no '{' where one must follow"));
  CHECK_THAT(header("{'descr': '<f8'}"), Contains("less than its three keys"));
  CHECK_THAT(header("{'descr': '<f8', 'descr': '<f8'}"), Contains("the key 'descr' twice"));
  CHECK_THAT(header("{'color': 'red'}"), Contains("the unknown key 'color'"));
  CHECK_THAT(header("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}"), Contains("structured type"));
  CHECK_THAT(header("{'descr': '<f8"), Contains("a string without an end"));
  CHECK_THAT(header("{'descr': '<f8', 'fortran_order': 0, "), Contains("neither True nor False"));
  CHECK_THAT(header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), Contains("no extent"));
  CHECK_THAT(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1"), Contains("no ')'"));
  CHECK_THAT(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x"), Contains("text after its end"));
  CHECK_THAT(header("{'descr' '<f8'}"), Contains("''' where ':' must stand"));
}

TEST_CASE("Files are written and read") {
  const TemporaryFolder folder;
  const Batch<double> batch;
  write_npy(folder / "a.npy", batch.block);
  CHECK(read_npy(folder / "a.npy").shape == std::vector<Index>{3, 2});
  CHECK(folder.names() == std::vector<std::string>{"a.npy"});
  CHECK_THROWS_AS(read_npy(folder / "none.npy"), DataError);
}

}  // namespace
