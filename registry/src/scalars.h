// Scalars: what the text of a spec means as a number, a truth value or a path. Stricter than YAML on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// A decimal integer: sign and digits, no leading zero (`010` is 8 in YAML 1.1 and 10 in 1.2). None if it is not one,
/// or does not fit 64 bits.
std::optional<std::int64_t> parse_integer(const std::string& text);
/// `1`, `.5`, `5.`, `1e-2`, `.inf`, `-.inf`, `.nan`; no leading zeros.
std::optional<double> parse_real(const std::string& text);
/// A number as `parse_integer` or `parse_real` reads one, but too large, or for `parse_real` too small, for its type.
bool is_beyond_int64(const std::string& text);
bool is_beyond_float64(const std::string& text);
/// A number that float32 keeps: finite and not so small that it becomes zero or loses digits; or 0, `.inf`, `.nan`.
bool fits_float32(double number);
/// `true` or `false`, nothing else.
std::optional<bool> parse_boolean(const std::string& text);
/// Digits with leading zeros, such as `010` or `-007.5`.
bool has_leading_zeros(const std::string& text);

/// Relative paths count from the spec's folder; those of overrides, which have no line, from the working folder.
std::string absolute_path(const SpecNode& node);

}  // namespace pushforward
