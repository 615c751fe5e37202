// Where a command's table goes: to the file of --output, or to the result.
#pragma once

#include "command.h"
#include "io/table_file.h"

namespace pushforward {

/// Before anything is computed: refuses an --output that is no table's name, or that would destroy one of `inputs` or
/// a file of the run (SpecError).
void check_table_output(const Arguments& arguments, const std::vector<std::string>& inputs, const std::string& run);

/// Writes the table to --output, and notes `what` it was (`1,000 samples of 2 columns`); without --output prints it, as
/// CSV or, for machines, as a JSON object of columns. `flat`: a single column becomes a one-dimensional .npy array.
void put_table(const Table& table, const Arguments& arguments, Console& console, const std::string& what,
               bool flat = false);

}  // namespace pushforward
