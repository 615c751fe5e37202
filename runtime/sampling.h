// Samples of a model as a table in the user's units.
#pragma once

#include "pushforward/registry/experiment.h"

namespace pushforward {

/// The step that keys the draws of samples: beyond every training step, so that a model is never sampled with the
/// numbers that it was trained with.
inline constexpr std::uint32_t kSampleStep = 0xfffffffe;

/// Rows of a model as a table; without names its columns are `x0`, `x1`, ...
template <class T>
Table table_of(Block<const T> rows, const std::vector<std::string>& names);

/// `n` samples; sample i has the context of row `i * rows / n` (rows must divide n), or none. `data` maps to the user's
/// units and names the columns; without it the samples are as the model gives them. Throws SpecError if the model
/// cannot be sampled.
template <class T>
Table draw_samples(Engine<T>& engine, const DataPipeline<T>* data, Index n, Block<const T> context);

}  // namespace pushforward
