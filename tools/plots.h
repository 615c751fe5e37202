// The folder `plots/` of a run: for each picture the PNG, the SVG, the gnuplot script that drew it and the data that it
// read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "console.h"
#include "pictures/model_numbers.h"

namespace pushforward {

/// What became of the pictures.
struct DrawnPlots {
  std::filesystem::path folder;
  std::vector<std::string> drawn;  // names of the pictures
  std::vector<std::string> files;  // their names with each format
};

/// Writes scripts and data into `plots/` in a run's folder and draws them. Each file is whole or as it was. What
/// carries one of the pictures' names is replaced, except a script that somebody changed: it is kept, with a note, and
/// drawn. A missing gnuplot is a note with the remedy; a picture that fails is a warning. `names`: those pictures
/// alone; empty: all that the numbers give. Throws FileError if a file cannot be written, DataError for a name that no
/// picture of the run has.
DrawnPlots draw_plots(const std::filesystem::path& run, const PictureNumbers& numbers, Console& console,
                      const std::vector<std::string>& names = {});

}  // namespace pushforward
