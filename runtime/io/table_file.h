// Tables of a user: read and written by the suffix of their name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/csv_columns.h"
#include "pushforward/dataset.h"
#include "pushforward/registry/registry.h"

namespace pushforward {

enum class TableFormat : std::uint8_t { csv, npy };

/// By the suffix: `.csv`, or `.npy`. Throws SpecError naming the suffixes for any other; `what` begins its message
/// (`--output`, `DATA`).
TableFormat table_format(const std::filesystem::path& path, const std::string& what);

/// Reads `.npy` (two axes: rows and columns, named `0`, `1`, ...; one axis: one column), and CSV through the dataset
/// component `csv` of the registry, so that a file means the same here and in a spec; of a CSV file only the columns
/// that `form` needs are read, so that others may hold anything. Throws SpecError if there is no such file, DataError
/// with file, row and column: unreadable, no rows, a value that is not finite.
Table read_table(const Registry& registry, const std::filesystem::path& path, const std::string& what,
                 const CsvForm& form = {});

/// Throws SpecError if writing `output` would destroy what a command reads: one of the files `inputs`, whatever they
/// are called by, or anything in the folder of the run (or the checkpoint) `run`.
void refuse_own_input(const std::filesystem::path& output, const std::vector<std::string>& inputs,
                      const std::filesystem::path& run);

/// Writes the table in float64, whole or not at all. A table of one column is a one-dimensional .npy array if `flat`.
void write_table(const std::filesystem::path& path, const Table& table, TableFormat format, bool flat = false);

}  // namespace pushforward
