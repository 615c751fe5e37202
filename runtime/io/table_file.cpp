#include "io/table_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "io/atomic_file.h"
#include "io/csv_writer.h"
#include "io/npy.h"
#include "io/path_hint.h"
#include "pushforward/registry/assembly.h"

namespace pushforward {

namespace fs = std::filesystem;

namespace {

/// Where a path leads, links followed as far as it exists; without a slash at the end.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (error) real = fs::absolute(path).lexically_normal();
  return real.has_filename() ? real : real.parent_path();
}

bool same_file(const fs::path& one, const fs::path& other) {
  std::error_code error;
  return fs::equivalent(one, other, error) && !error;
}

Table table_of(const NpyArray& array, const std::string& name) {
  if (array.shape.size() != 1 && array.shape.size() != 2)
    throw DataError(
        fmt::format("'{}' holds an array of shape ({}); rows and columns are needed: two axes, or one for a "
                    "single column",
                    name, fmt::join(array.shape, ", ")));
  Table table;
  table.rows = array.shape[0];
  const Index columns = array.shape.size() == 2 ? array.shape[1] : 1;
  if (table.rows == 0 || columns == 0) throw DataError(fmt::format("'{}' holds no rows", name));
  for (Index j = 0; j < columns; ++j) table.names.push_back(fmt::format("{}", j));
  table.values.resize(array.values.size());
  for (Index i = 0; i < table.rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      const double value = array.values[static_cast<std::size_t>(i * columns + j)];
      if (!std::isfinite(value))
        throw DataError(fmt::format("'{}' holds {} in row {}, column {} (counted from 0); every value must be finite",
                                    name, value, i, j));
      table.column(j)[static_cast<std::size_t>(i)] = value;
    }
  return table;
}

SpecNode quoted(const std::string& text) {
  SpecNode node = SpecNode::scalar(text);
  node.quoted = true;
  return node;
}

Table read_csv(const Registry& registry, const std::filesystem::path& path, const CsvForm& form) {
  SpecNode fields = SpecNode::map(), component = SpecNode::map();
  fields.set("file", quoted(std::filesystem::absolute(path).string()));
  fields.set("delimiter", quoted(form.delimiter));
  fields.set("header", SpecNode::scalar(form.header));
  if (!form.needed.empty()) {
    SpecNode columns = SpecNode::list();
    for (const std::string& name : csv_selection(csv_columns(path, form), form)) columns.items.push_back(quoted(name));
    if (!columns.items.empty()) fields.set("columns", std::move(columns));
  }
  component.set("csv", std::move(fields));
  const SpecNode resolved = resolve_component(registry, "dataset", component);
  const Assembly<double> assembly = assemble<double>(registry, "dataset", resolved, {}, 0, path.string());
  const auto* dataset = dynamic_cast<const Dataset<double>*>(assembly.root.get());
  if (!dataset) throw PluginError("the component 'csv' of kind 'dataset' is no dataset");
  return dataset->load(0);
}

}  // namespace

TableFormat table_format(const std::filesystem::path& path, const std::string& what) {
  const std::string suffix = path.extension().string();
  if (suffix == ".csv") return TableFormat::csv;
  if (suffix == ".npy") return TableFormat::npy;
  throw SpecError(fmt::format("{} '{}' has {}; the name must end in .npy or .csv, which says how it is written", what,
                              path.string(), suffix.empty() ? "no suffix" : "the suffix '" + suffix + "'"));
}

Table read_table(const Registry& registry, const std::filesystem::path& path, const std::string& what,
                 const CsvForm& form) {
  const TableFormat format = table_format(path, what);
  require_path(path, "file");
  if (format == TableFormat::npy) return table_of(read_npy(path), path.string());
  return read_csv(registry, path, form);
}

void refuse_own_input(const fs::path& output, const std::vector<std::string>& inputs, const fs::path& run) {
  constexpr const char* kRemedy = "name another file with --output";
  const fs::path real = resolved(output);
  for (const std::string& input : inputs)
    if (real == resolved(input) || same_file(output, input))
      throw SpecError(fmt::format("option '--output' is '{}', which is the file that is read, '{}'; {}",
                                  output.string(), input, kRemedy));
  if (!fs::is_directory(run)) {
    if (real == resolved(run) || same_file(output, run))
      throw SpecError(
          fmt::format("option '--output' is '{}', which is the run's checkpoint; {}", output.string(), kRemedy));
    return;
  }
  const fs::path folder = resolved(run);
  if (const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), real.begin(), real.end());
      end == folder.end())
    throw SpecError(fmt::format("option '--output' is '{}', which lies in the run '{}', whose files are its own; {}",
                                output.string(), run.string(), kRemedy));
}

void write_table(const std::filesystem::path& path, const Table& table, TableFormat format, bool flat) {
  if (format == TableFormat::csv) {
    write_file(path, encode_csv(table));
  } else if (flat && table.columns() == 1) {
    write_npy<double>(path, std::span<const double>(table.values));
  } else {
    write_npy<double>(path, compact(table.values.data(), table.rows, table.columns()));
  }
}

}  // namespace pushforward
