#pragma once

#include <fstream>
#include <optional>
#include <string>

namespace pushforward {

/// A whole file; none if it cannot be read.
inline std::optional<std::string> file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  char buffer[1 << 14];
  while (in.read(buffer, sizeof(buffer)) || in.gcount() > 0)
    bytes.append(buffer, static_cast<std::size_t>(in.gcount()));
  if (in.bad() || !in.eof()) return std::nullopt;
  return bytes;
}

}  // namespace pushforward
