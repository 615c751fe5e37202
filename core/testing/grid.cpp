#include "grid.h"

#include <algorithm>
#include <cmath>

namespace pushforward::testing {

namespace {
constexpr double kHalfPi = 1.57079632679489661923;
constexpr double kPi = 3.14159265358979323846;
enum class Shape1 { line, above, below, interval };
Shape1 shape_of(const Support& s) {
  const bool lower = std::isfinite(s.lower), upper = std::isfinite(s.upper);
  return lower && upper ? Shape1::interval : lower ? Shape1::above : upper ? Shape1::below : Shape1::line;
}
}  // namespace

double Axis::y(double t) const {
  switch (shape_of(support)) {
    case Shape1::line:
      return centre + scale * std::sinh(t);
    case Shape1::above:
      return support.lower + scale * std::exp(t);
    case Shape1::below:
      return support.upper - scale * std::exp(t);
    case Shape1::interval:
      break;
  }
  // From the nearer end, so that no digits of the distance to it are lost.
  const double distance = (support.upper - support.lower) / (1 + std::exp(2 * kHalfPi * std::sinh(std::abs(t))));
  return t < 0 ? support.lower + distance : support.upper - distance;
}

double Axis::slope(double t) const {
  switch (shape_of(support)) {
    case Shape1::line:
      return scale * std::cosh(t);
    case Shape1::above:
    case Shape1::below:
      return scale * std::exp(t);
    case Shape1::interval:
      break;
  }
  const double c = std::cosh(kHalfPi * std::sinh(t));
  return 0.5 * (support.upper - support.lower) * kHalfPi * std::cosh(t) / (c * c);
}

double Axis::t(double y) const {
  switch (shape_of(support)) {
    case Shape1::line:
      return std::asinh((y - centre) / scale);
    case Shape1::above:
      return std::log((y - support.lower) / scale);
    case Shape1::below:
      return std::log((support.upper - y) / scale);
    case Shape1::interval:
      break;
  }
  return std::asinh(std::log((y - support.lower) / (support.upper - y)) / (2 * kHalfPi));
}

Grid::Grid(const LogDensity& log_density, const Support& support, const std::vector<double>& centre,
           const std::vector<double>& scale, Index points_per_axis) {
  constexpr Index kCoarse = 121;
  for (std::size_t d = 0; d < centre.size(); ++d) {
    // Wide enough for the tails of a Cauchy, and for ends at which a density is infinite: 1e-61 from an end, of which
    // only zero has numbers so near.
    const double reach = shape_of(support) == Shape1::line ? 21 : shape_of(support) == Shape1::interval ? 4.5 : 40;
    axes_.push_back({support, centre[d], scale[d], -reach, 2 * reach / (kCoarse - 1), kCoarse});
  }
  evaluate(log_density);
  narrow();
  for (Axis& a : axes_) {
    const double last = a.at(a.points - 1);
    a.points = points_per_axis;
    a.step = (last - a.first) / static_cast<double>(points_per_axis - 1);
  }
  evaluate(log_density);
}

void Grid::evaluate(const LogDensity& log_density) {
  constexpr Index kRows = 4096;
  const Index across = axes_[0].points, down = axes_.size() > 1 ? axes_[1].points : 1, total = across * down;
  mass_.assign(static_cast<std::size_t>(total), 0.0);
  for (Index begin = 0; begin < total; begin += kRows) {
    const Index rows = std::min(kRows, total - begin);
    Array y(rows, dimensions());
    std::vector<double> weight(static_cast<std::size_t>(rows), 1.0);
    for (Index i = 0; i < rows; ++i)
      for (Index d = 0; d < dimensions(); ++d) {
        const Axis& a = axes_[static_cast<std::size_t>(d)];
        const double t = a.at(d == 0 ? (begin + i) % across : (begin + i) / across);
        y(i, d) = a.y(t);
        const bool inside = y(i, d) > a.support.lower && y(i, d) < a.support.upper;
        weight[static_cast<std::size_t>(i)] *= inside ? a.slope(t) * a.step : 0;
      }
    const std::vector<double> log = log_density(y);
    for (Index i = 0; i < rows; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double m = weight[k] > 0 ? std::exp(log[k]) * weight[k] : 0;
      mass_[static_cast<std::size_t>(begin + i)] = std::isnan(m) ? 0 : m;  // no event: outside of what the map reaches
    }
  }
}

void Grid::narrow() {
  constexpr double kNegligible = 1e-15;
  const double most = *std::max_element(mass_.begin(), mass_.end());
  const Index across = axes_[0].points;
  for (Index d = 0; d < dimensions(); ++d) {
    Axis& a = axes_[static_cast<std::size_t>(d)];
    Index low = a.points, high = -1;
    for (std::size_t i = 0; i < mass_.size(); ++i) {
      if (!(mass_[i] > kNegligible * most)) continue;
      const Index at = d == 0 ? static_cast<Index>(i) % across : static_cast<Index>(i) / across;
      low = std::min(low, at);
      high = std::max(high, at);
    }
    if (high < low) continue;
    const double first = a.at(std::max<Index>(low - 1, 0)), last = a.at(std::min(high + 1, a.points - 1));
    a.points = 2;
    a.first = first;
    a.step = last - first;
  }
}

double Grid::integral(Index stride) const {
  const Index across = axes_[0].points, down = dimensions() > 1 ? axes_[1].points : 1;
  double sum = 0;
  for (Index j = 0; j < down; j += stride)
    for (Index i = 0; i < across; i += stride) sum += mass_[static_cast<std::size_t>(i + j * across)];
  return sum * (dimensions() > 1 ? static_cast<double>(stride * stride) : static_cast<double>(stride));
}

double Grid::error() const {
  double most = 0;
  for (const Index stride : {2, 4, 8})
    most = std::max(most, std::abs(integral(stride) - integral(1)) * 2 / static_cast<double>(stride));
  return most;
}

std::vector<double> Grid::marginal(Index d) const {
  const Index across = axes_[0].points;
  std::vector<double> sums(static_cast<std::size_t>(axis(d).points), 0.0);
  for (std::size_t i = 0; i < mass_.size(); ++i)
    sums[static_cast<std::size_t>(d == 0 ? static_cast<Index>(i) % across : static_cast<Index>(i) / across)] +=
        mass_[i];
  return sums;
}

double Grid::moment(Index d, int power, double about) const {
  const Index across = axes_[0].points;
  double sum = 0;
  for (std::size_t i = 0; i < mass_.size(); ++i) {
    const Index at = d == 0 ? static_cast<Index>(i) % across : static_cast<Index>(i) / across;
    const Axis& a = axes_[static_cast<std::size_t>(d)];
    if (mass_[i] > 0) sum += mass_[i] * std::pow(a.y(a.at(at)) - about, power);
  }
  return sum;
}

Array one_context_row(Case& c, const FunctionCase& f, Index rows) {
  const Array one = c.request(f, 1, 5).context;
  Array all(one.columns ? rows : 0, one.columns);
  for (Index j = 0; j < all.columns; ++j)
    for (Index i = 0; i < rows; ++i) all(i, j) = one(0, j);
  return all;
}

namespace {

/// log density of the base that belongs to a map's domain: normal, exponential or uniform.
double base_log_density(const Support& s, double x) {
  switch (shape_of(s)) {
    case Shape1::line:
      return -0.5 * (x * x + std::log(2 * kPi));
    case Shape1::above:
      return x >= s.lower ? s.lower - x : -std::numeric_limits<double>::infinity();
    case Shape1::below:
      return x <= s.upper ? x - s.upper : -std::numeric_limits<double>::infinity();
    case Shape1::interval:
      break;
  }
  return x >= s.lower && x <= s.upper ? -std::log(s.upper - s.lower) : -std::numeric_limits<double>::infinity();
}

/// The function that a density is computed from; none if there is no such function.
const FunctionCase* source_of(Case& c) {
  for (const char* name : {"log_prob", "log_density", "inverse"})
    if (const FunctionCase* f = c.find(name)) return f;
  return nullptr;
}

/// Axes that a density is integrated over: on a simplex the last element follows from the others.
Index dimensions_of(Case& c) { return c.data_columns() - (c.density() && c.density()->on_simplex ? 1 : 0); }

/// Points of the grid with the element that follows from them, if there is one.
Array events_of(Case& c, const Array& y) {
  if (dimensions_of(c) == c.data_columns()) return y;
  Array event(y.rows, c.data_columns());
  for (Index i = 0; i < y.rows; ++i) {
    double rest = 1;
    for (Index j = 0; j < y.columns; ++j) rest -= event(i, j) = y(i, j);
    event(i, y.columns) = rest;
  }
  return event;
}

/// The log density at points, by one evaluation.
std::vector<double> log_density_at(Case& c, Precision p, const FunctionCase& f, const Support& base, const Array& y,
                                   Request r) {
  const std::vector<Array> out = c.runner(p).run(r).outputs;
  if (!c.map()) return out[0].values;
  std::vector<double> log = out[1].values;
  for (Index j = 0; j < out[0].columns; ++j)
    for (Index i = 0; i < y.rows; ++i) {
      // What float32 rounds to an end is no point of the inside, and at an end a density may be infinite.
      const double at = p == Precision::float32 ? round_to_float(y(i, j)) : y(i, j);
      const bool inside = at > f.support.lower && at < f.support.upper;
      double& sum = log[static_cast<std::size_t>(i)];
      sum = inside ? sum + base_log_density(base, out[0](i, j)) : -std::numeric_limits<double>::infinity();
    }
  return log;
}

/// Of an estimate: the mean over some draws, less what their scatter adds to its exponential.
Grid::LogDensity log_density_of(Case& c, Precision p, const FunctionCase& f, Index draws) {
  Support base;
  if (const auto* map = dynamic_cast<const Bijector<double>*>(&c.runner(Precision::float64).component()))
    base = map->domain();
  return [&c, p, &f, base, draws](const Array& y) {
    Request r = c.request(f, 1, 5);
    r.context = one_context_row(c, f, y.rows);
    r.x = events_of(c, y);
    r.rows = y.rows;
    if (draws == 1) return log_density_at(c, p, f, base, y, r);
    const double n = static_cast<double>(draws);
    std::vector<double> mean(static_cast<std::size_t>(y.rows), 0.0), square(mean);
    for (Index k = 0; k < draws; ++k) {
      r.stream.step = static_cast<std::uint32_t>(k);
      const std::vector<double> once = log_density_at(c, p, f, base, y, r);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        mean[i] += once[i] / n;
        square[i] += once[i] * once[i] / n;
      }
    }
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double variance = square[i] - mean[i] * mean[i];
      if (variance > 0) mean[i] -= variance / (n - 1) / 2;
    }
    return mean;
  };
}

}  // namespace

std::unique_ptr<Grid> grid_of(Case& c, Precision p, std::string& reason, Index draws) {
  const FunctionCase* f = source_of(c);
  if (!f) {
    reason = "the density cannot be evaluated";
    return nullptr;
  }
  const bool between_sizes = c.map() && c.base_columns() != c.data_columns() && draws == 1;
  if (c.data_columns() > 2 || c.data_columns() < 1 || between_sizes) {
    reason = "the event has more than two elements";
    return nullptr;
  }
  const Array data = c.request(*f, 512, 231).x;
  std::vector<double> centre, scale;
  const Index dimensions = dimensions_of(c);
  for (Index j = 0; j < dimensions; ++j) {
    std::vector<double> column(data.values.begin() + j * data.rows, data.values.begin() + (j + 1) * data.rows);
    if (std::any_of(column.begin(), column.end(), [](double v) { return std::isnan(v); }))
      throw WrongResult("events that it makes hold NaN");
    std::sort(column.begin(), column.end());
    const auto at = [&](double share) {
      return column[static_cast<std::size_t>(share * static_cast<double>(data.rows))];
    };
    centre.push_back(at(0.5));
    double width = at(0.75) - at(0.25);
    if (std::isfinite(f->support.lower))
      width = at(0.5) - f->support.lower;
    else if (std::isfinite(f->support.upper))
      width = f->support.upper - at(0.5);
    scale.push_back(std::max(width, 1e-3));
  }
  const auto grid = [&](Index points) {
    return std::make_unique<Grid>(log_density_of(c, p, *f, draws), f->support, centre, scale, points);
  };
  if (draws > 1) return grid(dimensions == 1 ? 1001 : 81);  // smooth enough, and noise is not resolved by points
  // Finer while halving the step matters: splines put steep bins beside flat ones.
  constexpr double kResolved = 1e-7;
  const bool line = dimensions == 1, slow = f->iterative;
  const Index most = line ? (slow ? 16001 : 256001) : (slow ? 241 : 961);
  Index points = line ? 4001 : (slow ? 121 : 241);
  std::unique_ptr<Grid> found = grid(points);
  while (found->error() > kResolved && points < most) {
    points = 2 * points - 1;
    found = grid(points);
  }
  return found;
}

SmallCase small_case(Case& c, std::string& reason) {
  // Elements that do not see each other say in two what they say in one.
  const bool one = c.map() && c.map()->elementwise;
  if (c.data_columns() <= (one ? 1 : 2)) return {nullptr, &c};
  Variant small = c.variant();
  for (const Index size : {one ? Index{1} : Index{2}, one ? Index{2} : Index{1}}) {
    if (small.form == ThetaForm::per_row)
      small.surroundings.context = c.variant().surroundings.context / c.data_columns() * size;
    small.surroundings.event_shape = Shape{size};
    try {
      auto made = std::make_unique<Case>(c.subject(), small);
      Case* small_one = made.get();
      if (small_one->data_columns() <= 2) return {std::move(made), small_one};
    } catch (const Error& e) {
      reason = e.what();
    }
  }
  reason = "an event of one or two elements cannot be built: " + reason;
  return {};
}

}  // namespace pushforward::testing
