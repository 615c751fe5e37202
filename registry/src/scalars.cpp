#include "scalars.h"

#include <charconv>
#include <filesystem>
#include <limits>

namespace pushforward {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Index behind the digits that start at `i`.
std::size_t behind_digits(const std::string& text, std::size_t i) {
  while (i < text.size() && digit(text[i])) ++i;
  return i;
}

std::size_t sign_length(const std::string& text) { return !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0; }

}  // namespace

bool has_leading_zeros(const std::string& text) {
  const std::size_t start = sign_length(text);
  return start + 1 < text.size() && text[start] == '0' && digit(text[start + 1]);
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
  const std::size_t start = sign_length(text);
  if (start == text.size() || behind_digits(text, start) != text.size() || has_leading_zeros(text)) return {};
  std::int64_t value = 0;
  const char* const begin = text.data() + (text[0] == '+' ? 1 : 0);
  const auto result = std::from_chars(begin, text.data() + text.size(), value);
  if (result.ec != std::errc()) return {};
  return value;
}

std::optional<double> parse_real(const std::string& text) {
  const std::size_t start = sign_length(text);
  const std::string unsigned_text = text.substr(start);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (unsigned_text == ".inf") return text[0] == '-' ? -kInfinity : kInfinity;
  if (text == ".nan") return std::numeric_limits<double>::quiet_NaN();
  if (has_leading_zeros(text)) return {};
  const std::size_t whole = behind_digits(text, start);
  std::size_t end = whole;
  std::size_t digits = whole - start;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = behind_digits(text, end + 1);
    digits += fraction - end - 1;
    end = fraction;
  }
  if (digits == 0) return {};
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    end = behind_digits(text, exponent);
    if (end == exponent) return {};
  }
  if (end != text.size()) return {};
  double value = 0;
  const char* const begin = text.data() + (text[0] == '+' ? 1 : 0);
  const auto result = std::from_chars(begin, text.data() + text.size(), value);
  if (result.ec != std::errc()) return {};
  return value;
}

std::optional<bool> parse_boolean(const std::string& text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return {};
}

std::string absolute_path(const SpecNode& node) {
  namespace fs = std::filesystem;
  const fs::path given(node.text);
  const fs::path folder = node.position.line > 0 ? fs::path(node.position.file).parent_path() : fs::path();
  return fs::absolute(given.is_absolute() ? given : folder / given).lexically_normal().string();
}

}  // namespace pushforward
