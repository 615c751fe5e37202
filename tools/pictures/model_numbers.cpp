#include "pictures/model_numbers.h"

#include <algorithm>
#include <cmath>

#include "io/atomic_file.h"
#include "loaded_run.h"
#include "pictures/script.h"
#include "pictures/warp_numbers.h"
#include "sampling.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

constexpr Index kDataRows = 20000;  // that fill a histogram
constexpr Index kGridCells = 256;   // along each of two axes
constexpr Index kCostlyGridCells = 128;
constexpr Index kCurveCells = 400;
constexpr int kMostClasses = 7;  // that have colours

/// Those of the training rows that are drawn, as the model sees them.
template <class T>
struct PickedRows {
  Matrix<T> events, context;
};

template <class T>
Matrix<T> rows_of(const Matrix<T>& all, const std::vector<Index>& picked) {
  if (all.columns() == 0) return {};
  Matrix<T> rows(static_cast<Index>(picked.size()), all.columns());
  for (Index j = 0; j < rows.columns(); ++j)
    for (Index i = 0; i < rows.rows(); ++i) rows(i, j) = all(picked[static_cast<std::size_t>(i)], j);
  return rows;
}

template <class T>
PickedRows<T> pick(const Split<T>& train, Index limit) {
  std::vector<double> weights;
  if (train.weights.columns() > 0)
    for (Index i = 0; i < train.rows(); ++i) weights.push_back(static_cast<double>(train.weights(i, 0)));
  const std::vector<Index> picked = picked_rows(train.rows(), limit, weights);
  return {rows_of(train.data, picked), rows_of(train.context, picked)};
}

/// The density at the centres of the cells: the model's, by the Jacobian of the preprocessing in data units.
template <class T>
DensityGrid density_over(const Table& rows, Engine<T>& engine, const DataPipeline<T>* data) {
  DensityGrid grid;
  if (rows.columns() == 2) {
    const Frame frame = frame_of(rows);
    grid.axes = {frame.x, frame.y};
  } else {
    grid.axes = {shown_range(rows.column(0), kPointMargin)};
  }
  grid.cells = grid.axes.size() == 1                                             ? kCurveCells
               : engine.model().distribution->traits().log_prob > Cost::one_pass ? kCostlyGridCells
                                                                                 : kGridCells;
  Table points{.rows = grid.axes.size() == 1 ? grid.cells : grid.cells * grid.cells, .names = rows.names, .values = {}};
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis)
    for (Index i = 0; i < points.rows; ++i)
      points.values.push_back(grid.axes[axis].centre(axis == 0 ? i % grid.cells : i / grid.cells, grid.cells));

  const Split<T> seen = transform_rows(engine.model(), data, points);
  grid.density.resize(static_cast<std::size_t>(points.rows));
  engine.log_prob(seen.view(), grid.density);
  for (std::size_t i = 0; i < grid.density.size(); ++i)
    grid.density[i] = std::exp(grid.density[i] + (seen.log_det.empty() ? 0.0 : seen.log_det[i]));
  return grid;
}

/// How many samples make curves smooth without keeping anybody waiting.
Index sample_count(Cost cost) {
  switch (cost) {
    case Cost::closed:
    case Cost::one_pass:
      return 20000;
    case Cost::d_passes:
      return 5000;
    default:
      return 2000;
  }
}

/// The class of each row, if every context is that of one class: a one among zeros.
template <class T>
std::vector<int> classes_of(const Matrix<T>& context) {
  std::vector<int> classes;
  if (context.columns() < 2 || context.columns() > kMostClasses) return classes;
  for (Index i = 0; i < context.rows(); ++i) {
    int ones = 0, zeros = 0, place = 0;
    for (Index j = 0; j < context.columns(); ++j) {
      ones += context(i, j) == T(1) ? 1 : 0;
      zeros += context(i, j) == T(0) ? 1 : 0;
      if (context(i, j) == T(1)) place = static_cast<int>(j);
    }
    if (ones != 1 || ones + zeros != context.columns()) return {};
    classes.push_back(place);
  }
  return classes;
}

}  // namespace

template <class T>
PictureNumbers picture_numbers(Engine<T>& engine, const DataPipeline<T>* data, const Split<T>* train,
                               const fs::path& run) {
  PictureNumbers numbers;
  const fs::path metrics = run / "metrics.csv";
  if (fs::exists(metrics)) numbers.losses = losses_of(read_file(metrics), metrics.string());

  const Distribution<T>& model = *engine.model().distribution;
  const bool conditional = engine.model().context > 0;
  PickedRows<T> picked;
  if (train) {
    picked = pick(*train, kDataRows);
    numbers.data = data->inverse(picked.events.block());
    if (data->context_columns().size() == 1) {
      numbers.data_classes = classes_of(picked.context);
      numbers.class_name = data->context_columns().front();
    }
  }
  if (model.traits().can_sample && (train || !conditional)) {
    const Index rows = train ? picked.events.rows() : 1;
    const Index times = std::max<Index>(sample_count(model.traits().sample) / rows, 1);
    numbers.samples = draw_samples<T>(engine, data, rows * times, picked.context);
    for (const int c : numbers.data_classes)
      numbers.sample_classes.insert(numbers.sample_classes.end(), static_cast<std::size_t>(times), c);
  }
  const Table* shown = numbers.data ? &*numbers.data : numbers.samples ? &*numbers.samples : nullptr;
  if (shown && model.event_shape().size() <= 2 && !conditional) numbers.density = density_over(*shown, engine, data);
  numbers.warp = warp_of(engine, data);
  return numbers;
}

template PictureNumbers picture_numbers(Engine<float>&, const DataPipeline<float>*, const Split<float>*,
                                        const fs::path&);
template PictureNumbers picture_numbers(Engine<double>&, const DataPipeline<double>*, const Split<double>*,
                                        const fs::path&);

}  // namespace pushforward
