// Reference numbers of other libraries: JSON with infinities as strings, and safetensors files.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/components.h"

namespace pushforward::test {

using Json = nlohmann::json;

inline std::string reference_text(const std::string& name) {
  const std::string path = std::string(PUSHFORWARD_SOURCE_DIR) + "/tests/reference/data/" + name;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + " cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A number, or 'inf', '-inf', 'nan' as text.
inline double number(const Json& j) {
  return j.is_string() ? std::strtod(j.get<std::string>().c_str(), nullptr) : j.get<double>();
}
/// A list of events, or of numbers: one column.
inline Array array(const Json& list) {
  const Index columns = !list.empty() && list[0].is_array() ? static_cast<Index>(list[0].size()) : 1;
  Array a(static_cast<Index>(list.size()), columns);
  for (Index i = 0; i < a.rows; ++i) {
    const Json& line = list[static_cast<std::size_t>(i)];
    for (Index j = 0; j < columns; ++j) a(i, j) = number(line.is_array() ? line[static_cast<std::size_t>(j)] : line);
  }
  return a;
}

/// The float64 tensors of a safetensors file by name, in C order; those of other types are left out.
inline std::map<std::string, std::vector<double>> reference_tensors(const std::string& name) {
  const std::string bytes = reference_text(name);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const std::size_t start = sizeof(header) + header;
  std::map<std::string, std::vector<double>> tensors;
  const Json entries = Json::parse(bytes.substr(sizeof(header), header));
  for (const auto& [key, entry] : entries.items()) {
    if (key == "__metadata__" || entry.at("dtype") != "F64") continue;
    const std::size_t first = entry.at("data_offsets")[0], last = entry.at("data_offsets")[1];
    std::vector<double> values((last - first) / sizeof(double));
    std::memcpy(values.data(), bytes.data() + start + first, last - first);
    tensors[key] = std::move(values);
  }
  return tensors;
}

}  // namespace pushforward::test
