#pragma once

#include <string>

namespace pushforward {

/// FNV-1a, 64 bits, of a file's bytes, as 16 hexadecimal digits: finds out that a file is not the one of another day;
/// no protection against intent. Throws PluginError if the file cannot be read.
std::string file_checksum(const std::string& path);

}  // namespace pushforward
