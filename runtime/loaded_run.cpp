#include "loaded_run.h"

#include <fmt/format.h>

#include "number_format.h"

namespace pushforward {

template <class T>
LoadedRun<T>::LoadedRun(const Registry& registry, const ResolvedSpec& spec, const Checkpoint& checkpoint, int threads,
                        std::uint64_t seed)
    : registry_(registry),
      state_(checkpoint.data<T>()),
      experiment_(build_experiment<T>(registry, spec, false, state_ ? &*state_ : nullptr)) {
  checkpoint.restore(experiment_.model);
  checkpoint.restore_averaged(experiment_.model);
  EngineSettings settings = engine_settings(experiment_, threads);
  settings.seed = seed;
  engine_ = std::make_unique<Engine<T>>(experiment_.model, settings);
  engine_->prepare();
}

template <class T>
Table LoadedRun<T>::read(const std::filesystem::path& path, const std::string& what, bool events) const {
  CsvForm form;
  if (const SpecNode* section = experiment_.spec.root.find("data"); section && data()) {
    if (events) form.needed = data()->columns();
    form.needed.insert(form.needed.end(), data()->context_columns().begin(), data()->context_columns().end());
    const SpecNode* weights = section->find("weights");
    if (events && weights && weights->is_scalar()) form.welcome.push_back(weights->text);
    if (const SpecNode* csv = section->find("source")->find("csv")) {
      form.delimiter = csv->find("delimiter")->text;
      form.header = csv->find("header")->text;
    }
  }
  return read_table(registry_, path, what, form);
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
  split.data = Matrix<T>(table.rows, columns);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < table.rows; ++i)
      split.data(i, j) = static_cast<T>(table.column(j)[static_cast<std::size_t>(i)]);
  return split;
}

template Split<float> transform_rows(const Model<float>&, const DataPipeline<float>*, const Table&);
template Split<double> transform_rows(const Model<double>&, const DataPipeline<double>*, const Table&);
template class LoadedRun<float>;
template class LoadedRun<double>;

}  // namespace pushforward
