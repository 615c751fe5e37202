#include "pictures/kernel_density.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

namespace pushforward {
namespace {

constexpr Index kBins = 512;
constexpr double kReach = 4;  // standard deviations of a kernel that are summed

std::vector<double> inside(std::span<const double> values, const AxisRange& range) {
  std::vector<double> kept;
  for (const double v : values)
    if (v >= range.low && v <= range.high) kept.push_back(v);
  return kept;
}

/// Silverman's rule of thumb, right for one normal mode.
double silverman(std::vector<double> values) {
  const auto n = static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  const double quartiles = values[values.size() * 3 / 4] - values[values.size() / 4];
  const double deviation = std::sqrt(squares / n);
  return 0.9 * (quartiles > 0 ? std::min(deviation, quartiles / 1.34) : deviation) * std::pow(n, -0.2);
}

/// Squares of the cosine coefficients 1, 2, ... of the values' shares in equal bins.
std::vector<double> cosine_powers(const std::vector<double>& values, const AxisRange& range) {
  std::vector<double> shares(kBins);
  for (const double v : values) {
    const auto bin = static_cast<Index>((v - range.low) / range.width() * static_cast<double>(kBins));
    shares[static_cast<std::size_t>(std::min(bin, kBins - 1))] += 1.0 / static_cast<double>(values.size());
  }
  std::vector<double> cosines(4 * kBins);
  for (std::size_t i = 0; i < cosines.size(); ++i)
    cosines[i] = std::cos(std::numbers::pi * static_cast<double>(i) / (2.0 * static_cast<double>(kBins)));
  std::vector<double> powers;
  for (Index k = 1; k < kBins; ++k) {
    double sum = 0;
    for (Index i = 0; i < kBins; ++i)
      sum += shares[static_cast<std::size_t>(i)] * cosines[static_cast<std::size_t>(k * (2 * i + 1) % (4 * kBins))];
    powers.push_back(sum * sum);
  }
  return powers;
}

/// The squared norm of the density's derivative of that order, smoothed for a time.
double derivative_norm(const std::vector<double>& powers, int order, double time) {
  double sum = 0;
  for (std::size_t i = 0; i < powers.size(); ++i) {
    const auto k = static_cast<double>(i + 1);
    sum += std::pow(k * k, order) * powers[i] * std::exp(-k * k * std::numbers::pi * std::numbers::pi * time);
  }
  return 2 * std::pow(std::numbers::pi, 2 * order) * sum;
}

/// time - xi gamma^[7](time) of the paper: its root is the best time to smooth for.
double misfit(const std::vector<double>& powers, double values, double time) {
  constexpr int kStages = 7;
  double norm = derivative_norm(powers, kStages, time);
  for (int s = kStages - 1; s >= 2; --s) {
    double odd = 1;
    for (int i = 1; i < 2 * s; i += 2) odd *= i;
    const double factor = (1 + std::pow(0.5, s + 0.5)) / 3;
    const double smoothed =
        std::pow(2 * factor * odd / std::sqrt(2 * std::numbers::pi) / (values * norm), 2.0 / (3 + 2 * s));
    norm = derivative_norm(powers, s, smoothed);
  }
  return time - std::pow(2 * values * std::sqrt(std::numbers::pi) * norm, -0.4);
}

/// The smallest root, in units of the squared range; none where there is no sensible one.
std::optional<double> diffusion_time(const std::vector<double>& powers, double values) {
  double low = 1e-8;
  if (!(misfit(powers, values, low) < 0)) return std::nullopt;
  for (double high = low * 2; high < 0.1; high *= 2) {
    if (!(misfit(powers, values, high) >= 0)) {
      low = high;
      continue;
    }
    for (int i = 0; i < 12; ++i)
      (misfit(powers, values, std::sqrt(low * high)) < 0 ? low : high) = std::sqrt(low * high);
    return std::sqrt(low * high);
  }
  return std::nullopt;
}

double normal_kernel(double distance, double bandwidth) {
  const double z = distance / bandwidth;
  return std::exp(-0.5 * z * z) / (bandwidth * std::sqrt(2 * std::numbers::pi));
}

double two_dimensional_bandwidth(std::span<const double> values, const AxisRange& range) {
  // The best bandwidth falls with n^(-1/6) rather than n^(-1/5).
  return kernel_bandwidth(values, range) *
         std::pow(static_cast<double>(std::max<std::size_t>(values.size(), 1)), 1.0 / 5 - 1.0 / 6);
}

/// Kernels of every distance of cells, from 0.
std::vector<double> kernel_of_cells(double bandwidth, double cell, Index cells) {
  std::vector<double> kernel;
  double sum = 0;
  for (Index i = 0; i < cells; ++i) {
    kernel.push_back(normal_kernel(static_cast<double>(i) * cell, bandwidth));
    sum += (i == 0 ? 1 : 2) * kernel.back();
  }
  for (double& k : kernel) k /= sum;
  return kernel;
}

}  // namespace

double kernel_bandwidth(std::span<const double> values, const AxisRange& range) {
  const std::vector<double> kept = inside(values, range);
  const auto different = [&] { return std::any_of(kept.begin(), kept.end(), [&](double v) { return v != kept[0]; }); };
  if (!different()) return range.width() / 10;
  const double most = silverman(kept);
  // Rounded values would give each of them its own mode: those that repeat count once, and there is a least bandwidth.
  std::vector<double> sorted = kept;
  std::sort(sorted.begin(), sorted.end());
  const auto unique = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
  const std::optional<double> time = diffusion_time(cosine_powers(kept, range), static_cast<double>(unique));
  const double best = time ? std::clamp(std::sqrt(*time) * range.width(), most / 3, most) : most;
  return std::max(best, range.width() / static_cast<double>(kBins));
}

std::vector<double> kernel_density(std::span<const double> values, const AxisRange& range, Index points) {
  const double bandwidth = kernel_bandwidth(values, range), reach = kReach * bandwidth;
  // In bins much finer than the kernel, beyond the range too: what lies there reaches into it.
  const double bin = bandwidth / 8;
  const auto bins = static_cast<Index>(std::ceil((range.width() + 2 * reach) / bin));
  const AxisRange wide{range.low - reach, range.low - reach + static_cast<double>(bins) * bin};
  const std::vector<double> shares = histogram(values, wide, bins);
  std::vector<double> density(static_cast<std::size_t>(points));
  for (Index i = 0; i < points; ++i) {
    const double at = range.centre(i, points);
    const auto first = std::max<Index>(static_cast<Index>((at - reach - wide.low) / bin), 0);
    const auto last = std::min<Index>(static_cast<Index>((at + reach - wide.low) / bin), bins - 1);
    for (Index b = first; b <= last; ++b)
      if (const double share = shares[static_cast<std::size_t>(b)]; share > 0)
        density[static_cast<std::size_t>(i)] += share * bin * normal_kernel(at - wide.centre(b, bins), bandwidth);
  }
  return density;
}

DensityGrid kernel_density(std::span<const double> x, std::span<const double> y, const AxisRange& x_range,
                           const AxisRange& y_range, Index cells) {
  const auto n = static_cast<double>(cells);
  const auto size = static_cast<std::size_t>(cells * cells);
  const double dx = x_range.width() / n, dy = y_range.width() / n;
  std::vector<double> counts(size), smoothed(size);
  for (std::size_t row = 0; row < x.size(); ++row) {
    const double i = (x[row] - x_range.low) / dx, j = (y[row] - y_range.low) / dy;
    if (i >= 0 && i < n && j >= 0 && j < n)
      counts[static_cast<std::size_t>(static_cast<Index>(i) + cells * static_cast<Index>(j))] +=
          1 / (static_cast<double>(x.size()) * dx * dy);
  }
  const std::vector<double> across = kernel_of_cells(two_dimensional_bandwidth(x, x_range), dx, cells);
  const std::vector<double> along = kernel_of_cells(two_dimensional_bandwidth(y, y_range), dy, cells);
  DensityGrid grid{.axes = {x_range, y_range}, .cells = cells, .density = std::vector<double>(size)};
  const auto at = [&](Index i, Index j) { return static_cast<std::size_t>(i + j * cells); };
  for (Index j = 0; j < cells; ++j)
    for (Index from = 0; from < cells; ++from)
      if (const double count = counts[at(from, j)]; count > 0)
        for (Index i = 0; i < cells; ++i)
          smoothed[at(i, j)] += count * across[static_cast<std::size_t>(std::abs(i - from))];
  for (Index j = 0; j < cells; ++j)
    for (Index from = 0; from < cells; ++from) {
      const double weight = along[static_cast<std::size_t>(std::abs(j - from))];
      for (Index i = 0; i < cells; ++i) grid.density[at(i, j)] += weight * smoothed[at(i, from)];
    }
  return grid;
}

}  // namespace pushforward
