// The parts of a flow on their own: the map between events and their base points, and the base.
#pragma once

#include "pushforward/engine.h"

namespace pushforward {

enum class Direction : std::uint8_t {
  forward,  ///< generative: points of the base to events
  inverse,  ///< normalizing: events to points of the base
};

/// Elements of the points that the model's flow starts from; of a flow on a flow, those of the innermost base. Throws
/// SpecError naming the model if it is no flow.
template <class T>
Index base_size(const Distribution<T>& model);

/// The distribution that samples of a model start from: of a flow on a flow, the innermost base; of a model that is no
/// flow, the model itself.
template <class T>
const Distribution<T>& innermost_base(const Distribution<T>& model);
/// The pass that this distribution is to be called with, given the model's own.
template <class T>
const Pass<T>& base_pass(const Distribution<T>& model, const Pass<T>& pass);
/// What the maps of a model's flow can do together: of each trait the worst. Those of the identity if it is no flow.
template <class T>
Traits map_traits(const Distribution<T>& model);

/// Maps every row of `points` (N x D; the context, if the model has one, N x C) through the model's flow, in
/// Mode::evaluate, and fills `log_det`, unless it is empty, with the rows' log abs det of that direction, in nats. Rows
/// outside of what the map is defined for become NaN. Throws SpecError if the model is no flow or has no such
/// direction.
template <class T>
Matrix<T> map_through_flow(Engine<T>& engine, Direction direction, Block<const T> points, Block<const T> context,
                           std::span<double> log_det);

}  // namespace pushforward
