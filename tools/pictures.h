// Pictures of a run: gnuplot scripts and the numbers that they read, made from what the run came to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plot_numbers.h"

namespace pushforward {

/// The model's density over a grid of one or two axes, in data units.
struct DensityGrid {
  std::vector<AxisRange> axes;
  Index cells = 0;              // along each axis
  std::vector<double> density;  // at the cells' centres, the first axis fastest; 0 outside the support
};

/// What the pictures of one run show; what is not there is not shown. Rows are in the user's units.
struct PictureNumbers {
  Table losses;                  // columns step, loss, validation_loss
  std::optional<Table> data;     // training rows, or so many of them as a picture can show
  std::optional<Table> samples;  // of the model, the same columns
  std::optional<DensityGrid> density;
};

struct TextFile {
  std::string name;  // in the folder of the pictures
  std::string text;
};

/// One picture, `<name>.png`, drawn by `<name>.gp`.
struct Picture {
  std::string name;
  std::string script;
  std::vector<TextFile> data;  // pictures may read the same file
};

/// How many elements `marginals` shows.
inline constexpr Index kMostMarginals = 8;

/// The pictures that these numbers give: `loss`; with events of two elements `density` and `samples`; with one element
/// `density`, or `marginals` where there is no density; with more `marginals`.
std::vector<Picture> make_pictures(const PictureNumbers& numbers);

}  // namespace pushforward
