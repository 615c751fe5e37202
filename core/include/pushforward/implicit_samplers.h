// Samplers with implicit gradients: the quantile of a keyed uniform number, differentiated with respect to the
// distribution's parameters.
//
// With F(y; a) = u the gradient is dy/da = -(dF/da) / (dF/dy) (Figurnov, Mohamed and Mnih, "Implicit reparameterization
// gradients", 2018), which needs no derivative of the algorithm that found y. A sample takes one uniform number of 53
// bits, so it is a continuous function of the parameters and the same on every machine and shard. Second derivatives
// are not there: `tangent` through a sampler is an error that names it.
#pragma once

#include "pushforward/random.h"
#include "pushforward/tape.h"

namespace pushforward {

/// log g, rows x D, where g has the Gamma distribution with density g^(a-1) exp(-g) / Gamma(a); `concentration` a is
/// 1 x D or rows x D. As a logarithm because g itself underflows for small a: half of all samples lie below 1e-30 for
/// a = 0.01. Where a is not positive and finite the result is NaN.
template <class T>
PUSHFORWARD_EXPORT Var<T> log_gamma_sample(Var<T> concentration, Index rows, const Draws& draws);

/// An angle in [-pi, pi], rows x D, with density exp(k cos x) / (2 pi I0(k)); `concentration` k is 1 x D or rows x D.
/// Where k is negative or not finite the result is NaN.
template <class T>
PUSHFORWARD_EXPORT Var<T> von_mises_sample(Var<T> concentration, Index rows, const Draws& draws);

}  // namespace pushforward
