// Numbers as a person reads them.
#pragma once

#include <cstdint>
#include <string>

namespace pushforward {

/// `5,000`.
std::string count_text(std::int64_t n);
/// `1 row`, `5,000 rows`.
std::string counted(std::int64_t n, const std::string& one, const std::string& many = {});
/// Four digits after the point for numbers of common size (`-2.1934`), five significant ones for others (`1.2346e-07`).
std::string decimal(double value);
/// `0.82 s`, `41 s`, `3:25 min`, `2:03:25 h`.
std::string duration(double seconds);
/// The same for a guess: whole seconds, `< 1 s` for less.
std::string time_left(double seconds);

}  // namespace pushforward
