#include "check_results.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;
using testing::CheckResult;

constexpr const char* kStatus[] = {"passed", "failed", "not_applicable"};  // in the order of Status

Json to_json(const testing::Row& row) {
  return {{"where", row.where},     {"sample", row.sample},         {"entry", row.entry},    {"analytic", row.analytic},
          {"numeric", row.numeric}, {"difference", row.difference}, {"allowed", row.allowed}};
}

testing::Row row(const Json& object) {
  return {object.at("where"),   object.at("sample"),     object.at("entry"),  object.at("analytic"),
          object.at("numeric"), object.at("difference"), object.at("allowed")};
}

}  // namespace

Json to_json(const CheckResult& result) {
  Json object = {{"check", result.check},         {"number", result.number},
                 {"title", result.title},         {"subject", result.subject},
                 {"precision", result.precision}, {"status", kStatus[static_cast<std::size_t>(result.status)]},
                 {"measured", result.measured},   {"allowed", result.allowed},
                 {"compared", result.compared},   {"findings", result.findings},
                 {"note", result.note},           {"command", result.command},
                 {"worst", Json::array()}};
  for (const testing::Row& entry : result.worst) object["worst"].push_back(to_json(entry));
  return object;
}

CheckResult check_result(const Json& object) {
  const std::string status = object.at("status");
  const auto place = std::find(std::begin(kStatus), std::end(kStatus), status) - std::begin(kStatus);
  CheckResult result{object.at("check"),     object.at("number"),
                     object.at("title"),     object.at("subject"),
                     object.at("precision"), static_cast<testing::Status>(place),
                     object.at("measured"),  object.at("allowed"),
                     object.at("compared"),  {},
                     object.at("findings"),  object.at("note"),
                     object.at("command")};
  for (const Json& entry : object.at("worst")) result.worst.push_back(row(entry));
  return result;
}

}  // namespace pushforward
