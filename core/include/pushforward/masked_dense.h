// Masked dense layers: a product with a weight matrix most of whose zeros lie in blocks, which are not multiplied.
//
// Units of a masked network (Germain et al., "MADE", 2015) are stored by degree, so that what a unit sees is a run of
// neighbours in the layer before; the weights are block triangular, and half of the product is zero.
#pragma once

#include <span>
#include <vector>

#include "pushforward/operations.h"

namespace pushforward {

/// Some neighbouring outputs, and the run of inputs outside of which all their weights are zero.
struct MaskBlock {
  Index first_output = 0, outputs = 0;
  Index first_input = 0, inputs = 0;
};

/// 1 where output o sees input i, `input_degrees[i] <= output_degrees[o]`, else 0; column-major, inputs x outputs.
template <class T>
PUSHFORWARD_EXPORT std::vector<T> degree_mask(std::span<const Index> input_degrees,
                                              std::span<const Index> output_degrees);
/// Blocks that cover this mask, in the order of the outputs, of about `width` outputs: fewer make longer runs that are
/// cut closer to the mask, and thinner products.
PUSHFORWARD_EXPORT std::vector<MaskBlock> degree_blocks(std::span<const Index> input_degrees,
                                                        std::span<const Index> output_degrees, Index width);

/// activation(x * w + bias), as `dense`, where w is zero outside of the blocks, which cover all outputs and outlive the
/// tape's contents. The gradient of w outside of the blocks is exactly zero.
template <class T>
PUSHFORWARD_EXPORT Var<T> masked_dense(Var<T> x, Var<T> w, Var<T> bias, Activation activation,
                                       std::span<const MaskBlock> blocks);

/// The same on memory, without a tape: y = activation(x * w + bias), all of it overwritten. x may have no columns.
template <class T>
PUSHFORWARD_EXPORT void dense_values(Block<const T> x, Block<const T> w, Block<const T> bias, Activation activation,
                                     Block<T> y);
/// g becomes the gradient before the activation whose result is y. Not for Activation::silu, whose derivative is no
/// function of its result: throws std::logic_error.
template <class T>
PUSHFORWARD_EXPORT void activation_gradient(Activation activation, Block<const T> y, Block<T> g);

}  // namespace pushforward
