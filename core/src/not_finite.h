// Where numbers of a training left the finite ones, in words.
#pragma once

#include <span>
#include <string>

#include "pushforward/values.h"

namespace pushforward {

/// Whose gradient is not finite: `the gradient of model.a is`, or of several, in the order of the layout,
/// `the gradients of 3 of 7 sets of parameters, from model.a to model.c, are`. One NaN spoils the gradients of all
/// components that the computation goes on to, so one end of them is near to its origin. Empty if all are finite.
template <class T>
std::string gradients_not_finite(const Layout& layout, std::span<const T> gradient);

extern template std::string gradients_not_finite<float>(const Layout&, std::span<const float>);
extern template std::string gradients_not_finite<double>(const Layout&, std::span<const double>);

}  // namespace pushforward
