#include "io/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "io/atomic_file.h"
#include "io/checksum.h"
#include "io/file_error.h"

namespace pushforward {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian; swap bytes on this machine");

using Json = nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
constexpr std::uint64_t kMaximumHeader = 100'000'000;  // as the reference implementation
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "checksum";
constexpr std::string_view kChecksumKind = "crc32:";
/// The checksum is that of the file in which this stands in its place.
constexpr std::string_view kNoChecksum = "crc32:00000000";

std::string checksum_of(std::string_view header, std::string_view data) {
  Crc32 crc;
  crc.add(std::as_bytes(std::span(header.data(), header.size())));
  crc.add(std::as_bytes(std::span(data.data(), data.size())));
  return std::string(kChecksumKind) + crc.hexadecimal();
}

/// Where the checksum's text stands in a header. The quotes of a string value would be escaped, so only a key of that
/// name can match.
std::size_t place_of_checksum(std::string_view header) {
  const std::string key = fmt::format("\"{}\":\"{}", kChecksum, kChecksumKind);
  const std::size_t found = header.find(key);
  const std::size_t place = found + key.size() - kChecksumKind.size();
  if (found == std::string_view::npos || place + kNoChecksum.size() > header.size()) return std::string_view::npos;
  return place;
}

/// The largest elements first: every element is then aligned without gaps, which the format forbids.
std::vector<const std::pair<const std::string, Tensor>*> in_file_order(const TensorFile& file) {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : file.tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return size_of(a->second.type) > size_of(b->second.type); });
  return order;
}

// --- reading
// ----------------------------------------------------------------------------------------------------------

class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  TensorFile decode() {
    split();
    const Json header = parse();
    verify_checksum(header);
    TensorFile file;
    std::vector<Extent> extents;
    for (const auto& [key, value] : header.items()) {
      if (key == kMetadata) {
        file.metadata = metadata(value);
      } else {
        const Extent extent = tensor(key, value, file);
        extents.push_back(extent);
      }
    }
    check_layout(extents);
    return file;
  }

 private:
  struct Extent {
    std::string name;
    std::uint64_t begin, end;
  };

  template <class... A>
  [[noreturn]] void fail(fmt::format_string<A...> format, A&&... arguments) const {
    throw CheckpointError(fmt::format("'{}' is damaged or no safetensors file: {}", name_,
                                      fmt::vformat(format, fmt::make_format_args(arguments...))));
  }

  void split() {
    if (bytes_.size() < kLengthBytes)
      fail("it has {} bytes, and the length of the header alone takes {}", bytes_.size(), kLengthBytes);
    std::uint64_t length;
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    if (length > kMaximumHeader)
      fail("its header would be {} bytes long; at most {} are allowed", length, kMaximumHeader);
    if (length > bytes_.size() - kLengthBytes)
      fail("its header would be {} bytes long, and only {} follow: the file was cut short", length,
           bytes_.size() - kLengthBytes);
    header_ = bytes_.substr(kLengthBytes, length);
    data_ = bytes_.substr(kLengthBytes + length);
  }

  Json parse() const {
    std::vector<std::set<std::string>> keys;  // of the objects that are open
    std::string duplicate;
    const auto watch = [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
        duplicate = value.get<std::string>();
      return true;
    };
    Json header;
    try {
      header = Json::parse(header_.begin(), header_.end(), watch);
    } catch (const Json::exception& error) {
      const std::string why = error.what();  // at its end it quotes all that was read
      fail("its header is not valid JSON ({})", why.substr(0, why.find("; last read")));
    }
    if (!header.is_object()) fail("its header is not a JSON object");
    if (!duplicate.empty()) fail("its header holds the name '{}' twice", duplicate);
    return header;
  }

  void verify_checksum(const Json& header) const {
    const auto found = header.find(kMetadata);
    const bool there = found != header.end() && found->is_object() && found->contains(kChecksum);
    const std::size_t place = place_of_checksum(header_);
    if (!there || place == std::string_view::npos) fail("its header has no checksum");
    std::string blank(header_);
    blank.replace(place, kNoChecksum.size(), kNoChecksum);
    const std::string_view stored = header_.substr(place, kNoChecksum.size());
    const std::string computed = checksum_of(blank, data_);
    if (stored != computed)
      fail("its checksum is {}, and its content has {}: bytes were changed or lost after it was written", stored,
           computed);
  }

  std::map<std::string, std::string> metadata(const Json& value) const {
    std::map<std::string, std::string> result;
    if (!value.is_object()) fail("{} is not a JSON object", kMetadata);
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("the metadata '{}' is not a string", key);
      if (key != kChecksum) result[key] = text.get<std::string>();
    }
    return result;
  }

  Extent tensor(const std::string& key, const Json& value, TensorFile& file) const {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets"))
      fail("the entry of tensor '{}' must have dtype, shape and data_offsets, and nothing else", key);
    Tensor tensor;
    tensor.type = type(key, value["dtype"]);
    tensor.shape = shape(key, value["shape"]);
    const auto [begin, end] = offsets(key, value["data_offsets"]);
    const std::optional<std::uint64_t> expected = bytes_of(tensor);
    if (!expected || *expected != end - begin)
      fail("tensor '{}' of type {} and shape [{}] does not fill its {} bytes", key, name_of(tensor.type),
           fmt::join(tensor.shape, ", "), end - begin);
    const auto bytes = std::as_bytes(std::span(data_.data() + begin, end - begin));
    tensor.bytes.assign(bytes.begin(), bytes.end());
    file.tensors.emplace(key, std::move(tensor));
    return {key, begin, end};
  }

  /// Lists and objects by their kind alone: they may be nested deeper than a recursion can follow.
  static std::string shown(const Json& value) {
    return value.is_structured() ? std::string("an ") + value.type_name() : value.dump();
  }

  TensorType type(const std::string& key, const Json& value) const {
    for (const TensorType t : {TensorType::float32, TensorType::float64, TensorType::int64})
      if (value == name_of(t)) return t;
    fail("tensor '{}' has type {}; F32, F64 and I64 can be read", key, shown(value));
  }

  std::vector<Index> shape(const std::string& key, const Json& value) const {
    std::vector<Index> result;
    if (!value.is_array()) fail("the shape of tensor '{}' is not a list", key);
    for (const Json& extent : value) {
      if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > std::uint64_t(INT64_MAX))
        fail("the shape of tensor '{}' holds {}, which is no extent", key, shown(extent));
      result.push_back(extent.get<Index>());
    }
    return result;
  }

  std::pair<std::uint64_t, std::uint64_t> offsets(const std::string& key, const Json& value) const {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number_unsigned() || !value[1].is_number_unsigned())
      fail("the data_offsets of tensor '{}' are not two numbers", key);
    const auto begin = value[0].get<std::uint64_t>(), end = value[1].get<std::uint64_t>();
    if (begin > end) fail("tensor '{}' would begin at byte {} and end before it, at {}", key, begin, end);
    if (end > data_.size())
      fail("tensor '{}' would end at byte {} of the data, which has {}: the file was cut short", key, end,
           data_.size());
    return {begin, end};
  }

  static std::optional<std::uint64_t> bytes_of(const Tensor& tensor) {
    std::uint64_t bytes = size_of(tensor.type);
    for (const Index extent : tensor.shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return std::nullopt;
    return bytes;
  }

  void check_layout(std::vector<Extent>& extents) const {
    std::sort(extents.begin(), extents.end(),
              [](const Extent& a, const Extent& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
    std::uint64_t end = 0;
    const std::string* before = nullptr;
    for (const Extent& extent : extents) {
      if (extent.begin < end) fail("the tensors '{}' and '{}' overlap", *before, extent.name);
      if (extent.begin > end) fail("{} bytes before tensor '{}' belong to nothing", extent.begin - end, extent.name);
      end = extent.end;
      before = &extent.name;
    }
    if (end != data_.size()) fail("{} bytes at its end belong to nothing", data_.size() - end);
  }

  std::string_view bytes_, header_, data_;
  const std::string& name_;
};

}  // namespace

std::size_t size_of(TensorType type) { return type == TensorType::float32 ? 4 : 8; }

const char* name_of(TensorType type) {
  switch (type) {
    case TensorType::float32:
      return "F32";
    case TensorType::float64:
      return "F64";
    case TensorType::int64:
      return "I64";
  }
  return "";
}

Index Tensor::count() const {
  Index n = 1;
  for (const Index extent : shape) n *= extent;
  return n;
}

std::string encode_safetensors(const TensorFile& file) {
  const auto order = in_file_order(file);
  Json header = Json::object();
  header[kMetadata] = file.metadata;
  header[kMetadata][kChecksum] = kNoChecksum;
  std::string data;
  for (const auto* entry : order) {
    const Tensor& tensor = entry->second;
    if (tensor.bytes.size() != static_cast<std::size_t>(tensor.count()) * size_of(tensor.type))
      throw std::logic_error(fmt::format("tensor '{}' does not hold as many elements as its shape says", entry->first));
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    header[entry->first] = {
        {"dtype", name_of(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error& error) {
    throw FileError(
        fmt::format("cannot write a safetensors file: a name or text in it is not UTF-8 ({})", error.what()));
  }
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const std::string checksum = checksum_of(text, data);
  text.replace(place_of_checksum(text), checksum.size(), checksum);

  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  return bytes.append(text).append(data);
}

TensorFile decode_safetensors(std::string_view bytes, const std::string& name) { return Decoder(bytes, name).decode(); }

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file(path, encode_safetensors(file));
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  std::string bytes;
  try {
    bytes = read_file(path);
  } catch (const DataError& error) {
    throw CheckpointError(error.what());
  }
  return decode_safetensors(bytes, path.string());
}

}  // namespace pushforward
