// Numbers as text: the shortest that reads back as the same number.
#pragma once

#include <charconv>
#include <cmath>
#include <string>

namespace pushforward {

/// The shortest decimal text of a number that reads back as the same number: `0.1`, `1e-08`, `nan` (whatever its
/// sign bit), `-inf`.
inline std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

}  // namespace pushforward
