#include "data_columns.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "problem_text.h"
#include "pushforward/number_text.h"
#include "scalars.h"
#include "schema_text.h"

namespace pushforward {

namespace {

Index index_of(const Table& table, const std::string& name) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  return found == table.names.end() ? -1 : static_cast<Index>(found - table.names.begin());
}

}  // namespace

ColumnWishes::ColumnWishes(const SpecNode& data) {
  if (const SpecNode* section = data.find("context")) {
    position = section->position;
    if (const SpecNode* columns = section->find("columns"))
      for (const SpecNode& item : columns->items) context.push_back(item.text);
    if (const SpecNode* labels = section->find("labels")) {
      context.push_back(labels->text);
      classes = *parse_integer(section->find("classes")->text);
    }
  }
  if (const SpecNode* column = data.find("weights")) {
    weights = column->text;
    weights_position = column->position;
  }
}

std::vector<std::string> event_columns(const Table& table, const ColumnWishes& wishes) {
  std::set<std::string> taken;
  const auto take = [&](const std::string& name, const char* place, const Position& position) {
    if (index_of(table, name) < 0)
      throw DataError(
          problem_text(position, std::string(place) + ": the data have no column '" + name + "'" +
                                     (nearest(name, table.names).empty() ? "; their columns are " + joined(table.names)
                                                                         : did_you_mean(name, table.names))));
    if (!taken.insert(name).second)
      throw DataError(problem_text(position, std::string(place) + ": the column '" + name + "' is used twice"));
  };
  for (const std::string& name : wishes.context) take(name, "data.context", wishes.position);
  if (wishes.weights) take(*wishes.weights, "data.weights", wishes.weights_position);
  std::vector<std::string> events;
  for (const std::string& name : table.names)
    if (!taken.contains(name)) events.push_back(name);
  if (events.empty())
    throw DataError(problem_text(wishes.context.empty() ? wishes.weights_position : wishes.position,
                                 "every column of the data is context or weights: none is left to model"));
  return events;
}

std::vector<Index> find_columns(const Table& table, const std::vector<std::string>& wanted) {
  std::vector<Index> found;
  std::vector<std::string> missing;
  for (const std::string& name : wanted) {
    found.push_back(index_of(table, name));
    if (found.back() < 0) missing.push_back(name);
  }
  if (missing.empty()) return found;
  if (missing.size() == wanted.size() && table.names.size() == wanted.size()) {
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = static_cast<Index>(i);
    return found;
  }
  throw DataError("the data lack the columns " + joined(missing) + "; they have " + joined(table.names) +
                  ", and the model needs " + joined(wanted));
}

Table select(const Table& table, const std::vector<Index>& columns, const std::vector<Index>& rows) {
  Table chosen;
  chosen.rows = static_cast<Index>(rows.size());
  chosen.values.reserve(rows.size() * columns.size());
  for (const Index j : columns) {
    chosen.names.push_back(table.names[static_cast<std::size_t>(j)]);
    const std::span<const double> column = table.column(j);
    for (const Index i : rows) chosen.values.push_back(column[static_cast<std::size_t>(i)]);
  }
  return chosen;
}

void require_sound(const Table& table, const std::string& what) {
  if (static_cast<Index>(table.values.size()) != table.rows * table.columns())
    throw DataError(what + " has " + std::to_string(table.rows) + " rows and " + std::to_string(table.columns()) +
                    " columns, but " + std::to_string(table.values.size()) + " numbers");
  std::set<std::string> names;
  for (const std::string& name : table.names)
    if (!names.insert(name).second) throw DataError(what + " has two columns '" + name + "'");
  for (Index j = 0; j < table.columns(); ++j)
    for (Index i = 0; i < table.rows; ++i) {
      const double number = table.column(j)[static_cast<std::size_t>(i)];
      if (!std::isfinite(number))
        throw DataError(what + " holds " + number_text(number) + " in row " + std::to_string(i) + ", column '" +
                        table.names[static_cast<std::size_t>(j)] + "'; rows are counted from 0. Remove that row");
    }
}

}  // namespace pushforward
