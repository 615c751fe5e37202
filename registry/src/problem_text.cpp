#include "problem_text.h"

#include <algorithm>

namespace pushforward {

namespace {

/// A later byte of a character in UTF-8.
bool continues(char c) { return (c & '\xc0') == '\x80'; }

/// The beginning says what is wrong, the end what to do.
std::string shortened(const std::string& message) {
  constexpr std::size_t kLongest = 2000, kEnd = 600, kBeginning = 1200;
  if (message.size() <= kLongest) return message;
  std::size_t begin = kBeginning, end = message.size() - kEnd;
  while (begin > 0 && continues(message[begin])) --begin;
  while (end < message.size() && continues(message[end])) ++end;
  return message.substr(0, begin) + " [... " + std::to_string(end - begin) + " bytes ...] " + message.substr(end);
}

std::string on_one_line(const std::string& message) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      out += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
  }
  return out;
}

}  // namespace

std::string problem_text(const Position& position, const std::string& message) {
  const std::string where = one_line(position.to_string());
  return where + (where.empty() ? "error: " : ": error: ") + one_line(message);
}

std::string one_line(const std::string& text) { return on_one_line(shortened(text)); }

}  // namespace pushforward
