// Kernel density estimates: smooth curves through histograms of rows.
#pragma once

#include "pictures/plot_numbers.h"

namespace pushforward {

/// The bandwidth of a Gaussian kernel for values in a range, by the improved Sheather-Jones rule, which takes no normal
/// density for granted and so keeps several modes apart: Botev, Grotowski & Kroese, "Kernel density estimation via
/// diffusion", Annals of Statistics 38 (2010). Never above Silverman's rule, nor far below it, where values repeat.
/// Values outside of the range, and NaN, are left out; with fewer than two different ones it is a tenth of the range.
double kernel_bandwidth(std::span<const double> values, const AxisRange& range);

/// The density of values at the centres of `points` equal cells of a range. Values outside of the range count in their
/// number, so a curve never promises more than there is.
std::vector<double> kernel_density(std::span<const double> values, const AxisRange& range, Index points);

/// The same for pairs, at the centres of cells x cells cells, the first axis fastest.
DensityGrid kernel_density(std::span<const double> x, std::span<const double> y, const AxisRange& x_range,
                           const AxisRange& y_range, Index cells);

}  // namespace pushforward
