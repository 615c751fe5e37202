// Dense products through the system's BLAS (one thread), and the one order in which the toolkit adds numbers.
#pragma once

#include "pushforward/block.h"

namespace pushforward {

/// C = op(A) * op(B) + beta * C. Plugins call this rather than their own copy of a product.
template <class T>
PUSHFORWARD_EXPORT void gemm(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c);

/// Sum of n contiguous numbers, in double, in one order whatever their alignment.
template <class T>
PUSHFORWARD_EXPORT double sum_in_order(const T* x, Index n);
/// Sum of x[i] * y[i], the same way.
template <class T>
PUSHFORWARD_EXPORT double dot_in_order(const T* x, const T* y, Index n);

}  // namespace pushforward
