// Columns: which of a table's columns are events, context and weights.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pushforward/dataset.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `data.context` and `data.weights` of a resolved spec.
struct ColumnWishes {
  std::vector<std::string> context;  // raw columns: those listed, or the labels'
  Index classes = 0;                 // not 0: the one context column holds class numbers
  std::optional<std::string> weights;
  Position position;  // of `data.context`, for messages
  Position weights_position;
  explicit ColumnWishes(const SpecNode& data);
  /// Columns of the context as the model sees it.
  Index context_size() const { return classes > 0 ? classes : static_cast<Index>(context.size()); }
};

/// Names of the columns that are neither context nor weights. Throws DataError if a wish names no column, or the same
/// one twice, or if no column is left.
std::vector<std::string> event_columns(const Table& table, const ColumnWishes& wishes);

/// Indices of `wanted` in the table: by name, or by position if none of the names is there and the table has exactly as
/// many columns. Throws DataError naming those that are missing.
std::vector<Index> find_columns(const Table& table, const std::vector<std::string>& wanted);

/// The named columns of the named rows.
Table select(const Table& table, const std::vector<Index>& columns, const std::vector<Index>& rows);

/// Throws DataError naming row and column of the first number that is not finite, or if names and numbers do not fit.
void require_sound(const Table& table, const std::string& what);

}  // namespace pushforward
