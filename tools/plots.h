// The folder `plots/` of a run: for each picture the PNG, the gnuplot script that drew it and the data that it read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "console.h"
#include "pictures.h"
#include "pushforward/registry/experiment.h"

namespace pushforward {

/// What the pictures show, from a model that is ready to be evaluated (Engine::prepare). `data` and `train` may be
/// none; a conditional model is sampled at the training rows' contexts, and not at all without them. Throws what
/// evaluating and sampling throw, and DataError if metrics.csv is none.
template <class T>
PictureNumbers picture_numbers(Engine<T>& engine, const DataPipeline<T>* data, const Split<T>* train,
                               const std::filesystem::path& run);

/// What became of the pictures.
struct DrawnPlots {
  std::filesystem::path folder;
  std::vector<std::string> drawn;  // names of the PNG files
};

/// Writes scripts and data into `plots/` in a run's folder and draws them. Each file is whole or as it was. What
/// carries one of the pictures' names is replaced, except a script that somebody changed: it is kept, with a note, and
/// drawn. A missing gnuplot is a note with the remedy; a picture that fails is a warning. Throws FileError if a file
/// cannot be written.
DrawnPlots draw_plots(const std::filesystem::path& run, const PictureNumbers& numbers, Console& console);

}  // namespace pushforward
