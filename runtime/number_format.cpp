#include "number_format.h"

#include <fmt/format.h>

#include <cmath>

namespace pushforward {

std::string count_text(std::int64_t n) {
  std::string digits = fmt::format("{}", n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string counted(std::int64_t n, const std::string& one, const std::string& many) {
  return count_text(n) + " " + (n == 1 ? one : many.empty() ? one + "s" : many);
}

std::string decimal(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) return fmt::format("{:.4e}", value);
  return fmt::format("{:.4f}", value);
}

std::string duration(double seconds) { return seconds < 9.995 ? fmt::format("{:.2f} s", seconds) : time_left(seconds); }

std::string time_left(double seconds) {
  if (seconds < 1) return "< 1 s";
  if (seconds < 59.5) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace pushforward
