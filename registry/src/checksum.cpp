#include "checksum.h"

namespace pushforward {

void Checksum::add(std::span<const char> bytes) {
  std::uint64_t hash = hash_;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  hash_ = hash;
}

std::string Checksum::text() const {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[hash_ >> shift & 15];
  return text;
}

}  // namespace pushforward
