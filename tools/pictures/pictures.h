// Pictures of a run: gnuplot scripts and the numbers that they read, made from what the run came to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pictures/contours.h"
#include "pictures/plot_numbers.h"

namespace pushforward {

/// A point or a line of the base's events, and what the flow's forward map makes of it in the user's units.
struct WarpedLine {
  Polyline base, data;  // as long as each other; NaN where there is no value
};

/// The plane of a flow's base and what becomes of it.
struct Warp {
  std::vector<WarpedLine> upright, level;  // lines of a regular grid: first element constant, second constant
  std::vector<WarpedLine> contours;        // around these shares of the base's mass
  std::vector<double> contour_shares;
  WarpedLine draws;  // of the base: points
};

/// What the pictures of one run show; what is not there is not shown. Rows are in the user's units.
struct PictureNumbers {
  Table losses;                                   // columns step, loss, validation_loss
  std::optional<Table> data;                      // training rows, or so many of them as a picture can use
  std::optional<Table> samples;                   // of the model, the same columns, at least as many
  std::vector<int> data_classes, sample_classes;  // of a model with one class in its context: each row's; else empty
  std::string class_name;                         // of the column
  std::optional<DensityGrid> density;             // the model's, in data units; 0 outside the support
  std::optional<Warp> warp;
};

struct TextFile {
  std::string name;  // in the folder of the pictures
  std::string text;
};

/// One picture, `<name>.png` and `<name>.svg`, drawn by `<name>.gp`.
struct Picture {
  std::string name;
  std::string script;
  std::vector<TextFile> data;  // pictures may read the same file
};

/// How many elements `marginals` and `corner` show: those whose marginals fit worst.
inline constexpr Index kMostMarginals = 16;
inline constexpr Index kMostInCorner = 6;

/// The pictures that these numbers give, those of the data first:
///
/// | `data`           | two elements, or one: the training rows                                                   |
/// | `data_marginals` | up to two elements: histogram and kernel density of each                                  |
/// | `loss`           | training and validation                                                                   |
/// | `samples`        | two elements: training rows, samples, and both                                            |
/// | `marginals`      | each element's density, of data and model                                                 |
/// | `density`        | two elements: the model's, with the data on it                                            |
/// | `warp`           | a flow of two elements: grid and contours of the base, and what the flow makes of them    |
/// | `corner`         | three elements and more: pairs of them, data and model                                    |
std::vector<Picture> make_pictures(const PictureNumbers& numbers);

}  // namespace pushforward
