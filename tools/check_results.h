// Results of checks as JSON: in reports, and on the way from one process to another.
#pragma once

#include <nlohmann/json.hpp>

#include "pushforward/testing/report.h"

namespace pushforward {

/// Numbers that are not finite become null where it is written as text.
nlohmann::ordered_json to_json(const testing::CheckResult& result);
/// The reverse. Throws nlohmann::json::exception for what `to_json` did not make.
testing::CheckResult check_result(const nlohmann::ordered_json& object);

}  // namespace pushforward
