// Files of named arrays in the safetensors format, which Python's `safetensors` and others read.
//
// Eight bytes of header length (little-endian), a JSON header padded with spaces to a multiple of 8, the arrays in C
// order without gaps. https://huggingface.co/docs/safetensors
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "pushforward/error.h"

namespace pushforward {

enum class TensorType : std::uint8_t { float32, float64, int64 };

template <class E>
inline constexpr TensorType kTensorType = TensorType::int64;
template <>
inline constexpr TensorType kTensorType<float> = TensorType::float32;
template <>
inline constexpr TensorType kTensorType<double> = TensorType::float64;

std::size_t size_of(TensorType type);
/// As the format spells it: `F32`, `F64`, `I64`.
const char* name_of(TensorType type);

/// An array in C order (the last axis runs fastest).
struct Tensor {
  TensorType type = TensorType::float64;
  std::vector<Index> shape;
  std::vector<std::byte> bytes;

  Index count() const;
  /// The elements; E must be the C++ type of `type`.
  template <class E>
  std::span<const E> elements() const {
    return {reinterpret_cast<const E*>(bytes.data()), bytes.size() / sizeof(E)};
  }
  template <class E>
  static Tensor of(std::vector<Index> shape, std::span<const E> elements) {
    static_assert(std::is_same_v<E, float> || std::is_same_v<E, double> || std::is_same_v<E, std::int64_t>);
    const auto bytes = std::as_bytes(elements);
    return {kTensorType<E>, std::move(shape), {bytes.begin(), bytes.end()}};
  }
};

/// What a file holds. Metadata are free strings; `checksum` is set by writing and verified by reading.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// The bytes of the file: 8-byte types first, then float32, each by name, so that every element is aligned and the
/// same content gives the same bytes. The checksum covers header and data. Throws FileError if a name is not UTF-8.
std::string encode_safetensors(const TensorFile& file);
/// Checks everything that the format demands (length, JSON, duplicate names, types, shapes, offsets, overlaps and gaps)
/// and the checksum, which must be there. Throws CheckpointError; `name` is the file in its message.
TensorFile decode_safetensors(std::string_view bytes, const std::string& name);

/// The same to and from a file; written whole or not at all (AtomicFile).
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);
TensorFile read_safetensors(const std::filesystem::path& path);

}  // namespace pushforward
