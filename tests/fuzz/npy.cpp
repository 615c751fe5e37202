// NumPy's files: the runtime's reader and the dataset `npy`. What both take is the same array.
#include "io/npy.h"

#include <bit>
#include <cmath>

#include "fuzz/target.h"
#include "support/memory_file.h"
#include "support/models.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

bool decoded(const std::string& bytes, NpyArray& array) {
  try {
    array = decode_npy(bytes, "a.npy");
  } catch (const DataError& e) {
    require(std::string(e.what()).starts_with("cannot read 'a.npy' as a .npy file: "), e.what());
    return false;
  }
  Index count = 1;
  for (const Index extent : array.shape) count *= extent;
  require(count == static_cast<Index>(array.values.size()), "an array of another size than its shape");
  return true;
}

bool loaded(const std::string& bytes, Table& table) {
  const MemoryFile file(bytes);
  try {
    table = make_plain<Dataset<double>>(plugins(), "npy: {file: " + file.path() + "}")->load(1);
  } catch (const DataError& e) {
    require(std::string(e.what()).starts_with(file.path() + ": error: "), e.what());
    return false;
  }
  require(table.rows > 0 && static_cast<Index>(table.values.size()) == table.rows * table.columns(),
          "a table of another size");
  return true;
}

/// The other type and order of a file in version 1, whose header has room.
std::string other_header(std::string bytes, const std::string& from, const std::string& to) {
  const std::size_t at = bytes.find(from);
  if (at == bytes.npos) throw std::logic_error("no " + from);
  return bytes.replace(at, from.size(), to);
}

}  // namespace

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {"<f8"sv,
                                                 "<f4"sv,
                                                 ">f8"sv,
                                                 "|u1"sv,
                                                 "|b1"sv,
                                                 "<i8"sv,
                                                 "<u8"sv,
                                                 "<i2"sv,
                                                 "|O"sv,
                                                 "<U3"sv,
                                                 "=f8"sv,
                                                 "True"sv,
                                                 "False"sv,
                                                 "(2, 3)"sv,
                                                 "(6,)"sv,
                                                 "()"sv,
                                                 "(0, 3)"sv,
                                                 "(3, 0)"sv,
                                                 "(1, 2, 3)"sv,
                                                 "(6L,)"sv,
                                                 "(-1, 3)"sv,
                                                 "(9223372036854775807, 2)"sv,
                                                 "(4294967296, 4294967296)"sv,
                                                 "'descr'"sv,
                                                 "'shape'"sv,
                                                 "'fortran_order'"sv,
                                                 "{"sv,
                                                 "}"sv,
                                                 ","sv,
                                                 "'"sv,
                                                 "[('a', '<f8')]"sv,
                                                 "\x93NUMPY"sv,
                                                 "\x01\x00"sv,
                                                 "\x02\x00"sv,
                                                 "\x03\x00"sv,
                                                 "PK\x03\x04"sv,
                                                 "\n"sv,
                                                 "\0"sv};
  const Matrix<double> wide = normal_rows<double>(2, 3, 1);
  const Matrix<float> narrow = normal_rows<float>(2, 3, 2);
  const std::vector<double> flat = {1, 2, 3, 4};
  std::string integers = other_header(encode_npy<double>(std::span(flat)), "<f8", "<i8");
  for (int i = 0; i < 32; ++i)
    integers[integers.size() - 1 - static_cast<std::size_t>(i)] = static_cast<char>(i % 8 == 7);
  std::string bytes = other_header(encode_npy<double>(std::span(flat)), "<f8", "|u1");
  bytes = other_header(bytes, "(4,)", "(32)");
  return {.files = {encode_npy<double>(wide.block()), encode_npy<double>(wide.block(), ArrayOrder::fortran),
                    encode_npy<float>(narrow.block()), encode_npy<double>(std::span(flat)), integers, bytes},
          .tokens = kTokens,
          .lines = false};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = text_of(data, size);
  NpyArray array;
  Table table;
  const bool is_array = decoded(bytes, array), is_table = loaded(bytes, table);
  input_was_accepted = is_array || is_table;
  if (!is_array || !is_table) return 0;
  require(array.shape[0] == table.rows, "other rows in the dataset than in the array");
  for (Index i = 0; i < table.rows; ++i)
    for (Index j = 0; j < table.columns(); ++j)
      require(array.values[static_cast<std::size_t>(i * table.columns() + j)] ==
                  table.column(j)[static_cast<std::size_t>(i)],
              "another value in the dataset than in the array");
  return 0;
}
