#include "scalars.h"

#include <charconv>
#include <cmath>
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

bool has_form_of_integer(const std::string& text) {
  const std::size_t start = sign_length(text);
  return start < text.size() && behind_digits(text, start) == text.size() && !has_leading_zeros(text);
}

bool has_form_of_real(const std::string& text) {
  if (has_leading_zeros(text)) return false;
  const std::size_t start = sign_length(text), whole = behind_digits(text, start);
  std::size_t end = whole, digits = whole - start;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = behind_digits(text, end + 1);
    digits += fraction - end - 1;
    end = fraction;
  }
  if (digits == 0) return false;
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    end = behind_digits(text, exponent);
    if (end == exponent) return false;
  }
  return end == text.size();
}

template <class N>
struct Converted {
  std::optional<N> value;
  bool beyond = false;  // the text is a number, but N has none near it
};

/// Of a text that has the form of a number.
template <class N>
Converted<N> converted(const std::string& text) {
  N value = 0;
  const char* const begin = text.data() + (text[0] == '+' ? 1 : 0);
  const auto result = std::from_chars(begin, text.data() + text.size(), value);
  if (result.ec == std::errc()) return {.value = value, .beyond = false};
  return {.value = {}, .beyond = result.ec == std::errc::result_out_of_range};
}

}  // namespace

bool has_leading_zeros(const std::string& text) {
  const std::size_t start = sign_length(text);
  return start + 1 < text.size() && text[start] == '0' && digit(text[start + 1]);
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
  if (!has_form_of_integer(text)) return {};
  return converted<std::int64_t>(text).value;
}

std::optional<double> parse_real(const std::string& text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text.substr(sign_length(text)) == ".inf") return text[0] == '-' ? -kInfinity : kInfinity;
  if (text == ".nan") return std::numeric_limits<double>::quiet_NaN();
  if (!has_form_of_real(text)) return {};
  return converted<double>(text).value;
}

bool is_beyond_int64(const std::string& text) {
  return has_form_of_integer(text) && converted<std::int64_t>(text).beyond;
}
bool is_beyond_float64(const std::string& text) { return has_form_of_real(text) && converted<double>(text).beyond; }

bool fits_float32(double number) {
  if (number == 0 || !std::isfinite(number)) return true;
  return std::isnormal(static_cast<float>(number));
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
