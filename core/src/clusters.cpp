#include "pushforward/clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "pushforward/error.h"

namespace pushforward {

namespace {

constexpr int kStarts = 5, kIterations = 100;
constexpr Index kRowsLookedAt = 10000;
/// Least variance, over that of all rows.
constexpr double kLeastVariance = 1e-6;

/// Finite rows, one after another, each element over its standard deviation.
struct Points {
  Index count = 0, columns = 0;
  std::vector<double> x;
  const double* row(Index i) const { return x.data() + i * columns; }
};

double square(double v) { return v * v; }

double squared_distance(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index j = 0; j < n; ++j) sum += square(a[j] - b[j]);
  return sum;
}

template <class T>
std::vector<Index> finite_rows(Block<const T> rows) {
  std::vector<Index> finite;
  for (Index i = 0; i < rows.rows; ++i) {
    bool all = true;
    for (Index j = 0; j < rows.columns; ++j) all &= std::isfinite(rows(i, j));
    if (all) finite.push_back(i);
  }
  return finite;
}

/// Variance of each element around the mean of all rows; 1 for an element that does not vary.
template <class T>
std::vector<double> whole_variances(Block<const T> rows, const std::vector<Index>& of) {
  std::vector<double> all;
  const double n = static_cast<double>(std::max<std::size_t>(of.size(), 1));
  for (Index j = 0; j < rows.columns; ++j) {
    double mean = 0, variance = 0;
    for (const Index i : of) mean += static_cast<double>(rows(i, j)) / n;
    for (const Index i : of) variance += square(static_cast<double>(rows(i, j)) - mean) / n;
    all.push_back(variance > 0 ? variance : 1);
  }
  return all;
}

std::vector<double> reciprocal_deviations(std::vector<double> variances) {
  for (double& v : variances) v = 1 / std::sqrt(v);
  return variances;
}

/// At most `most` of the rows, at equal distances.
template <class T>
Points points_of(Block<const T> rows, const std::vector<Index>& of, const std::vector<double>& units, Index most) {
  const Index all = static_cast<Index>(of.size());
  Points p{std::min(most, all), rows.columns, {}};
  p.x.reserve(static_cast<std::size_t>(p.count * p.columns));
  for (Index i = 0; i < p.count; ++i) {
    const Index row = of[static_cast<std::size_t>(p.count == all ? i : i * all / p.count)];
    for (Index j = 0; j < p.columns; ++j)
      p.x.push_back(static_cast<double>(rows(row, j)) * units[static_cast<std::size_t>(j)]);
  }
  return p;
}

/// The nearest centre of a point and its squared distance.
struct Nearest {
  Index cluster = 0;
  double distance = std::numeric_limits<double>::infinity();
};

Nearest nearest(const double* point, const std::vector<double>& centres, Index columns) {
  Nearest best;
  const Index count = static_cast<Index>(centres.size()) / columns;
  for (Index k = 0; k < count; ++k) {
    const double d = squared_distance(point, centres.data() + k * columns, columns);
    if (d < best.distance) best = {k, d};
  }
  return best;
}

/// Uniform numbers one after another.
class Uniforms {
 public:
  Uniforms(const Draws& draws, Index count) : numbers_(static_cast<std::size_t>(count)) {
    draws.uniform(compact(numbers_.data(), 1, count));
  }
  double next() { return numbers_[next_++]; }

 private:
  std::vector<double> numbers_;
  std::size_t next_ = 0;
};

/// Index of the share that u falls into; shares need not add up to 1.
Index pick(const std::vector<double>& shares, double u) {
  double total = 0;
  for (const double s : shares) total += s;
  double left = u * total;
  for (std::size_t i = 0; i < shares.size(); ++i)
    if ((left -= shares[i]) < 0) return static_cast<Index>(i);
  return static_cast<Index>(u * static_cast<double>(shares.size()));  // all shares are zero
}

Index candidates_of(Index clusters) { return 2 + static_cast<Index>(std::log(static_cast<double>(clusters))); }

/// Greedy k-means++: of a few rows drawn with probabilities like their squared distance to the centres so far, the one
/// that leaves the smallest sum of squared distances.
std::vector<double> seed_centres(const Points& p, Index clusters, Uniforms& uniforms) {
  std::vector<double> centres, distances(static_cast<std::size_t>(p.count), 1.0), trial(distances.size()), best;
  for (Index k = 0; k < clusters; ++k) {
    Index chosen = 0;
    double least = std::numeric_limits<double>::infinity();
    for (Index c = 0; c < (k == 0 ? 1 : candidates_of(clusters)); ++c) {
      const Index candidate = pick(distances, uniforms.next());
      double sum = 0;
      for (Index i = 0; i < p.count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double d = squared_distance(p.row(i), p.row(candidate), p.columns);
        sum += trial[at] = k == 0 ? d : std::min(d, distances[at]);
      }
      if (sum >= least) continue;
      least = sum;
      chosen = candidate;
      best = trial;
    }
    distances = best;
    centres.insert(centres.end(), p.row(chosen), p.row(chosen) + p.columns);
  }
  return centres;
}

/// Centres that no row is near to move to the rows that are farthest from theirs.
void fill_empty(const Points& p, std::vector<double>& centres, const std::vector<Index>& sizes,
                std::vector<double>& distances) {
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    if (sizes[k] > 0) continue;
    const auto farthest = std::max_element(distances.begin(), distances.end());
    const double* row = p.row(farthest - distances.begin());
    std::copy(row, row + p.columns, centres.begin() + static_cast<std::ptrdiff_t>(k) * p.columns);
    *farthest = 0;
  }
}

/// Moves centres to the means of the rows nearest to them until nothing changes; the sum of squared distances.
double iterate(const Points& p, std::vector<double>& centres) {
  const Index clusters = static_cast<Index>(centres.size()) / p.columns;
  std::vector<Index> before, of(static_cast<std::size_t>(p.count));
  std::vector<double> distances(of.size());
  double sum = 0;
  for (int round = 0; round < kIterations; ++round) {
    std::vector<double> means(centres.size(), 0.0);
    std::vector<Index> sizes(static_cast<std::size_t>(clusters), 0);
    sum = 0;
    for (Index i = 0; i < p.count; ++i) {
      const Nearest n = nearest(p.row(i), centres, p.columns);
      of[static_cast<std::size_t>(i)] = n.cluster;
      distances[static_cast<std::size_t>(i)] = n.distance;
      sum += n.distance;
      ++sizes[static_cast<std::size_t>(n.cluster)];
      for (Index j = 0; j < p.columns; ++j) means[static_cast<std::size_t>(n.cluster * p.columns + j)] += p.row(i)[j];
    }
    if (of == before) break;
    before = of;
    for (Index k = 0; k < clusters; ++k)
      for (Index j = 0; j < p.columns && sizes[static_cast<std::size_t>(k)] > 0; ++j) {
        const auto at = static_cast<std::size_t>(k * p.columns + j);
        centres[at] = means[at] / static_cast<double>(sizes[static_cast<std::size_t>(k)]);
      }
    fill_empty(p, centres, sizes, distances);
  }
  return sum;
}

/// All rows with the nearest centre; centres are in units of standard deviations, and those of the result are not.
template <class T>
Clusters assign(Block<const T> rows, const std::vector<Index>& of, std::vector<double> centres,
                const std::vector<double>& units) {
  const Index columns = rows.columns, count = static_cast<Index>(centres.size()) / columns;
  Clusters c{count,
             columns,
             {},
             std::vector<Index>(static_cast<std::size_t>(rows.rows), -1),
             std::vector<Index>(static_cast<std::size_t>(count), 0)};
  const Points p = points_of(rows, of, units, rows.rows);
  for (Index i = 0; i < p.count; ++i) {
    const Index k = nearest(p.row(i), centres, columns).cluster;
    c.of_row[static_cast<std::size_t>(of[static_cast<std::size_t>(i)])] = k;
    ++c.sizes[static_cast<std::size_t>(k)];
  }
  for (Index k = 0; k < count; ++k)
    for (Index j = 0; j < columns; ++j)
      centres[static_cast<std::size_t>(k * columns + j)] /= units[static_cast<std::size_t>(j)];
  c.centres = std::move(centres);
  return c;
}

void require_rows(const std::vector<Index>& finite, Index clusters) {
  if (static_cast<Index>(finite.size()) < clusters)
    throw DataError(std::to_string(clusters) + " clusters need as many rows or more, but there are " +
                    std::to_string(finite.size()) + (finite.size() == 1 ? " finite row" : " finite rows"));
}

/// Means of the clusters' rows; the centre of one that has none.
template <class T>
std::vector<double> means_of(Block<const T> rows, const Clusters& c) {
  std::vector<double> means(c.centres.size(), 0.0);
  for (Index i = 0; i < rows.rows; ++i) {
    const Index k = c.of_row[static_cast<std::size_t>(i)];
    for (Index j = 0; k >= 0 && j < c.columns; ++j)
      means[static_cast<std::size_t>(k * c.columns + j)] +=
          static_cast<double>(rows(i, j)) / static_cast<double>(c.sizes[static_cast<std::size_t>(k)]);
  }
  for (Index k = 0; k < c.count; ++k)
    if (c.sizes[static_cast<std::size_t>(k)] == 0)
      std::copy_n(c.centres.begin() + k * c.columns, c.columns, means.begin() + k * c.columns);
  return means;
}

/// f(cluster, what is left of a row without the mean of its cluster) for every row that has one.
template <class T, class F>
void for_each_rest(Block<const T> rows, const Clusters& c, F&& f) {
  const std::vector<double> means = means_of(rows, c);
  std::vector<double> rest(static_cast<std::size_t>(c.columns));
  for (Index i = 0; i < rows.rows; ++i) {
    const Index k = c.of_row[static_cast<std::size_t>(i)];
    if (k < 0) continue;
    for (Index j = 0; j < c.columns; ++j)
      rest[static_cast<std::size_t>(j)] =
          static_cast<double>(rows(i, j)) - means[static_cast<std::size_t>(k * c.columns + j)];
    f(k, rest);
  }
}

/// Variance within all clusters and the least that is allowed, for each element.
template <class T>
std::vector<double> pooled_variances(Block<const T> rows, const Clusters& c, std::vector<double>& least) {
  const std::vector<Index> finite = finite_rows(rows);
  least = whole_variances(rows, finite);
  for (double& v : least) v *= kLeastVariance;
  std::vector<double> pooled(static_cast<std::size_t>(c.columns), 0.0);
  for_each_rest(rows, c, [&](Index, const std::vector<double>& rest) {
    for (std::size_t j = 0; j < rest.size(); ++j) pooled[j] += square(rest[j]) / static_cast<double>(finite.size());
  });
  for (std::size_t j = 0; j < pooled.size(); ++j) pooled[j] = std::max(pooled[j], least[j]);
  return pooled;
}

}  // namespace

double Clusters::share(Index k) const {
  double rows = 0;
  for (const Index n : sizes) rows += static_cast<double>(n + 1);
  return static_cast<double>(sizes[static_cast<std::size_t>(k)] + 1) / rows;
}

template <class T>
Clusters k_means(Block<const T> rows, Index clusters, const Draws& draws) {
  const std::vector<Index> finite = finite_rows(rows);
  require_rows(finite, clusters);
  const std::vector<double> units = reciprocal_deviations(whole_variances(rows, finite));
  const Points points = points_of(rows, finite, units, std::max(kRowsLookedAt, clusters));
  Uniforms uniforms(draws, kStarts * (1 + (clusters - 1) * candidates_of(clusters)));
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  for (int start = 0; start < kStarts; ++start) {
    std::vector<double> centres = seed_centres(points, clusters, uniforms);
    const double sum = iterate(points, centres);
    if (sum >= least) continue;
    least = sum;
    best = std::move(centres);
  }
  return assign(rows, finite, std::move(best), units);
}

template <class T>
Clusters nearest_centres(Block<const T> rows, std::span<const double> centres, Index clusters) {
  const std::vector<Index> finite = finite_rows(rows);
  const std::vector<double> units = reciprocal_deviations(whole_variances(rows, finite));
  std::vector<double> scaled(centres.begin(), centres.end());
  for (Index k = 0; k < clusters; ++k)
    for (Index j = 0; j < rows.columns; ++j)
      scaled[static_cast<std::size_t>(k * rows.columns + j)] *= units[static_cast<std::size_t>(j)];
  return assign(rows, finite, std::move(scaled), units);
}

template <class T>
Clusters random_centres(Block<const T> rows, Index clusters, const Draws& draws) {
  std::vector<Index> finite = finite_rows(rows);
  require_rows(finite, clusters);
  const std::vector<double> units = reciprocal_deviations(whole_variances(rows, finite));
  Uniforms uniforms(draws, clusters);
  std::vector<Index> left = finite;
  std::vector<double> centres;
  for (Index k = 0; k < clusters; ++k) {
    const auto at = static_cast<std::size_t>(uniforms.next() * static_cast<double>(left.size()));
    for (Index j = 0; j < rows.columns; ++j)
      centres.push_back(static_cast<double>(rows(left[at], j)) * units[static_cast<std::size_t>(j)]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return assign(rows, finite, std::move(centres), units);
}

template <class T>
std::vector<double> variances_within(Block<const T> rows, const Clusters& c) {
  std::vector<double> least, pooled = pooled_variances(rows, c, least), all(c.centres.size(), 0.0);
  for_each_rest(rows, c, [&](Index k, const std::vector<double>& rest) {
    for (std::size_t j = 0; j < rest.size(); ++j) all[static_cast<std::size_t>(k * c.columns) + j] += square(rest[j]);
  });
  const double weight = static_cast<double>(c.columns + 1);
  for (Index k = 0; k < c.count; ++k)
    for (std::size_t j = 0; j < pooled.size(); ++j) {
      double& v = all[static_cast<std::size_t>(k * c.columns) + j];
      v = (v + weight * pooled[j]) / (static_cast<double>(c.sizes[static_cast<std::size_t>(k)]) + weight);
      v = std::max(v, least[j]);
    }
  return all;
}

template <class T>
std::vector<double> covariances_within(Block<const T> rows, const Clusters& c, bool pooled) {
  std::vector<double> least, variances = pooled_variances(rows, c, least);
  const std::size_t size = static_cast<std::size_t>(c.columns),
                    matrices = pooled ? 1 : static_cast<std::size_t>(c.count);
  std::vector<double> all(matrices * size * size, 0.0), counts(matrices, 0.0);
  for_each_rest(rows, c, [&](Index k, const std::vector<double>& rest) {
    const std::size_t m = pooled ? 0 : static_cast<std::size_t>(k);
    ++counts[m];
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) all[(m * size + i) * size + j] += rest[i] * rest[j];
  });
  const double weight = static_cast<double>(c.columns + 1);
  for (std::size_t m = 0; m < matrices; ++m)
    for (std::size_t i = 0; i < size; ++i) {
      all[(m * size + i) * size + i] += weight * variances[i];
      for (std::size_t j = 0; j < size; ++j) all[(m * size + i) * size + j] /= counts[m] + weight;
    }
  return all;
}

#define PUSHFORWARD_INSTANTIATE(T)                                                   \
  template Clusters k_means(Block<const T>, Index, const Draws&);                    \
  template Clusters nearest_centres(Block<const T>, std::span<const double>, Index); \
  template Clusters random_centres(Block<const T>, Index, const Draws&);             \
  template std::vector<double> variances_within(Block<const T>, const Clusters&);    \
  template std::vector<double> covariances_within(Block<const T>, const Clusters&, bool);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
