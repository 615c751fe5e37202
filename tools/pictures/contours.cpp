#include "pictures/contours.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace pushforward {
namespace {

/// The edges that lines cross, by number: that from centre (i, j) to (i + 1, j) is 2 (i + j cells), that to (i, j + 1)
/// one more. Each is shared by two squares, so at most two pieces of lines meet on it.
class CrossedEdges {
 public:
  CrossedEdges(const DensityGrid& grid, double level) : grid_(grid), level_(level) {
    for (Index j = 0; j + 1 < grid.cells; ++j)
      for (Index i = 0; i + 1 < grid.cells; ++i) add_square(i, j);
  }

  std::vector<Polyline> lines() {
    std::vector<Polyline> all;
    for (auto& [edge, neighbours] : edges_)
      if (neighbours.size() == 1) all.push_back(line_from(edge));  // begins on the border
    for (auto& [edge, neighbours] : edges_)
      if (!neighbours.empty()) all.push_back(line_from(edge));
    return all;
  }

 private:
  double value(Index i, Index j) const { return grid_.density[static_cast<std::size_t>(i + j * grid_.cells)]; }

  void add_square(Index i, Index j) {
    const bool low_left = value(i, j) >= level_, low_right = value(i + 1, j) >= level_;
    const bool high_left = value(i, j + 1) >= level_, high_right = value(i + 1, j + 1) >= level_;
    const Index bottom = 2 * (i + j * grid_.cells), left = bottom + 1, right = bottom + 3;
    const Index top = bottom + 2 * grid_.cells;
    std::vector<Index> crossed;  // around the square
    if (low_left != low_right) crossed.push_back(bottom);
    if (low_right != high_right) crossed.push_back(right);
    if (high_right != high_left) crossed.push_back(top);
    if (high_left != low_left) crossed.push_back(left);
    if (crossed.size() == 2) return connect(crossed[0], crossed[1]);
    if (crossed.empty()) return;
    // A saddle: its middle says which two corners hang together.
    const bool middle = (value(i, j) + value(i + 1, j) + value(i, j + 1) + value(i + 1, j + 1)) / 4 >= level_;
    const bool around_low_right = middle == low_left;
    connect(bottom, around_low_right ? right : left);
    connect(top, around_low_right ? left : right);
  }

  void connect(Index a, Index b) {
    edges_[a].push_back(b);
    edges_[b].push_back(a);
  }

  std::array<double, 2> crossing(Index edge) const {
    const Index cell = edge / 2, i = cell % grid_.cells, j = cell / grid_.cells;
    const bool upwards = edge % 2 == 1;
    const double from = value(i, j), to = upwards ? value(i, j + 1) : value(i + 1, j);
    const double part = (level_ - from) / (to - from);
    const double x = grid_.axes[0].centre(i, grid_.cells), y = grid_.axes[1].centre(j, grid_.cells);
    const double step = part * grid_.axes[upwards ? 1 : 0].width() / static_cast<double>(grid_.cells);
    return upwards ? std::array{x, y + step} : std::array{x + step, y};
  }

  /// Follows a line from one of its edges and takes it away.
  Polyline line_from(Index edge) {
    Polyline line{crossing(edge)};
    while (!edges_[edge].empty()) {
      const Index next = edges_[edge].back();
      edges_[edge].pop_back();
      std::vector<Index>& back = edges_[next];
      back.erase(std::find(back.begin(), back.end(), edge));
      line.push_back(crossing(next));
      edge = next;
    }
    return line;
  }

  const DensityGrid& grid_;
  double level_;
  std::map<Index, std::vector<Index>> edges_;
};

}  // namespace

std::vector<Polyline> contour_lines(const DensityGrid& grid, double level) { return CrossedEdges(grid, level).lines(); }

double level_of_mass(const DensityGrid& grid, double share) {
  std::vector<double> sorted = grid.density;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double wanted = share * std::accumulate(sorted.begin(), sorted.end(), 0.0);
  double reached = 0;
  for (const double density : sorted)
    if ((reached += density) >= wanted) return density;
  return 0;
}

}  // namespace pushforward
