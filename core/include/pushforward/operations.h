// The tape's operations: free functions on Var. Each has a vjp and a jvp rule.
//
// Binary arithmetic broadcasts: each extent of the operands is equal or 1. Every function throws ShapeError, with both
// shapes, before writing anything. A NaN stays in its row, and is not lost on the way: the maximum of a NaN and a number
// is a NaN. Where a function has a kink, its derivative is that of its left side: 0 for relu and abs at 0, the slope for
// leaky_relu; of two equal operands, maximum and minimum choose the first.
#pragma once

#include "pushforward/tape.h"

namespace pushforward {

#define PUSHFORWARD_BINARY_LIST(X) X(add) X(subtract) X(multiply) X(divide) X(maximum) X(minimum)
#define PUSHFORWARD_UNARY_LIST(X)                                                                                    \
  X(negate) X(exp) X(log) X(log1p) X(expm1) X(tanh) X(sigmoid) X(softplus) X(log_sigmoid) X(relu) X(silu) X(elu)     \
  X(sqrt) X(square) X(abs) X(reciprocal) X(sin) X(cos) X(sinh) X(cosh) X(asinh) X(atan) X(erf) X(sign)

#define X(NAME)                                \
  template <class T>                           \
  PUSHFORWARD_EXPORT Var<T> NAME(Var<T> a, Var<T> b);
PUSHFORWARD_BINARY_LIST(X)
#undef X
#define X(NAME)      \
  template <class T> \
  PUSHFORWARD_EXPORT Var<T> NAME(Var<T> x);
PUSHFORWARD_UNARY_LIST(X)
#undef X

/// factor * x + offset
template <class T>
PUSHFORWARD_EXPORT Var<T> scale_shift(Var<T> x, std::type_identity_t<T> factor, std::type_identity_t<T> offset);
/// x^exponent for x >= 0 (any x for the exponents 0, 1, 2, 3). But for these and 1/2, the relative error is that of
/// rounding the logarithm: |exponent * log x| ulp.
template <class T>
PUSHFORWARD_EXPORT Var<T> power(Var<T> x, std::type_identity_t<T> exponent);
/// max(x, slope * x)
template <class T>
PUSHFORWARD_EXPORT Var<T> leaky_relu(Var<T> x, std::type_identity_t<T> slope);
/// condition > 0 ? a : b, NaN where the condition is; no gradient through the condition. Broadcasts like arithmetic.
template <class T>
PUSHFORWARD_EXPORT Var<T> select(Var<T> condition, Var<T> a, Var<T> b);
/// The value, with no gradient behind it.
template <class T>
PUSHFORWARD_EXPORT Var<T> stop_gradient(Var<T> x);

// --- columns -----------------------------------------------------------------------------------------------------
/// Columns first..first+count: a view, free.
template <class T>
PUSHFORWARD_EXPORT Var<T> columns(Var<T> x, Index first, Index count);
/// Blocks side by side. All have the same rows.
template <class T>
PUSHFORWARD_EXPORT Var<T> concatenate(std::span<const Var<T>> parts);
template <class T>
Var<T> concatenate(std::initializer_list<Var<T>> parts) {
  return concatenate(std::span<const Var<T>>(parts.begin(), parts.size()));
}
/// Column j of the result is column indices[j] of x; an index may repeat or be missing. `indices` must outlive the
/// tape's contents (components hold theirs).
template <class T>
PUSHFORWARD_EXPORT Var<T> permute(Var<T> x, std::span<const Index> indices);
/// One row repeated to `rows` rows.
template <class T>
PUSHFORWARD_EXPORT Var<T> repeat_rows(Var<T> x, Index rows);
/// The same numbers, read column by column, as rows x columns: for what all rows share, a row or a parameter.
template <class T>
PUSHFORWARD_EXPORT Var<T> reshape(Var<T> x, Index rows, Index columns);
template <class T>
PUSHFORWARD_EXPORT Var<T> transpose(Var<T> x);

// --- reductions (accumulated in double) ----------------------------------------------------------------------------
/// N x K to N x 1.
template <class T>
PUSHFORWARD_EXPORT Var<T> row_sum(Var<T> x);
/// N x K to 1 x K.
template <class T>
PUSHFORWARD_EXPORT Var<T> column_sum(Var<T> x);
/// To 1 x 1.
template <class T>
PUSHFORWARD_EXPORT Var<T> sum(Var<T> x);
/// N x K to N x 1: log sum_k exp(x_k). Of a row of -inf it is -inf, with a gradient of zero.
template <class T>
PUSHFORWARD_EXPORT Var<T> log_sum_exp(Var<T> x);
/// Softmax over each group of `group` neighbouring columns (0: over all).
template <class T>
PUSHFORWARD_EXPORT Var<T> softmax(Var<T> x, Index group = 0);
/// Running sums over each group of `group` neighbouring columns (0: over all).
template <class T>
PUSHFORWARD_EXPORT Var<T> cumulative_sum(Var<T> x, Index group = 0);

// --- linear algebra --------------------------------------------------------------------------------------------------
/// op(a) * op(b).
template <class T>
PUSHFORWARD_EXPORT Var<T> matmul(Var<T> a, Var<T> b, bool transpose_a = false, bool transpose_b = false);
enum class Activation : std::uint8_t { none, relu, tanh, sigmoid, silu, softplus, elu, leaky_relu };
/// Of Activation::leaky_relu.
inline constexpr double kLeakyReluSlope = 0.01;
/// activation(x * w + bias): x N x I, w I x O, bias 1 x O or none. One fused node.
template <class T>
PUSHFORWARD_EXPORT Var<T> dense(Var<T> x, Var<T> w, Var<T> bias, Activation activation);
enum class Triangle : std::uint8_t { lower, upper };
/// Solves op(t) * X = b for a K x K triangular t (the other triangle is not read), K x M.
template <class T>
PUSHFORWARD_EXPORT Var<T> triangular_solve(Var<T> t, Var<T> b, Triangle triangle, bool unit_diagonal = false,
                                           bool transposed = false);
/// log |det a| of a square matrix, 1 x 1, by LU; -inf if a is singular, with a gradient that is not finite.
template <class T>
PUSHFORWARD_EXPORT Var<T> log_abs_det(Var<T> a);

// --- operators -------------------------------------------------------------------------------------------------------
template <class T>
Var<T> operator+(Var<T> a, Var<T> b) { return add(a, b); }
template <class T>
Var<T> operator-(Var<T> a, Var<T> b) { return subtract(a, b); }
template <class T>
Var<T> operator*(Var<T> a, Var<T> b) { return multiply(a, b); }
template <class T>
Var<T> operator/(Var<T> a, Var<T> b) { return divide(a, b); }
template <class T>
Var<T> operator-(Var<T> a) { return negate(a); }
template <class T>
Var<T> operator+(Var<T> a, std::type_identity_t<T> b) { return scale_shift(a, T(1), b); }
template <class T>
Var<T> operator+(std::type_identity_t<T> b, Var<T> a) { return scale_shift(a, T(1), b); }
template <class T>
Var<T> operator-(Var<T> a, std::type_identity_t<T> b) { return scale_shift(a, T(1), -b); }
template <class T>
Var<T> operator-(std::type_identity_t<T> b, Var<T> a) { return scale_shift(a, T(-1), b); }
template <class T>
Var<T> operator*(Var<T> a, std::type_identity_t<T> b) { return scale_shift(a, b, T(0)); }
template <class T>
Var<T> operator*(std::type_identity_t<T> b, Var<T> a) { return scale_shift(a, b, T(0)); }
template <class T>
Var<T> operator/(Var<T> a, std::type_identity_t<T> b) { return scale_shift(a, T(1) / b, T(0)); }

}  // namespace pushforward
