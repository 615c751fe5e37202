#include <algorithm>
#include <cmath>
#include <numeric>

#include "assembler.h"
#include "checksum.h"
#include "data_columns.h"
#include "data_split.h"
#include "problem_text.h"
#include "pushforward/number_text.h"
#include "pushforward/registry/experiment.h"

namespace pushforward {

namespace {

template <class T>
Matrix<T> matrix_of(const Table& table) {
  Matrix<T> matrix(table.rows, table.columns());
  for (Index j = 0; j < table.columns(); ++j)
    std::transform(table.column(j).begin(), table.column(j).end(), matrix.block().column(j),
                   [](double v) { return static_cast<T>(v); });
  return matrix;
}

/// Class numbers to one column for each class: 1 where the row belongs to it, else 0.
template <class T>
Matrix<T> one_hot(const Table& labels, Index classes) {
  Matrix<T> matrix(labels.rows, classes);
  for (Index i = 0; i < labels.rows; ++i) {
    const double label = labels.column(0)[static_cast<std::size_t>(i)];
    if (label != std::floor(label) || label < 0 || label >= static_cast<double>(classes))
      throw DataError("the column '" + labels.names[0] + "' holds " + number_text(label) + " in row " +
                      std::to_string(i) + " (counted from 0), but labels are whole numbers 0 to " +
                      std::to_string(classes - 1) + " (data.context.classes)");
    matrix(i, static_cast<Index>(label)) = T(1);
  }
  return matrix;
}

void require_weights(const Table& weights) {
  double sum = 0;
  for (const double w : weights.values) {
    if (w < 0)
      throw DataError("the column of weights '" + weights.names[0] + "' holds " + number_text(w) +
                      ", but weights are 0 or above");
    sum += w;
  }
  if (sum == 0) throw DataError("all weights in the column '" + weights.names[0] + "' are 0");
}

std::vector<Index> all_rows(const Table& table) {
  std::vector<Index> rows(static_cast<std::size_t>(table.rows));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

std::string checksum_of(const Table& table, const std::vector<Index>& columns) {
  Checksum sum;
  for (const Index j : columns) {
    const std::span<const double> column = table.column(j);
    sum.add({reinterpret_cast<const char*>(column.data()), column.size_bytes()});
  }
  return sum.text();
}
}  // namespace

template <class T>
Rows<T> Split<T>::view() const {
  Rows<T> rows;
  rows.count = data.rows();
  if (data.columns() > 0) rows.data = data;
  if (context.columns() > 0) rows.context = context;
  if (weights.columns() > 0) rows.weights = weights;
  return rows;
}

template <class T>
struct DataPipeline<T>::Impl {
  Impl(const Registry& r, const ResolvedSpec& spec)
      : registry(r), section(*spec.root.find("data")), seed(spec.seed), wishes(section) {}

  void build_preprocess();
  void fit(Table training);
  Split<T> split_of(const std::string& name, Table events, const Table& context, const Table& weights) const;

  const Registry& registry;
  SpecNode section;
  std::uint64_t seed;
  ColumnWishes wishes;
  std::vector<std::unique_ptr<Preprocess<T>>> preprocess;
  State state;
  std::vector<Split<T>> splits;
};

/// The preprocessing is built when the columns are known: it may ask how many there are.
template <class T>
void DataPipeline<T>::Impl::build_preprocess() {
  preprocess.clear();
  Assembler<T> assembler(registry, seed);
  Surroundings around;
  around.event_shape = Shape{static_cast<Index>(state.columns.size())};
  const std::vector<SpecNode>& steps = section.find("preprocess")->items;
  for (std::size_t i = 0; i < steps.size(); ++i)
    preprocess.push_back(assembler.template build_as<Preprocess<T>>(
        "preprocess", steps[i], around, "data.preprocess[" + std::to_string(i) + "]", true));
}

/// Each step is fitted to the training rows as the steps before it left them.
template <class T>
void DataPipeline<T>::Impl::fit(Table training) {
  state.preprocess.clear();
  for (const auto& step : preprocess) {
    std::vector<double> numbers(static_cast<std::size_t>(step->state_size(training.columns())));
    step->fit(training, numbers);
    if (step != preprocess.back()) step->apply(training, numbers, {});
    state.preprocess.push_back(std::move(numbers));
  }
}

template <class T>
Split<T> DataPipeline<T>::Impl::split_of(const std::string& name, Table events, const Table& context,
                                         const Table& weights) const {
  Split<T> split;
  split.name = name;
  split.log_det.assign(static_cast<std::size_t>(events.rows), 0.0);
  if (events.columns() > 0)
    for (std::size_t i = 0; i < preprocess.size(); ++i)
      preprocess[i]->apply(events, state.preprocess[i], split.log_det);
  require_sound(events, "the preprocessed data (data.preprocess)");
  split.data = matrix_of<T>(events);
  if (context.columns() > 0)
    split.context = wishes.classes > 0 ? one_hot<T>(context, wishes.classes) : matrix_of<T>(context);
  if (weights.columns() > 0) {
    require_weights(weights);
    split.weights = matrix_of<T>(weights);
  }
  return split;
}

template <class T>
DataPipeline<T>::DataPipeline(const Registry& registry, const ResolvedSpec& spec) {
  if (!spec.root.find("data")) throw std::logic_error("a pipeline needs a spec with `data:`");
  impl_ = std::make_unique<Impl>(registry, spec);
}
template <class T>
DataPipeline<T>::~DataPipeline() = default;

template <class T>
void DataPipeline<T>::load(const State* fitted) {
  Impl& i = *impl_;
  const SpecNode& source = *i.section.find("source");
  Assembler<T> assembler(i.registry, i.seed);
  const auto dataset = assembler.template build_as<Dataset<T>>("dataset", source, {}, "data.source");
  const Table table = dataset->load(i.seed);
  require_sound(table, "the data of data.source");
  if (table.rows == 0) throw DataError(problem_text(source.position, "data.source has no rows"));
  if (table.columns() == 0) throw DataError(problem_text(source.position, "data.source has no columns to model"));
  const std::vector<std::string> events = event_columns(table, i.wishes);
  if (fitted) {
    restore(*fitted);
    find_columns(table, i.state.columns);
  } else {
    i.state.columns = events;
    i.state.context_columns = i.wishes.context;
    i.build_preprocess();
  }

  const std::vector<RowsOfSplit> parts = split_rows(*i.section.find("split"), table.rows, i.seed);
  const std::vector<Index> event_indices = find_columns(table, i.state.columns);
  const std::vector<Index> context_indices = find_columns(table, i.state.context_columns);
  const std::vector<Index> weight_indices =
      find_columns(table, i.wishes.weights ? std::vector<std::string>{*i.wishes.weights} : std::vector<std::string>());
  std::vector<Index> used = event_indices;
  for (const auto& more : {context_indices, weight_indices}) used.insert(used.end(), more.begin(), more.end());
  const std::string sum = checksum_of(table, used);
  if (fitted && !fitted->checksum.empty() && (fitted->rows != table.rows || fitted->checksum != sum))
    throw DataError("data.source gives " + std::to_string(table.rows) + " rows with the checksum " + sum +
                    ", but the run was fitted to " + std::to_string(fitted->rows) + " with " + fitted->checksum +
                    ": its data have changed; name the rows to use as a file: pushforward evaluate RUN DATA");
  i.state.rows = table.rows;
  i.state.checksum = sum;
  if (!fitted && !i.preprocess.empty()) i.fit(select(table, event_indices, parts.front().rows));
  i.splits.clear();
  for (const RowsOfSplit& part : parts)
    i.splits.push_back(i.split_of(part.name, select(table, event_indices, part.rows),
                                  select(table, context_indices, part.rows), select(table, weight_indices, part.rows)));
}

template <class T>
const std::vector<Split<T>>& DataPipeline<T>::splits() const {
  return impl_->splits;
}
template <class T>
const Split<T>* DataPipeline<T>::split(const std::string& name) const {
  for (const Split<T>& split : impl_->splits)
    if (split.name == name) return &split;
  return nullptr;
}
template <class T>
const std::vector<std::string>& DataPipeline<T>::columns() const {
  return impl_->state.columns;
}
template <class T>
const std::vector<std::string>& DataPipeline<T>::context_columns() const {
  return impl_->state.context_columns;
}
template <class T>
Index DataPipeline<T>::event_size() const {
  return static_cast<Index>(impl_->state.columns.size());
}
template <class T>
Index DataPipeline<T>::context_size() const {
  return impl_->wishes.context_size();
}

/// Nameless columns that are just enough for the events, such as samples of a conditional model, lack the context
/// alone.
template <class State>
static void require_context(const Table& table, const std::vector<std::string>& needed, const State& state) {
  const auto is_there = [&](const std::string& name) {
    return std::find(table.names.begin(), table.names.end(), name) != table.names.end();
  };
  if (needed.size() <= state.columns.size() || state.context_columns.empty() ||
      table.names.size() != state.columns.size() || std::any_of(needed.begin(), needed.end(), is_there))
    return;
  std::string missing;
  for (const std::string& name : state.context_columns) missing += (missing.empty() ? "" : ", ") + name;
  throw DataError("the data have as many columns as the model's events, but lack its context: " + missing + ". Add " +
                  (state.context_columns.size() == 1 ? "that column" : "those columns") + " behind the others");
}

template <class T>
Split<T> DataPipeline<T>::transform(const Table& table, bool need_events) const {
  const Impl& i = *impl_;
  std::vector<std::string> needed = need_events ? i.state.columns : std::vector<std::string>();
  const std::ptrdiff_t events = static_cast<std::ptrdiff_t>(needed.size());
  needed.insert(needed.end(), i.state.context_columns.begin(), i.state.context_columns.end());
  if (need_events) require_context(table, needed, i.state);
  const std::vector<Index> found = find_columns(table, needed);
  const std::vector<Index> rows = all_rows(table);
  std::vector<Index> weight_indices;
  if (i.wishes.weights && need_events)
    for (Index j = 0; j < table.columns(); ++j)
      if (table.names[static_cast<std::size_t>(j)] == *i.wishes.weights) weight_indices.push_back(j);
  // Other columns may hold anything; those that are used must be sound.
  const Table event_table = select(table, {found.begin(), found.begin() + events}, rows);
  const Table context_table = select(table, {found.begin() + events, found.end()}, rows);
  const Table weight_table = select(table, weight_indices, rows);
  for (const Table* part : {&event_table, &context_table, &weight_table}) require_sound(*part, "the data");
  return i.split_of("", event_table, context_table, weight_table);
}

template <class T>
Table DataPipeline<T>::inverse(Block<const T> samples) const {
  const Impl& i = *impl_;
  if (samples.columns != event_size())
    throw ShapeError("samples of " + std::to_string(samples.columns) + " columns were given to a pipeline of " +
                     std::to_string(event_size()));
  Table table;
  table.rows = samples.rows;
  table.names = i.state.columns;
  table.values.reserve(static_cast<std::size_t>(samples.rows * samples.columns));
  for (Index j = 0; j < samples.columns; ++j)
    for (Index r = 0; r < samples.rows; ++r) table.values.push_back(static_cast<double>(samples(r, j)));
  for (std::size_t s = i.preprocess.size(); s-- > 0;) i.preprocess[s]->undo(table, i.state.preprocess[s]);
  return table;
}

template <class T>
typename DataPipeline<T>::State DataPipeline<T>::state() const {
  return impl_->state;
}

template <class T>
void DataPipeline<T>::restore(const State& state) {
  Impl& i = *impl_;
  i.state = state;
  i.build_preprocess();
  const auto require_same = [&](bool same, const char* field) {
    if (!same)
      throw CheckpointError(
          problem_text(i.section.position, std::string("data.") + field +
                                               " is not what the checkpoint was made with; leave it as the run's "
                                               "spec.yaml has it, or fit the model anew"));
  };
  require_same(i.state.context_columns == i.wishes.context, "context");
  require_same(i.state.preprocess.size() == i.preprocess.size(), "preprocess");
  for (std::size_t s = 0; s < i.preprocess.size(); ++s) {
    const Index expected = i.preprocess[s]->state_size(event_size());
    if (static_cast<Index>(i.state.preprocess[s].size()) != expected)
      throw CheckpointError("data.preprocess[" + std::to_string(s) + "] has " + std::to_string(expected) +
                            " numbers, but the checkpoint holds " + std::to_string(i.state.preprocess[s].size()));
  }
}

template struct Split<float>;
template struct Split<double>;
template class DataPipeline<float>;
template class DataPipeline<double>;

}  // namespace pushforward
