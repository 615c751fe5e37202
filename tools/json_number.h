// JSON has no infinities: a number that is not finite is the text "inf", "-inf" or "nan". It has no bytes that are no
// UTF-8, either, as names of files may hold.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace pushforward {

nlohmann::ordered_json json_number(double value);
nlohmann::ordered_json json_numbers(std::span<const double> values);
/// What the program writes, with a line break at its end; -1: all in one line. What is no UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& value, int indentation = 2);

}  // namespace pushforward
