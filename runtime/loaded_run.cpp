#include "loaded_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "flow_maps.h"
#include "number_format.h"
#include "sampling.h"

namespace pushforward {

namespace {

template <class T>
Matrix<T> matrix_of(const Table& table) {
  Matrix<T> matrix(table.rows, table.columns());
  for (Index j = 0; j < table.columns(); ++j)
    for (Index i = 0; i < table.rows; ++i) matrix(i, j) = static_cast<T>(table.column(j)[static_cast<std::size_t>(i)]);
  return matrix;
}

/// The columns `names`, then `more`: by their names or, if none of these is there and the table has exactly as many
/// columns, by their places. Throws DataError naming those that are missing.
Table pick_columns(const Table& table, std::vector<std::string> names, const std::vector<std::string>& more) {
  names.insert(names.end(), more.begin(), more.end());
  Table picked{.rows = table.rows, .names = names, .values = {}};
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    const auto found = std::find(table.names.begin(), table.names.end(), name);
    if (found == table.names.end()) {
      missing.push_back(name);
      continue;
    }
    const std::span<const double> column = table.column(found - table.names.begin());
    picked.values.insert(picked.values.end(), column.begin(), column.end());
  }
  if (missing.empty()) return picked;
  if (missing.size() != names.size() || table.names.size() != names.size())
    throw DataError(fmt::format("the table has no column {}; its columns are {}", fmt::join(missing, ", "),
                                fmt::join(table.names, ", ")));
  picked.values = table.values;
  return picked;
}

Table beside(Table table, const Table& more) {
  table.names.insert(table.names.end(), more.names.begin(), more.names.end());
  table.values.insert(table.values.end(), more.values.begin(), more.values.end());
  return table;
}

}  // namespace

template <class T>
LoadedRun<T>::LoadedRun(const Registry& registry, const ResolvedSpec& spec, const Checkpoint& checkpoint, int threads,
                        std::uint64_t seed)
    : registry_(registry),
      threads_(threads),
      state_(checkpoint.data<T>()),
      experiment_(build_experiment<T>(registry, spec, false, state_ ? &*state_ : nullptr)) {
  checkpoint.restore(experiment_.model);
  checkpoint.restore_result(experiment_.model);
  EngineSettings settings = engine_settings(experiment_, threads);
  settings.seed = seed;
  engine_ = std::make_unique<Engine<T>>(experiment_.model, settings);
  engine_->prepare();
}

template <class T>
CsvForm LoadedRun<T>::csv_form() const {
  CsvForm form;
  const SpecNode* section = experiment_.spec.root.find("data");
  if (const SpecNode* csv = section ? section->find("source")->find("csv") : nullptr) {
    form.delimiter = csv->find("delimiter")->text;
    form.header = csv->find("header")->text;
  }
  return form;
}

template <class T>
Table LoadedRun<T>::read(const std::filesystem::path& path, const std::string& what, bool events) const {
  CsvForm form = csv_form();
  if (data()) {
    if (events) form.needed = data()->columns();
    form.needed.insert(form.needed.end(), data()->context_columns().begin(), data()->context_columns().end());
    const SpecNode* weights = experiment_.spec.root.find("data")->find("weights");
    if (events && weights && weights->is_scalar()) form.welcome.push_back(weights->text);
  }
  return read_table(registry_, path, what, form);
}

template <class T>
Table LoadedRun<T>::read_base(const std::filesystem::path& path, const std::string& what) const {
  CsvForm form = csv_form();
  form.needed = base_columns();
  if (data()) form.needed.insert(form.needed.end(), data()->context_columns().begin(), data()->context_columns().end());
  return read_table(registry_, path, what, form);
}

template <class T>
std::vector<double> LoadedRun<T>::log_prob(const Split<T>& split) {
  std::vector<double> log_prob(static_cast<std::size_t>(split.rows()));
  engine_->log_prob(split.view(), log_prob);
  for (std::size_t i = 0; i < split.log_det.size(); ++i) log_prob[i] += split.log_det[i];
  return log_prob;
}

template <class T>
Table LoadedRun<T>::sample(Index n, std::uint64_t seed, const Split<T>& context) {
  EngineSettings settings = engine_settings(experiment_, threads_);
  settings.seed = seed;
  Engine<T> drawing(experiment_.model, settings);
  return draw_samples<T>(drawing, data(), n, context.context);
}

template <class T>
std::vector<std::string> LoadedRun<T>::base_columns() const {
  std::vector<std::string> names;
  for (Index j = 0; j < base_size(*model().distribution); ++j) names.push_back(fmt::format("z{}", j));
  return names;
}

template <class T>
Table LoadedRun<T>::to_base(const Table& table, std::vector<double>& log_det) {
  const std::vector<std::string> names = base_columns();
  const Split<T> split = transform(table);
  log_det.assign(static_cast<std::size_t>(split.rows()), 0.0);
  const Matrix<T> points = map_through_flow<T>(*engine_, Direction::inverse, split.data, split.context, log_det);
  for (std::size_t i = 0; i < split.log_det.size(); ++i) log_det[i] += split.log_det[i];
  return table_of<T>(points, names);
}

template <class T>
Table LoadedRun<T>::from_base(const Table& table, std::vector<double>& log_det) {
  const std::vector<std::string> conditions = data() ? data()->context_columns() : std::vector<std::string>();
  const std::vector<std::string> base = base_columns();
  const Table needed = pick_columns(table, base, conditions);
  const Table context = pick_columns(needed, conditions, {});
  const Split<T> seen = conditions.empty() ? Split<T>() : data()->transform(context, false);
  log_det.assign(static_cast<std::size_t>(needed.rows), 0.0);
  const Matrix<T> points = matrix_of<T>(pick_columns(needed, base, {}));
  const Matrix<T> events = map_through_flow<T>(*engine_, Direction::forward, points, seen.context, log_det);
  if (!data()) return table_of<T>(events, {});
  Table mapped = data()->inverse(events.block());
  // What the preprocessing does to volumes is known of the direction that it is fitted in.
  const Split<T> back = data()->transform(beside(mapped, context));
  for (std::size_t i = 0; i < back.log_det.size(); ++i) log_det[i] -= back.log_det[i];
  return mapped;
}

template <class T>
const std::vector<Split<T>>& LoadedRun<T>::own_splits() {
  if (!experiment_.data || !state_)
    throw DataError("the run was fitted without data; name a file with rows to evaluate");
  experiment_.data->load(&*state_);
  return experiment_.data->splits();
}

template <class T>
Split<T> transform_rows(const Model<T>& model, const DataPipeline<T>* data, const Table& table) {
  if (data) return data->transform(table);
  const Index columns = model.distribution->event_shape().size();
  if (table.columns() != columns)
    throw DataError(fmt::format("the table has {}, and the model's events have {}", counted(table.columns(), "column"),
                                count_text(columns)));
  Split<T> split;
  split.data = matrix_of<T>(table);
  return split;
}

template Split<float> transform_rows(const Model<float>&, const DataPipeline<float>*, const Table&);
template Split<double> transform_rows(const Model<double>&, const DataPipeline<double>*, const Table&);
template class LoadedRun<float>;
template class LoadedRun<double>;

}  // namespace pushforward
