#include "shown_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace pushforward {
namespace {

constexpr std::size_t kWord = 400, kLine = 4000, kText = 200'000;
constexpr std::size_t kAtEnd = 4;  // of what is kept, one part in this many is the end

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Beginning and end, and how much is left out between them; no character of UTF-8 is divided.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t begin = most - most / kAtEnd, end = text.size() - most / kAtEnd;
  while (begin > 0 && continues(text[begin])) --begin;
  while (end < text.size() && continues(text[end])) ++end;
  return fmt::format("{}[... {} bytes left out ...]{}", text.substr(0, begin), end - begin, text.substr(end));
}

/// Each piece between two of the characters `at`, cut.
std::string cut_pieces(std::string_view text, std::string_view at, std::size_t most) {
  std::string result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(at, begin), text.size());
    result += cut(text.substr(begin, end - begin), most);
    if (end < text.size()) result += text[end];
    begin = end + 1;
  }
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009f, control characters, too
      result += fmt::format("\\x{:02x}", next);
      ++i;
    } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      result += fmt::format("\\x{:02x}", c);
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::string shown_text(const std::string& text) {
  return cut(cut_pieces(cut_pieces(escaped(text), " \t\n", kWord), "\n", kLine), kText);
}

}  // namespace pushforward
