#include "io/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>

#include "io/atomic_file.h"
#include "io/npy_header.h"
#include "pushforward/error.h"

namespace pushforward {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostAxes = 64;   // since NumPy 2; every element is placed by all of them
constexpr std::size_t kAlignment = 64;  // of the data, as NumPy itself writes it

template <class T>
std::string prelude(const std::string& shape, ArrayOrder order) {
  std::string header = fmt::format("{{'descr': '<f{}', 'fortran_order': {}, 'shape': {}, }}", sizeof(T),
                                   order == ArrayOrder::fortran ? "True" : "False", shape);
  const std::size_t before = kMagic.size() + 4;
  header.append(kAlignment - 1 - (before + header.size()) % kAlignment, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  std::string bytes(kMagic);
  bytes.append({'\x01', '\x00', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)});
  return bytes + header;
}

template <class T>
void append(std::string& bytes, const T* values, Index count) {
  bytes.append(reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(T));
}

/// One element of the file as a double.
template <class E>
std::optional<double> element(const char* place, bool swapped) {
  char bytes[sizeof(E)];
  std::memcpy(bytes, place, sizeof(E));
  if (swapped) std::reverse(bytes, bytes + sizeof(E));
  E value;
  std::memcpy(&value, bytes, sizeof(E));
  const auto converted = static_cast<double>(value);
  if constexpr (sizeof(E) == 8 && std::is_integral_v<E>) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double skips integers
    if (std::abs(converted) > kExact) return std::nullopt;
  }
  return converted;
}

using Reader = std::optional<double> (*)(const char*, bool);
struct ElementType {
  const char* name;  // without its byte order
  std::size_t size;
  Reader read;
};
constexpr ElementType kTypes[] = {
    {"f4", 4, &element<float>},         {"f8", 8, &element<double>},        {"i1", 1, &element<std::int8_t>},
    {"i2", 2, &element<std::int16_t>},  {"i4", 4, &element<std::int32_t>},  {"i8", 8, &element<std::int64_t>},
    {"u1", 1, &element<std::uint8_t>},  {"u2", 2, &element<std::uint16_t>}, {"u4", 4, &element<std::uint32_t>},
    {"u8", 8, &element<std::uint64_t>}, {"b1", 1, &element<std::uint8_t>},
};

class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  NpyArray decode() const {
    const std::size_t start = data_start();
    NpyHeader header;
    try {
      header = parse_npy_header(bytes_.substr(header_start_of(version()), start - header_start_of(version())));
    } catch (const Error& error) {
      fail("its header is not valid: {}", error.what());
    }
    const ElementType& type = element_type(header.type);
    const std::string_view data = bytes_.substr(start);
    if (header.shape.size() > kMostAxes)
      fail("its shape has {} axes; NumPy's arrays have at most {}", header.shape.size(), kMostAxes);
    Index count = 1, needed = 0;
    bool too_large = false;
    for (const Index extent : header.shape) too_large |= __builtin_mul_overflow(count, extent, &count);
    too_large |= __builtin_mul_overflow(count, static_cast<Index>(type.size), &needed);
    if (too_large) fail("shape ({}) is too large for any file", fmt::join(header.shape, ", "));
    if (static_cast<std::size_t>(needed) != data.size())
      fail("shape ({}) of type '{}' needs {} bytes of data, and the file holds {}", fmt::join(header.shape, ", "),
           header.type, needed, data.size());
    return read(header, type, data, count);
  }

 private:
  template <class... A>
  [[noreturn]] void fail(fmt::format_string<A...> format, A&&... arguments) const {
    throw DataError(fmt::format("cannot read '{}' as a .npy file: {}", name_,
                                fmt::vformat(format, fmt::make_format_args(arguments...))));
  }

  int version() const { return static_cast<unsigned char>(bytes_[kMagic.size()]); }
  /// Version 1 has two bytes of header length, the later ones four.
  static std::size_t header_start_of(int version) { return kMagic.size() + 2 + (version == 1 ? 2 : 4); }

  std::size_t data_start() const {
    if (bytes_.substr(0, kMagic.size()) != kMagic) fail("it does not begin as one");
    if (bytes_.size() < kMagic.size() + 2 || bytes_.size() < header_start_of(version()))
      fail("it was cut short within its first bytes");
    if (version() < 1 || version() > 3) fail("it has format version {}; 1 to 3 can be read", version());
    std::uint32_t length = 0;
    std::memcpy(&length, bytes_.data() + kMagic.size() + 2, version() == 1 ? 2 : 4);
    const std::size_t start = header_start_of(version()) + length;
    if (start > bytes_.size()) fail("it was cut short within its header");
    return start;
  }

  const ElementType& element_type(const std::string& name) const {
    const bool ordered = !name.empty() && std::string_view("<>=|").find(name[0]) != std::string_view::npos;
    for (const ElementType& type : kTypes)
      if (ordered && name.substr(1) == type.name) return type;
    fail("its type is '{}'; numbers are needed: convert it with array.astype('float64')", name);
  }

  NpyArray read(const NpyHeader& header, const ElementType& type, std::string_view data, Index count) const {
    NpyArray array{header.shape, header.type, std::vector<double>(static_cast<std::size_t>(count))};
    if (count == 0) return array;  // beside an extent of zero the others may be such that no stride fits an Index
    const bool swapped = header.type[0] == '>';
    // A C-ordered index of rows of the first axis, visited in the file's order: in Fortran order the first axis is the
    // fastest, so the axes are walked from the first.
    std::vector<Index> index(header.shape.size(), 0);
    std::vector<Index> stride(header.shape.size(), 1);
    for (std::size_t axis = header.shape.size(); axis-- > 1;) stride[axis - 1] = stride[axis] * header.shape[axis];
    for (Index i = 0; i < count; ++i) {
      const std::optional<double> value = type.read(data.data() + static_cast<std::size_t>(i) * type.size, swapped);
      if (!value) fail("element {} is an integer beyond 2^53, which no double holds exactly", i);
      Index place = i;
      if (header.fortran_order) {
        place = 0;
        for (std::size_t axis = 0; axis < index.size(); ++axis) place += index[axis] * stride[axis];
        for (std::size_t axis = 0; axis < index.size() && ++index[axis] == header.shape[axis]; ++axis) index[axis] = 0;
      }
      array.values[static_cast<std::size_t>(place)] = *value;
    }
    return array;
  }

  std::string_view bytes_;
  const std::string& name_;
};

}  // namespace

template <class T>
std::string encode_npy(Block<const T> block, ArrayOrder order) {
  std::string bytes = prelude<T>(fmt::format("({}, {})", block.rows, block.columns), order);
  bytes.reserve(bytes.size() + static_cast<std::size_t>(block.size()) * sizeof(T));
  if (order == ArrayOrder::fortran) {
    for (Index j = 0; j < block.columns; ++j) append(bytes, block.column(j), block.rows);
    return bytes;
  }
  std::vector<T> row(static_cast<std::size_t>(block.columns));
  for (Index i = 0; i < block.rows; ++i) {
    for (Index j = 0; j < block.columns; ++j) row[static_cast<std::size_t>(j)] = block(i, j);
    append(bytes, row.data(), block.columns);
  }
  return bytes;
}

template <class T>
std::string encode_npy(std::span<const T> values) {
  std::string bytes = prelude<T>(fmt::format("({},)", values.size()), ArrayOrder::c);
  append(bytes, values.data(), static_cast<Index>(values.size()));
  return bytes;
}

template <class T>
void write_npy(const std::filesystem::path& path, Block<const T> block, ArrayOrder order) {
  write_file(path, encode_npy(block, order));
}
template <class T>
void write_npy(const std::filesystem::path& path, std::span<const T> values) {
  write_file(path, encode_npy(values));
}

NpyArray decode_npy(std::string_view bytes, const std::string& name) { return Decoder(bytes, name).decode(); }

NpyArray read_npy(const std::filesystem::path& path) { return decode_npy(read_file(path), path.string()); }

#define PUSHFORWARD_NPY(T)                                                           \
  template std::string encode_npy(Block<const T>, ArrayOrder);                       \
  template std::string encode_npy(std::span<const T>);                               \
  template void write_npy(const std::filesystem::path&, Block<const T>, ArrayOrder); \
  template void write_npy(const std::filesystem::path&, std::span<const T>);
PUSHFORWARD_NPY(float)
PUSHFORWARD_NPY(double)
#undef PUSHFORWARD_NPY

}  // namespace pushforward
