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

template <class T>
Table as_table(Block<const T> samples) {
  Table table;
  table.rows = samples.rows;
  for (Index j = 0; j < samples.columns; ++j) {
    table.names.push_back(fmt::format("x{}", j));
    table.values.insert(table.values.end(), samples.column(j), samples.column(j) + samples.rows);
  }
  return table;
}

}  // namespace

template <class T>
Table draw_samples(Engine<T>& engine, const DataPipeline<T>* data, Index n, Block<const T> context) {
  const Distribution<T>& model = *engine.model().distribution;
  if (!model.traits().can_sample)
    throw SpecError(fmt::format("{} cannot be sampled: it can only evaluate densities", model.path()));
  Matrix<T> rows;
  if (context.data) rows = repeated(context, n);
  const Matrix<T> samples(n, model.event_shape().size());
  engine.sample(n, rows, kSampleStep, samples.block());
  return data ? data->inverse(samples) : as_table<T>(samples);
}

template Table draw_samples(Engine<float>&, const DataPipeline<float>*, Index, Block<const float>);
template Table draw_samples(Engine<double>&, const DataPipeline<double>*, Index, Block<const double>);

}  // namespace pushforward
