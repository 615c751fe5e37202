#include "plots.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "gnuplot.h"
#include "io/atomic_file.h"
#include "io/checksum.h"
#include "io/file_error.h"
#include "loaded_run.h"
#include "sampling.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

constexpr Index kPoints = 2000;         // that two panels or a density can show
constexpr Index kHistogramRows = 5000;  // that fill a histogram
constexpr Index kGridCells = 200;       // along each of two axes
constexpr Index kCurveCells = 400;
constexpr double kGridMargin = 0.15;  // a density goes on where the data end

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
  for (Index j = 0; j < rows.columns(); ++j) grid.axes.push_back(axis_range(rows.column(j), kGridMargin));
  grid.cells = grid.axes.size() == 1 ? kCurveCells : kGridCells;
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

constexpr const char* kSeal = "# crc32 ";

std::string seal_of(std::string_view script) {
  Crc32 checksum;
  checksum.add(std::as_bytes(std::span(script.data(), script.size())));
  return kSeal + checksum.hexadecimal() + ": as long as this is right, `pushforward plot` replaces the script\n";
}

/// True unless somebody changed a script of ours, or put his own in its place.
bool is_ours(const std::string& text) {
  const std::size_t end = text.find('\n') + 1;
  return text.starts_with(kSeal) && text.substr(0, end) == seal_of(std::string_view(text).substr(end));
}

void write_script(const fs::path& path, const std::string& script, Console& console) {
  if (fs::exists(path) && !is_ours(read_file(path)))
    return console.note("{} was changed: it is kept, and drawn as it is; remove it to have a fresh one", path.string());
  write_file(path, seal_of(script) + script);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", folder.string(), error.message()));
}

}  // namespace

template <class T>
PictureNumbers picture_numbers(Engine<T>& engine, const DataPipeline<T>* data, const Split<T>* train,
                               const fs::path& run) {
  PictureNumbers numbers;
  const fs::path metrics = run / "metrics.csv";
  if (fs::exists(metrics)) numbers.losses = losses_of(read_file(metrics), metrics.string());

  const Distribution<T>& model = *engine.model().distribution;
  const Index elements = model.event_shape().size();
  const bool conditional = engine.model().context > 0;
  const Index limit = elements == 2 ? kPoints : kHistogramRows;
  PickedRows<T> picked;
  if (train) {
    picked = pick(*train, limit);
    numbers.data = data->inverse(picked.events.block());
  }
  if (model.traits().can_sample && (train || !conditional)) {
    // Panels compare as many points as there are; a histogram is the smoother the more samples it has.
    const Index rows = train ? picked.events.rows() : limit;
    const Index times = elements == 2 ? 1 : std::max<Index>(limit / rows, 1);
    numbers.samples = draw_samples<T>(engine, data, rows * times, picked.context);
  }
  const Table* shown = numbers.data ? &*numbers.data : numbers.samples ? &*numbers.samples : nullptr;
  if (shown && elements <= 2 && !conditional) numbers.density = density_over(*shown, engine, data);
  return numbers;
}

DrawnPlots draw_plots(const fs::path& run, const PictureNumbers& numbers, Console& console) {
  DrawnPlots plots{.folder = run / "plots", .drawn = {}};
  make_folder(plots.folder);
  const std::vector<Picture> pictures = make_pictures(numbers);
  for (const Picture& picture : pictures) {
    for (const TextFile& file : picture.data) write_file(plots.folder / file.name, file.text);
    write_script(plots.folder / (picture.name + ".gp"), picture.script, console);
  }
  for (const Picture& picture : pictures) {
    const GnuplotOutcome outcome = run_gnuplot(plots.folder, picture.name);
    if (outcome.status == GnuplotOutcome::Status::missing) {
      console.note(
          "gnuplot is not installed, so no pictures were drawn; apt-get install gnuplot-nox, then: cd {} && "
          "gnuplot *.gp",
          plots.folder.string());
      break;
    }
    const std::string name = picture.name + ".png";
    if (outcome.status == GnuplotOutcome::Status::failed)
      console.warn("the picture {} was not drawn: gnuplot: {}", (plots.folder / name).string(), outcome.message);
    else
      plots.drawn.push_back(name);
  }
  return plots;
}

template PictureNumbers picture_numbers(Engine<float>&, const DataPipeline<float>*, const Split<float>*,
                                        const fs::path&);
template PictureNumbers picture_numbers(Engine<double>&, const DataPipeline<double>*, const Split<double>*,
                                        const fs::path&);

}  // namespace pushforward
