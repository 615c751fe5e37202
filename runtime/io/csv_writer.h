// CSV files: a header of column names, then a line a row.
#pragma once

#include <filesystem>
#include <string>

#include "pushforward/dataset.h"

namespace pushforward {

/// The table as CSV (RFC 4180, lines end in \n). Numbers are written as short as they can be while reading them gives
/// the same double; names are quoted where they must be.
std::string encode_csv(const Table& table);

}  // namespace pushforward
