// What pictures show of a model: samples, its density, its base's plane.
#pragma once

#include <filesystem>

#include "pictures/pictures.h"
#include "pushforward/registry/experiment.h"

namespace pushforward {

/// What the pictures show, from a model that is ready to be evaluated (Engine::prepare). `data` and `train` may be
/// none; a conditional model is sampled at the training rows' contexts, and not at all without them. Throws what
/// evaluating and sampling throw, and DataError if metrics.csv is none.
template <class T>
PictureNumbers picture_numbers(Engine<T>& engine, const DataPipeline<T>* data, const Split<T>* train,
                               const std::filesystem::path& run);

}  // namespace pushforward
