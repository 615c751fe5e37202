// Which columns a CSV file has, before its rows are read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pushforward {

/// How the dataset component `csv` is to read a file, and what of it is wanted.
struct CsvForm {
  std::string delimiter = ",", header = "auto";  // the component's fields
  std::vector<std::string> needed = {};          // columns; none: all that the file has
  std::vector<std::string> welcome = {};         // columns that are read if they are there
};

/// Names of the columns as the component will give them: from the first line, or `x0`, `x1`, ... where it is a row.
/// Empty if the file cannot be read; the component then says why.
std::vector<std::string> csv_columns(const std::filesystem::path& path, const CsvForm& form);

/// Columns to read of a file that has `there`. None: all of them, because none of the names is there and the file has
/// exactly as many columns as are needed, so that they are meant by their places.
std::vector<std::string> csv_selection(const std::vector<std::string>& there, const CsvForm& form);

}  // namespace pushforward
