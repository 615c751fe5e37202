// Tables as one writes them, and what a preprocess makes of them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "pushforward/dataset.h"

namespace pushforward::test {

/// The columns one after the other.
inline Table table_of(std::vector<std::string> names, std::vector<double> values) {
  Table table;
  table.rows = static_cast<Index>(values.size() / names.size());
  table.names = std::move(names);
  table.values = std::move(values);
  return table;
}

inline std::vector<double> fitted(const Preprocess<double>& map, const Table& table) {
  std::vector<double> state(static_cast<std::size_t>(map.state_size(table.columns())), NAN);
  map.fit(table, state);
  return state;
}

}  // namespace pushforward::test
