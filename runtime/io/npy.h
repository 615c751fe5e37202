// NumPy's .npy files: one array each.
//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pushforward/block.h"

namespace pushforward {

enum class ArrayOrder : std::uint8_t {
  c,        ///< the last axis runs fastest: NumPy's default
  fortran,  ///< the first axis runs fastest: how a batch lies in memory
};

/// The bytes of a `rows x columns` array of float32 or float64, little-endian, format version 1.0.
template <class T>
std::string encode_npy(Block<const T> block, ArrayOrder order = ArrayOrder::c);
/// A one-dimensional array.
template <class T>
std::string encode_npy(std::span<const T> values);

/// The same as files, written whole or not at all. Throws FileError.
template <class T>
void write_npy(const std::filesystem::path& path, Block<const T> block, ArrayOrder order = ArrayOrder::c);
template <class T>
void write_npy(const std::filesystem::path& path, std::span<const T> values);

/// What a file held, converted to double; in C order whatever the file's order was.
struct NpyArray {
  std::vector<Index> shape;
  std::string type;  // as the file spells it: `<f4`
  std::vector<double> values;
};

/// Reads versions 1.0 to 3.0, booleans, integers of 8 to 64 bits and floats of 32 and 64 bits, either byte order and
/// either array order. Throws DataError naming file and reason: no .npy file, another type, a length that does not fit
/// the shape, an integer that no double holds.
NpyArray decode_npy(std::string_view bytes, const std::string& name);
NpyArray read_npy(const std::filesystem::path& path);

}  // namespace pushforward
