// Checks 19, 23, 24 and 25: densities integrate to 1, and samples follow them.
#include <cmath>

#include "grid.h"
#include "kit.h"
#include "numeric.h"

namespace pushforward::testing {

namespace {

/// log of what a density integrates to; NaN where a target does not know it.
double log_integral(Case& c) {
  const auto* target = dynamic_cast<const Target<double>*>(&c.runner(Precision::float64).component());
  return target ? target->log_normaliser() : 0;
}

}  // namespace

void check_density(Case& c, Tally& t) {
  const double expected = std::exp(log_integral(c));
  if (!std::isfinite(expected)) return t.skip("the integral is not known");
  if (c.map() && !c.exact()) return t.skip("log_det is an estimate");
  if (c.density() && c.density()->density != LogDet::exact) return t.skip("log_prob is an estimate");
  check_normaliser(c, t);
  std::string reason;
  const SmallCase small = small_case(c, reason);
  const std::unique_ptr<Grid> grid = small.c ? grid_of(*small.c, t.precision(), reason) : nullptr;
  if (!grid) return t.skip(reason);
  t.at(c.variant().label);
  // A kink leaves an error of the second order in the step, which halving the step shows; float32 has noise, too.
  const double allowed = t.tolerance() + grid->error();
  constexpr double kUnresolved = 1e-2;
  t.require(grid->error() < kUnresolved, [&] {
    return "the grid does not resolve the density: halving its step changes the integral by " +
           std::to_string(grid->error());
  });
  t.compare(
      -1, [] { return std::string("integral of the density"); }, grid->integral(), expected, allowed);
}

Array draw_samples(Case& c, Precision p, Index n) {
  constexpr Index kRows = 4096;
  const FunctionCase& f = *c.find("sample");
  Array all(n, c.data_columns());
  for (Index begin = 0; begin < n; begin += kRows) {
    Request r = c.request(f, 1, 5);
    r.rows = std::min(kRows, n - begin);
    r.context = one_context_row(c, f, r.rows);
    r.first_row = begin;
    const Array some = c.runner(p).run(r).outputs[0];
    for (Index j = 0; j < all.columns; ++j)
      for (Index i = 0; i < r.rows; ++i) {
        if (std::isnan(some(i, j))) throw WrongResult("sample " + std::to_string(begin + i) + " holds a NaN");
        all(begin + i, j) = some(i, j);
      }
  }
  return all;
}

namespace {

constexpr Index kDrawnSamples = 100000;

/// Points of an axis at which bins end, each between two points of the grid: near quantiles of the density. With
/// `tail`, the smallest of them, some are far out, where a sampler that clips shows.
std::vector<Index> bin_ends(const std::vector<double>& mass, Index bins, double tail) {
  std::vector<double> shares;
  for (Index b = 1; b < bins; ++b) shares.push_back(static_cast<double>(b) / static_cast<double>(bins));
  for (const double share : {1e-4, 1e-3, 5e-3})
    if (share >= tail) shares.insert(shares.end(), {share, 1 - share});
  std::sort(shares.begin(), shares.end());
  double total = 0, below = 0;
  for (const double m : mass) total += m;
  std::vector<Index> ends;
  std::size_t next = 0;
  for (std::size_t i = 0; i + 1 < mass.size() && next < shares.size(); ++i) {
    below += mass[i];
    if (below < shares[next] * total) continue;
    ends.push_back(static_cast<Index>(i));
    while (next < shares.size() && below >= shares[next] * total) ++next;
  }
  return ends;
}

/// Bin of position `u` (in steps of the axis): points up to an end belong to the bin before it.
std::size_t bin_of(const std::vector<Index>& ends, double u) {
  std::size_t b = 0;
  while (b < ends.size() && u > static_cast<double>(ends[b]) + 0.5) ++b;
  return b;
}

/// Upper quantile of chi-square, by Wilson and Hilferty.
double chi_square_limit(double freedom, double level) {
  double low = 0, high = 10;  // the normal quantile lies between
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(middle / std::sqrt(2.0)) > level ? low : high) = middle;
  }
  const double a = 2 / (9 * freedom);
  return freedom * std::pow(1 - a + low * std::sqrt(a), 3);
}

struct Counts {
  std::vector<double> expected, observed;
};

/// In steps of an axis, from its first point.
double position(const Axis& axis, double y) { return (axis.t(y) - axis.first) / axis.step; }

/// Of one element alone.
Counts count_along(const Grid& grid, Index d, const Array& samples, double tail) {
  const std::vector<double> mass = grid.marginal(d);
  const std::vector<Index> ends = bin_ends(mass, 50, tail);
  Counts counts{std::vector<double>(ends.size() + 1, 0.0), std::vector<double>(ends.size() + 1, 0.0)};
  for (std::size_t i = 0; i < mass.size(); ++i)
    counts.expected[bin_of(ends, static_cast<double>(i))] += mass[i] * static_cast<double>(samples.rows);
  for (Index i = 0; i < samples.rows; ++i) counts.observed[bin_of(ends, position(grid.axis(d), samples(i, d)))] += 1;
  return counts;
}

/// Of all elements together.
Counts count(const Grid& grid, const Array& samples) {
  std::vector<std::vector<Index>> ends;
  std::size_t bins = 1;
  for (Index d = 0; d < grid.dimensions(); ++d) {
    ends.push_back(bin_ends(grid.marginal(d), 8, 1));
    bins *= ends.back().size() + 1;
  }
  Counts counts{std::vector<double>(bins, 0.0), std::vector<double>(bins, 0.0)};
  const std::size_t across = ends[0].size() + 1;
  const Index points = grid.axis(0).points;
  for (std::size_t i = 0; i < grid.mass().size(); ++i) {
    const auto at = static_cast<Index>(i);
    std::size_t bin = bin_of(ends[0], static_cast<double>(at % points));
    if (grid.dimensions() > 1) bin += across * bin_of(ends[1], static_cast<double>(at / points));
    counts.expected[bin] += grid.mass()[i] * static_cast<double>(samples.rows);
  }
  for (Index i = 0; i < samples.rows; ++i) {
    std::size_t bin = 0, stride = 1;
    for (Index d = 0; d < grid.dimensions(); ++d) {
      bin += stride * bin_of(ends[static_cast<std::size_t>(d)], position(grid.axis(d), samples(i, d)));
      stride *= ends[static_cast<std::size_t>(d)].size() + 1;
    }
    counts.observed[bin] += 1;
  }
  return counts;
}

bool can_sample(Case& c, Tally& t) {
  if (c.find("sample")) return true;
  t.skip("it cannot be sampled");
  return false;
}

/// One statistic of `tests`, which have the level together.
void compare_counts(const Counts& counts, const std::string& what, double tests, Tally& t) {
  double statistic = 0, freedom = -1, rest_expected = 0, rest_observed = 0;
  constexpr double kSmallestBin = 5;
  const auto add = [&](double expected, double observed) {
    statistic += (observed - expected) * (observed - expected) / expected;
    ++freedom;
  };
  for (std::size_t b = 0; b < counts.expected.size(); ++b) {
    if (counts.expected[b] >= kSmallestBin) {
      add(counts.expected[b], counts.observed[b]);
    } else {
      rest_expected += counts.expected[b];
      rest_observed += counts.observed[b];
    }
  }
  if (rest_expected >= kSmallestBin) add(rest_expected, rest_observed);
  t.require(rest_expected >= kSmallestBin || rest_observed < 5 * kSmallestBin, [&] {
    return what + ": " + std::to_string(rest_observed) + " of 100000 samples lie where the density promises " +
           std::to_string(rest_expected);
  });
  if (freedom < 1) return t.skip(what + ": all samples fall into one bin");
  const double limit = chi_square_limit(freedom, 1 - std::pow(1 - t.tolerance(), 1 / tests));
  t.require(statistic <= limit, [&] {
    return what + ": chi-square of 100000 samples against log_prob is " + std::to_string(statistic) + " with " +
           std::to_string(freedom) + " degrees of freedom; at the level of 1e-3 it may be " + std::to_string(limit);
  });
  t.note(what + ": chi-square " + std::to_string(statistic) + " of at most " + std::to_string(limit));
}

}  // namespace

void check_chi_square(Case& original, Tally& t) {
  if (!can_sample(original, t)) return;
  std::string reason;
  const SmallCase small = small_case(original, reason);
  const std::unique_ptr<Grid> grid = small.c ? grid_of(*small.c, Precision::float64, reason) : nullptr;
  if (!grid) return t.skip(reason);
  const Array samples = draw_samples(*small.c, t.precision(), kDrawnSamples);
  const Index dimensions = grid->dimensions();
  const double tests = dimensions == 1 ? 1 : static_cast<double>(dimensions + 1);
  // The numbers of float32 may be as far apart as a ten-thousandth of a narrow interval.
  const double tail = t.in_double() ? 1e-4 : 1e-3;
  for (Index d = 0; d < dimensions; ++d)
    compare_counts(count_along(*grid, d, samples, tail), indexed("y", d), tests, t);
  if (dimensions > 1) compare_counts(count(*grid, samples), "y", tests, t);
}

void check_sampled_log_prob(Case& c, Tally& t) {
  const FunctionCase *sample = c.find("sample"), *log_prob = c.find("log_prob");
  if (!sample || !log_prob) return t.skip("it cannot be sampled, or its density cannot be evaluated");
  if (c.density()->density != LogDet::exact) return t.skip("log_prob is an estimate");
  Request r = c.request(*sample, kSamples, 241);
  const std::vector<Array> drawn = c.runner(t.precision()).run(r).outputs;
  if (drawn[1].columns == 0) return t.skip("samples come without log_prob");
  r.function = log_prob->index;
  r.x = drawn[0];
  const Array again = c.runner(t.precision()).run(r).outputs[0];
  const Array score = jacobian(c, r)[0][0];
  t.at(c.where(*sample));
  for (Index i = 0; i < kSamples; ++i) {
    double condition = 1;
    for (Index j = 0; j < r.x.columns; ++j) condition += std::abs(score(i, j)) * std::max(1.0, std::abs(r.x(i, j)));
    t.compare(
        i, [] { return std::string("log_prob"); }, drawn[1](i, 0), again(i, 0),
        t.tolerance(log_prob->iterative || sample->iterative) * condition / std::max(1.0, std::abs(again(i, 0))));
  }
}

namespace {

struct MeanAndVariance {
  double mean, variance;
};

/// In closed form if there is one, else from the grid.
std::vector<MeanAndVariance> expected_moments(Case& c, Tally& t) {
  const FunctionCase& f = *c.find("sample");
  Request r = c.request(f, 1, 5);
  r.context = one_context_row(c, f, 1);
  const std::vector<Array> closed = c.runner(Precision::float64).moments(r);
  std::vector<MeanAndVariance> all;
  if (!closed.empty() && closed[0].columns > 0) {
    for (Index j = 0; j < closed[0].columns; ++j) all.push_back({closed[0](0, j), closed[1](0, j)});
    return all;
  }
  std::string reason;
  const std::unique_ptr<Grid> grid = grid_of(c, Precision::float64, reason);
  if (!grid) {
    t.skip("no moments in closed form, and " + reason);
    return {};
  }
  for (Index d = 0; d < grid->dimensions(); ++d) {
    const double mean = grid->moment(d, 1, 0), variance = grid->moment(d, 2, mean);
    // A variance that lives in the last tenth of the grid is infinite, or as good as that for a sample.
    const bool heavy = !(grid->moment(d, 4, mean) < 1e4 * variance * variance);
    if (heavy) {
      t.skip("the tails are too heavy for moments");
      return {};
    }
    all.push_back({mean, variance});
  }
  return all;
}

}  // namespace

void check_moments(Case& c, Tally& t) {
  if (!can_sample(c, t)) return;
  const std::vector<MeanAndVariance> expected = expected_moments(c, t);
  if (expected.empty()) return;
  const Array samples = draw_samples(c, t.precision(), kDrawnSamples);
  const double n = static_cast<double>(samples.rows);
  const auto standard_errors = [&](const std::string& what, double sample, double exact, double error) {
    t.require(std::abs(sample - exact) <= t.tolerance() * error + 1e-9 * std::abs(exact), [&] {
      return what + " of 100000 samples is " + std::to_string(sample) + ", but " + std::to_string(exact) +
             " is expected; the standard error is " + std::to_string(error) + ", and 5 of them are allowed";
    });
  };
  // A grid over a simplex says nothing of the last element.
  for (Index j = 0; j < static_cast<Index>(expected.size()); ++j) {
    double sum = 0, second = 0, fourth = 0;
    for (Index i = 0; i < samples.rows; ++i) sum += samples(i, j);
    const double mean = sum / n;
    for (Index i = 0; i < samples.rows; ++i) {
      const double d = (samples(i, j) - mean) * (samples(i, j) - mean);
      second += d / n;
      fourth += d * d / n;
    }
    const MeanAndVariance& e = expected[static_cast<std::size_t>(j)];
    if (std::isfinite(e.mean)) standard_errors("the mean of " + indexed("y", j), mean, e.mean, std::sqrt(second / n));
    if (std::isfinite(e.mean) && std::isfinite(e.variance))
      standard_errors("the variance of " + indexed("y", j), second, e.variance,
                      std::sqrt(std::max(0.0, fourth - second * second) / n));
  }
}

}  // namespace pushforward::testing
