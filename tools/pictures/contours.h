// Contours: lines of equal density on a grid.
#pragma once

#include <array>

#include "pictures/plot_numbers.h"

namespace pushforward {

using Polyline = std::vector<std::array<double, 2>>;

/// Lines along which a density, linear between the cells' centres, has a level: marching squares. Closed lines end
/// where they begin; those that leave the grid end on its border.
std::vector<Polyline> contour_lines(const DensityGrid& grid, double level);

/// The level above which lies that share of the grid's mass: the border of the smallest region that holds it.
double level_of_mass(const DensityGrid& grid, double share);

}  // namespace pushforward
