#include "json_number.h"

#include <cmath>

namespace pushforward {

nlohmann::ordered_json json_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

nlohmann::ordered_json json_numbers(std::span<const double> values) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const double value : values) list.push_back(json_number(value));
  return list;
}

std::string json_text(const nlohmann::ordered_json& value, int indentation) {
  return value.dump(indentation, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace pushforward
