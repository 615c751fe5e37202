// The plane of a flow's base, seen through the flow.
#pragma once

#include "pictures/pictures.h"
#include "pushforward/registry/experiment.h"

namespace pushforward {

/// A grid, contours of the base's density and draws of it, mapped forward, through all flows that lie in one another.
/// None unless the model is a flow of two elements from a base of two, without context, that maps forward and draws
/// nothing on the way. `data` maps to the user's units; it may be none.
template <class T>
std::optional<Warp> warp_of(Engine<T>& engine, const DataPipeline<T>* data);

}  // namespace pushforward
