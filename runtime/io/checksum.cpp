#include "io/checksum.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace pushforward {
namespace {

constexpr std::size_t kSlices = 8;

/// Slicing-by-8: table k maps a byte to its contribution after k further zero bytes, so eight bytes cost eight
/// look-ups and no chain of dependent steps.
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, kSlices> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320u : 0u);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  return tables;
}
constexpr auto kTables = make_tables();

}  // namespace

void Crc32::add(std::span<const std::byte> bytes) {
  std::uint32_t crc = state_;
  while (bytes.size() >= kSlices) {
    std::uint32_t low, high;
    std::memcpy(&low, bytes.data(), 4);
    std::memcpy(&high, bytes.data() + 4, 4);
    low ^= crc;
    crc = 0;
    for (int i = 0; i < 4; ++i) {
      crc ^= kTables[static_cast<std::size_t>(7 - i)][(low >> (8 * i)) & 0xff];
      crc ^= kTables[static_cast<std::size_t>(3 - i)][(high >> (8 * i)) & 0xff];
    }
    bytes = bytes.subspan(kSlices);
  }
  for (const std::byte b : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(b)) & 0xff];
  state_ = crc;
}

std::string Crc32::hexadecimal() const { return fmt::format("{:08x}", value()); }

}  // namespace pushforward
