#include "table_output.h"

#include <nlohmann/json.hpp>

#include "io/csv_writer.h"
#include "json_number.h"

namespace pushforward {

namespace {

constexpr const char* kOption = "option '--output'";

void print(const Table& table, Console& console) {
  if (!console.json) return console.result(encode_csv(table));
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (Index j = 0; j < table.columns(); ++j)
    object[table.names[static_cast<std::size_t>(j)]] = json_numbers(table.column(j));
  console.result(json_text(object, -1));
}

}  // namespace

void check_table_output(const Arguments& arguments, const std::vector<std::string>& inputs, const std::string& run) {
  if (!arguments.given("output")) return;
  table_format(arguments.text("output"), kOption);
  refuse_own_input(arguments.text("output"), inputs, run);
}

void put_table(const Table& table, const Arguments& arguments, Console& console, const std::string& what, bool flat) {
  const std::string output = arguments.text("output");
  if (output.empty()) return print(table, console);
  write_table(output, table, table_format(output, kOption), flat);
  console.note("{}: {}", output, what);
}

}  // namespace pushforward
