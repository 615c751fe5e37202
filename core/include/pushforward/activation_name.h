// The names that networks' specs give to activations.
#pragma once

#include <string_view>

#include "pushforward/operations.h"

namespace pushforward {

/// By a name that a field of kind `choice` let through: relu, tanh, sigmoid, silu, softplus, elu, leaky_relu.
inline Activation activation_of(std::string_view name) {
  if (name == "relu") return Activation::relu;
  if (name == "tanh") return Activation::tanh;
  if (name == "sigmoid") return Activation::sigmoid;
  if (name == "silu") return Activation::silu;
  if (name == "softplus") return Activation::softplus;
  if (name == "elu") return Activation::elu;
  return Activation::leaky_relu;
}

}  // namespace pushforward
