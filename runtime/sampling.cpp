#include "sampling.h"

#include <fmt/format.h>

namespace pushforward {
namespace {

template <class T>
Matrix<T> repeated(Block<const T> context, Index n) {
  Matrix<T> rows(n, context.columns);
  const Index times = n / context.rows;
  for (Index j = 0; j < context.columns; ++j)
    for (Index i = 0; i < n; ++i) rows(i, j) = context(i / times, j);
  return rows;
}

}  // namespace

template <class T>
Table table_of(Block<const T> rows, const std::vector<std::string>& names) {
  Table table{.rows = rows.rows, .names = names, .values = {}};
  for (Index j = 0; j < rows.columns; ++j) {
    if (names.empty()) table.names.push_back(fmt::format("x{}", j));
    table.values.insert(table.values.end(), rows.column(j), rows.column(j) + rows.rows);
  }
  return table;
}

template <class T>
Table draw_samples(Engine<T>& engine, const DataPipeline<T>* data, Index n, Block<const T> context) {
  const Distribution<T>& model = *engine.model().distribution;
  if (!model.traits().can_sample)
    throw SpecError(fmt::format("{} cannot be sampled: it can only evaluate densities", model.path()));
  Matrix<T> rows;
  if (context.data) rows = repeated(context, n);
  const Matrix<T> samples(n, model.event_shape().size());
  engine.sample(n, rows, kSampleStep, samples.block());
  return data ? data->inverse(samples) : table_of<T>(samples, {});
}

template Table table_of(Block<const float>, const std::vector<std::string>&);
template Table table_of(Block<const double>, const std::vector<std::string>&);
template Table draw_samples(Engine<float>&, const DataPipeline<float>*, Index, Block<const float>);
template Table draw_samples(Engine<double>&, const DataPipeline<double>*, Index, Block<const double>);

}  // namespace pushforward
