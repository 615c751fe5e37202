// Products of matrices in registers, for shards: no more rows than a second-level cache holds beside a layer's weights.
#pragma once

#include "pushforward/block.h"

namespace pushforward {

/// True if `multiply` is faster than a BLAS. Follows from the build and the shapes alone, so the bits do, too.
bool multiplies_faster(Index rows, Index inner, Index columns);

/// C = op(A) op(B) + beta C. C is not read if beta is 0; the inner extent is not 0. Row i of C depends on row i of
/// op(A) alone, and on nothing else of A's rows, not even by rounding.
template <class T>
void multiply(bool transpose_a, bool transpose_b, Block<const T> a, Block<const T> b, T beta, Block<T> c);

}  // namespace pushforward
