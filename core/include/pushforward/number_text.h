// Numbers as text: the shortest that reads back as the same number.
#pragma once

#include <charconv>
#include <string>

namespace pushforward {

/// The shortest decimal text of a number that reads back as the same number: `0.1`, `1e-08`, `nan`, `-inf`.
inline std::string number_text(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

}  // namespace pushforward
