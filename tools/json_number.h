// Numbers in JSON, which has no infinities: a number that is not finite is the text "inf", "-inf" or "nan".
#pragma once

#include <nlohmann/json.hpp>
#include <span>

namespace pushforward {

nlohmann::ordered_json json_number(double value);
nlohmann::ordered_json json_numbers(std::span<const double> values);

}  // namespace pushforward
