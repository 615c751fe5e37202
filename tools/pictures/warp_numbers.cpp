#include "pictures/warp_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "flow_maps.h"
#include "sampling.h"

namespace pushforward {
namespace {

constexpr Index kDraws = 1200;        // of the base that are shown
constexpr Index kRangeDraws = 20000;  // that say how far its grid goes
constexpr Index kLines = 21;          // of the grid, each way
constexpr Index kLinePoints = 241;    // of each: maps have kinks
constexpr Index kContourCells = 240;  // of the base's density, along each axis
constexpr double kTail = 0.004;       // of the draws lie beyond the grid on each side
// Of a normal base these are the circles at one and two standard deviations.
constexpr double kContourShares[] = {0.3935, 0.8647};

/// Where the model's samples start: the base of the innermost of the flows that lie in one another.
template <class T>
struct Innermost {
  explicit Innermost(const Distribution<T>& model) {
    for (const Distribution<T>* d = &model; d->as_flow(); d = d->as_flow().base) flows.push_back(d);
  }
  const Distribution<T>& base() const { return *flows.back()->as_flow().base; }
  const Pass<T>& pass(const Pass<T>& outermost) const {
    const Pass<T>* inner = &outermost;
    for (const Distribution<T>* flow : flows) inner = &flow->flow_pass(*inner);
    return *inner;
  }
  bool is_map_of_the_plane() const {
    if (flows.empty() || base().event_shape().size() != 2 || !base().traits().can_sample) return false;
    return std::all_of(flows.begin(), flows.end(), [](const Distribution<T>* flow) {
      const Traits map = flow->as_flow().map->traits();
      return flow->event_shape().size() == 2 && map.forward != Cost::none && !map.draws_forward;
    });
  }
  std::vector<const Distribution<T>*> flows;  // the outermost first
};

/// Two columns as points; what is not finite is NaN.
Polyline points_of(std::span<const double> x, std::span<const double> y) {
  Polyline points;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool there = std::isfinite(x[i]) && std::isfinite(y[i]);
    const double none = std::numeric_limits<double>::quiet_NaN();
    points.push_back(there ? std::array{x[i], y[i]} : std::array{none, none});
  }
  return points;
}

template <class T>
std::vector<double> column_of(const Matrix<T>& matrix, Index j) {
  return {matrix.block().column(j), matrix.block().column(j) + matrix.rows()};
}

template <class T>
class WarpMaker {
 public:
  WarpMaker(Engine<T>& engine, const DataPipeline<T>* data, const Innermost<T>& inner)
      : engine_(engine), data_(data), inner_(inner) {}

  Warp make() {
    Warp warp;
    const Matrix<T> draws = rows_of(kRangeDraws, 2, [&](const Pass<T>& pass, Index, Index count) {
      return inner_.base().sample(count, inner_.pass(pass)).value;
    });
    Polyline points = points_of(column_of(draws, 0), column_of(draws, 1));
    points.resize(kDraws);
    const AxisRange x = central_range(column_of(draws, 0)), y = central_range(column_of(draws, 1));
    for (Index i = 0; i < kLines; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(kLines - 1);
      warp.upright.push_back({line(x.low + part * x.width(), y, true), {}});
      warp.level.push_back({line(y.low + part * y.width(), x, false), {}});
    }
    warp.contours = contours(x, y);
    warp.contour_shares.assign(std::begin(kContourShares), std::end(kContourShares));
    warp.draws.base = std::move(points);
    for (auto* lines : {&warp.upright, &warp.level, &warp.contours}) map(*lines);
    std::vector<WarpedLine> only{std::move(warp.draws)};
    map(only);
    warp.draws = std::move(only.front());
    return warp;
  }

 private:
  /// Columns of a function of shards.
  template <class F>
  Matrix<T> rows_of(Index rows, Index columns, F&& f) {
    Matrix<T> all(rows, columns);
    engine_.for_each_shard(rows, kSampleStep, Mode::evaluate, [&](const Pass<T>& pass, Index first, Index count) {
      const Block<const T> part = f(pass, first, count).value();
      for (Index j = 0; j < columns; ++j) std::copy_n(part.column(j), count, all.block().column(j) + first);
    });
    return all;
  }

  static AxisRange central_range(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto cut = static_cast<std::size_t>(kTail * static_cast<double>(values.size()));
    return axis_range(std::span(values).subspan(cut, values.size() - 2 * cut), 0);
  }

  static Polyline line(double constant, const AxisRange& along, bool upright) {
    Polyline points;
    for (Index i = 0; i < kLinePoints; ++i) {
      const double at = along.low + along.width() * static_cast<double>(i) / static_cast<double>(kLinePoints - 1);
      points.push_back(upright ? std::array{constant, at} : std::array{at, constant});
    }
    return points;
  }

  std::vector<WarpedLine> contours(const AxisRange& x, const AxisRange& y) {
    const AxisRange wide_x{x.low - 0.3 * x.width(), x.high + 0.3 * x.width()};
    const AxisRange wide_y{y.low - 0.3 * y.width(), y.high + 0.3 * y.width()};
    DensityGrid grid{.axes = {wide_x, wide_y}, .cells = kContourCells, .density = {}};
    Matrix<T> cells(kContourCells * kContourCells, 2);
    for (Index i = 0; i < cells.rows(); ++i) {
      cells(i, 0) = static_cast<T>(wide_x.centre(i % kContourCells, kContourCells));
      cells(i, 1) = static_cast<T>(wide_y.centre(i / kContourCells, kContourCells));
    }
    const Matrix<T> density = rows_of(cells.rows(), 1, [&](const Pass<T>& pass, Index first, Index count) {
      const Var<T> x_of_cells = pass.tape.constant(cells.block().middle_rows(first, count));
      return inner_.base().log_prob(x_of_cells, inner_.pass(pass));
    });
    for (Index i = 0; i < cells.rows(); ++i) grid.density.push_back(std::exp(static_cast<double>(density(i, 0))));
    std::vector<WarpedLine> lines;
    for (const double share : kContourShares)
      for (Polyline& line : contour_lines(grid, level_of_mass(grid, share))) lines.push_back({std::move(line), {}});
    return lines;
  }

  void map(std::vector<WarpedLine>& lines) {
    Index rows = 0;
    for (const WarpedLine& line : lines) rows += static_cast<Index>(line.base.size());
    Matrix<T> base(rows, 2);
    Index row = 0;
    for (const WarpedLine& line : lines)
      for (const auto& point : line.base) {
        base(row, 0) = static_cast<T>(point[0]);
        base(row++, 1) = static_cast<T>(point[1]);
      }
    const Matrix<T> mapped = map_through_flow<T>(engine_, Direction::forward, base, {}, {});
    const Table table = data_ ? data_->inverse(mapped) : table_of<T>(mapped, {});
    const Polyline points = points_of(table.column(0), table.column(1));
    auto next = points.begin();
    for (WarpedLine& line : lines) {
      const auto end = next + static_cast<std::ptrdiff_t>(line.base.size());
      line.data.assign(next, end);
      next = end;
    }
  }

  Engine<T>& engine_;
  const DataPipeline<T>* data_;
  const Innermost<T>& inner_;
};

}  // namespace

template <class T>
std::optional<Warp> warp_of(Engine<T>& engine, const DataPipeline<T>* data) {
  if (engine.model().context > 0) return std::nullopt;
  const Innermost<T> inner(*engine.model().distribution);
  if (!inner.is_map_of_the_plane()) return std::nullopt;
  return WarpMaker<T>(engine, data, inner).make();
}

template std::optional<Warp> warp_of(Engine<float>&, const DataPipeline<float>*);
template std::optional<Warp> warp_of(Engine<double>&, const DataPipeline<double>*);

}  // namespace pushforward
