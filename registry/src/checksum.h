#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pushforward {

/// FNV-1a, 64 bits: finds out that a file is not the one of another day; no protection against intent.
class Checksum {
 public:
  void add(std::span<const char> bytes);
  /// 16 hexadecimal digits.
  std::string text() const;

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

inline std::string checksum(std::span<const char> bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.text();
}

}  // namespace pushforward
