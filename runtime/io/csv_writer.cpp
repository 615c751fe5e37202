#include "io/csv_writer.h"

#include <fmt/format.h>

#include <iterator>

namespace pushforward {
namespace {

std::string quoted(const std::string& name) {
  if (!name.empty() && name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

}  // namespace

std::string encode_csv(const Table& table) {
  std::string text;
  for (Index j = 0; j < table.columns(); ++j) text += (j ? "," : "") + quoted(table.names[static_cast<std::size_t>(j)]);
  text += '\n';
  for (Index i = 0; i < table.rows; ++i) {
    for (Index j = 0; j < table.columns(); ++j)
      fmt::format_to(std::back_inserter(text), "{}{}", j ? "," : "", table.column(j)[static_cast<std::size_t>(i)]);
    text += '\n';
  }
  return text;
}

}  // namespace pushforward
