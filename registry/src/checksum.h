#pragma once

#include <span>
#include <string>

namespace pushforward {

/// FNV-1a, 64 bits, as 16 hexadecimal digits: finds out that a file is not the one of another day; no protection
/// against intent.
std::string checksum(std::span<const char> bytes);

}  // namespace pushforward
