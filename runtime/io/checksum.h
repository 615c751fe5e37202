// CRC-32: finds a file that was cut, overwritten or damaged on its way. No defence against intent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace pushforward {

/// CRC-32 as in zlib, PNG and Ethernet (polynomial 0x04C11DB7, reflected), fed piece by piece.
class Crc32 {
 public:
  void add(std::span<const std::byte> bytes);
  std::uint32_t value() const { return ~state_; }
  /// Eight hexadecimal digits.
  std::string hexadecimal() const;

 private:
  std::uint32_t state_ = 0xffffffffu;
};

}  // namespace pushforward
