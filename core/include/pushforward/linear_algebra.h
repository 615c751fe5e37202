// Dense products on one thread, and the one order in which the toolkit adds numbers.
#pragma once

#include "pushforward/block.h"

namespace pushforward {

/// C = op(A) * op(B) + beta * C; C is not read if beta is 0, and shares no memory with A or B. Built for AVX-512, by
/// kernels of core; else by the system's BLAS, except for thin factors. Plugins call this rather than compile a product
/// of their own.
template <class T>
PUSHFORWARD_EXPORT void gemm(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c);

/// Sum of n contiguous numbers, in double, in one order whatever their alignment.
template <class T>
PUSHFORWARD_EXPORT double sum_in_order(const T* x, Index n);
/// Sum of x[i] * y[i], the same way.
template <class T>
PUSHFORWARD_EXPORT double dot_in_order(const T* x, const T* y, Index n);

}  // namespace pushforward
