// Elementary functions of one operand.
#include <numbers>

#include "operation_loops.h"

namespace pushforward {

namespace {

using detail::add_gradient;
using detail::RowsOnly;
using detail::Whole;

template <class T>
using B = simd::Batch<T>;

// Each rule has the value of f, and its derivative times t: the gradient of the operand if t is the gradient of the
// result, the tangent of the result if t is that of the operand. x is the operand, y the result. The derivative is one
// formula for SIMD batches and for Vars.
namespace rules {

using simd::cos;
using simd::cosh;
using simd::exp;
using simd::sigmoid;
using simd::sin;
using simd::sinh;
using simd::sqrt;

template <class T>
B<T> negative_part(const B<T>& x) {
  return simd::min(B<T>(T(0)), x);
}
template <class T>
Var<T> negative_part(Var<T> x) {
  return minimum(x, x.tape().constant(T(0)));
}
template <class T>
B<T> sign(const B<T>& x) {
  const B<T> zero(T(0)), one(T(1));
  return simd::select(x > zero, one, simd::select(x < zero, -one, x));
}
/// t where x > 0 or x is NaN, else 0.
template <class T>
B<T> where_positive(const B<T>& x, const B<T>& t) {
  return simd::select(x <= B<T>(T(0)), B<T>(T(0)), t);
}
template <class T>
Var<T> where_positive(Var<T> x, Var<T> t) {
  return select(x, t, x.tape().constant(T(0)));
}
/// s = sigmoid(x), y = x s.
template <class V>
V silu_derivative(const V& s, const V& y) {
  return s + y * (1 - s);
}

#define PUSHFORWARD_RULE(TYPE, NAME, VALUE, DERIVATIVE)                                         \
  template <class T>                                                                            \
  struct TYPE {                                                                                 \
    static constexpr const char* kName = #NAME;                                                 \
    static B<T> value(const B<T>& x) { return VALUE; }                                          \
    template <class V>                                                                          \
    static V derivative(const V& t, [[maybe_unused]] const V& x, [[maybe_unused]] const V& y) { \
      return DERIVATIVE;                                                                        \
    }                                                                                           \
  };
// clang-format off
PUSHFORWARD_RULE(Negate, negate, -x, -t)
PUSHFORWARD_RULE(Exp, exp, simd::exp(x), t * y)
PUSHFORWARD_RULE(Log, log, simd::log(x), t / x)
PUSHFORWARD_RULE(Log1p, log1p, simd::log1p(x), t / (x + T(1)))
PUSHFORWARD_RULE(Expm1, expm1, simd::expm1(x), t * (y + T(1)))
PUSHFORWARD_RULE(Tanh, tanh, simd::tanh(x), t * (T(1) - y * y))
PUSHFORWARD_RULE(Sigmoid, sigmoid, simd::sigmoid(x), t * (y * (T(1) - y)))
PUSHFORWARD_RULE(Softplus, softplus, simd::softplus(x), t * sigmoid(x))
PUSHFORWARD_RULE(LogSigmoid, log_sigmoid, -simd::softplus(-x), t * sigmoid(-x))
PUSHFORWARD_RULE(Relu, relu, simd::max(B<T>(T(0)), x), where_positive(y, t))
PUSHFORWARD_RULE(Silu, silu, x * simd::sigmoid(x), t * silu_derivative(sigmoid(x), y))
PUSHFORWARD_RULE(Elu, elu, simd::select(x > B<T>(T(0)), x, simd::expm1(x)), t * (negative_part(y) + T(1)))
PUSHFORWARD_RULE(Sqrt, sqrt, simd::sqrt(x), (t * T(0.5)) / y)
PUSHFORWARD_RULE(Square, square, x * x, (t * x) * T(2))
PUSHFORWARD_RULE(Abs, abs, simd::abs(x), t * sign(x))
PUSHFORWARD_RULE(Reciprocal, reciprocal, B<T>(T(1)) / x, -(t * (y * y)))
PUSHFORWARD_RULE(Sin, sin, simd::sin(x), t * cos(x))
PUSHFORWARD_RULE(Cos, cos, simd::cos(x), -(t * sin(x)))
PUSHFORWARD_RULE(Sinh, sinh, simd::sinh(x), t * cosh(x))
PUSHFORWARD_RULE(Cosh, cosh, simd::cosh(x), t * sinh(x))
PUSHFORWARD_RULE(Asinh, asinh, simd::asinh(x), t / sqrt(x * x + T(1)))
PUSHFORWARD_RULE(Atan, atan, simd::atan(x), t / (x * x + T(1)))
PUSHFORWARD_RULE(Erf, erf, xsimd::erf(x), t * (exp(-(x * x)) * (T(2) * std::numbers::inv_sqrtpi_v<T>)))
// clang-format on
#undef PUSHFORWARD_RULE

/// xsimd reduces the argument of a sine in one of several ways, by the largest of all lanes: padding must not choose.
template <class Rule>
inline constexpr bool kCouplesLanes = false;
template <class T>
inline constexpr bool kCouplesLanes<Sin<T>> = true;
template <class T>
inline constexpr bool kCouplesLanes<Cos<T>> = true;

}  // namespace rules

template <class Rule, class T>
Var<T> unary(Var<T> x) {
  using Operand = std::conditional_t<rules::kCouplesLanes<Rule>, RowsOnly<T>, Whole<T>>;
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  detail::map(y.data(), false, Rule::value, Operand{x.value()});
  x.tape().primitive(
      Rule::kName, {x}, {y},
      [](Vjp<T>& v) {
        add_gradient(v, 0, Rule::template derivative<B<T>>, Operand{v.adjoint(0)}, Operand{v.value(0)},
                     Operand{v.result(0)});
      },
      [](Jvp<T>& j) { j.set(0, Rule::derivative(j.tangent(0), j.input(0), j.output(0))); });
  return y;
}

/// x^exponent, with the exponents that need no logarithm apart.
template <class T>
B<T> power_of(const B<T>& x, T exponent) {
  if (exponent == T(0)) return simd::select(simd::is_nan(x), x, B<T>(T(1)));
  if (exponent == T(1)) return x;
  if (exponent == T(2)) return x * x;
  if (exponent == T(3)) return x * x * x;
  if (exponent == T(0.5)) return simd::sqrt(x);
  return simd::exp(B<T>(exponent) * simd::log(x));
}

}  // namespace

#define PUSHFORWARD_UNARY(TYPE, NAME) \
  template <class T>                  \
  Var<T> NAME(Var<T> x) {             \
    return unary<rules::TYPE<T>>(x);  \
  }
PUSHFORWARD_UNARY(Negate, negate)
PUSHFORWARD_UNARY(Exp, exp)
PUSHFORWARD_UNARY(Log, log)
PUSHFORWARD_UNARY(Log1p, log1p)
PUSHFORWARD_UNARY(Expm1, expm1)
PUSHFORWARD_UNARY(Tanh, tanh)
PUSHFORWARD_UNARY(Sigmoid, sigmoid)
PUSHFORWARD_UNARY(Softplus, softplus)
PUSHFORWARD_UNARY(LogSigmoid, log_sigmoid)
PUSHFORWARD_UNARY(Relu, relu)
PUSHFORWARD_UNARY(Silu, silu)
PUSHFORWARD_UNARY(Elu, elu)
PUSHFORWARD_UNARY(Sqrt, sqrt)
PUSHFORWARD_UNARY(Square, square)
PUSHFORWARD_UNARY(Abs, abs)
PUSHFORWARD_UNARY(Reciprocal, reciprocal)
PUSHFORWARD_UNARY(Sin, sin)
PUSHFORWARD_UNARY(Cos, cos)
PUSHFORWARD_UNARY(Sinh, sinh)
PUSHFORWARD_UNARY(Cosh, cosh)
PUSHFORWARD_UNARY(Asinh, asinh)
PUSHFORWARD_UNARY(Atan, atan)
PUSHFORWARD_UNARY(Erf, erf)
#undef PUSHFORWARD_UNARY

template <class T>
Var<T> sign(Var<T> x) {
  // Constant wherever it has a derivative: nothing to record.
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  detail::map(y.data(), false, rules::sign<T>, Whole<T>{x.value()});
  return y;
}

template <class T>
Var<T> power(Var<T> x, std::type_identity_t<T> exponent) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  detail::map(
      y.data(), false, [exponent](const B<T>& v) { return power_of(v, exponent); }, Whole<T>{x.value()});
  if (exponent == T(0)) return y;  // constant: 0 x^-1 would be no number at zero
  x.tape().primitive(
      "power", {x}, {y},
      [exponent](Vjp<T>& v) {
        const auto derivative = [exponent](const B<T>& g, const B<T>& at) {
          return g * (B<T>(exponent) * power_of(at, exponent - T(1)));
        };
        add_gradient(v, 0, derivative, Whole<T>{v.adjoint(0)}, Whole<T>{v.value(0)});
      },
      [exponent](Jvp<T>& j) { j.set(0, j.tangent(0) * (power(j.input(0), exponent - T(1)) * exponent)); });
  return y;
}

template <class T>
Var<T> leaky_relu(Var<T> x, std::type_identity_t<T> slope) {
  // max(x, slope x): the larger of the two factors applies to positive numbers.
  const T above = std::max(slope, T(1)), below = std::min(slope, T(1));
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  const auto scaled = [above, below](const B<T>& t, const B<T>& at) {
    return t * simd::select(at <= B<T>(T(0)), B<T>(below), B<T>(above));
  };
  detail::map(y.data(), false, scaled, Whole<T>{x.value()}, Whole<T>{x.value()});
  x.tape().primitive(
      "leaky_relu", {x}, {y},
      [scaled](Vjp<T>& v) { add_gradient(v, 0, scaled, Whole<T>{v.adjoint(0)}, Whole<T>{v.value(0)}); },
      [above, below](Jvp<T>& j) {
        const Var<T> t = j.tangent(0);
        j.set(0, select(j.input(0), t * above, t * below));
      });
  return y;
}

#define X(NAME)                         \
  template Var<float> NAME(Var<float>); \
  template Var<double> NAME(Var<double>);
PUSHFORWARD_UNARY_LIST(X)
#undef X
#define PUSHFORWARD_INSTANTIATE(T)  \
  template Var<T> power(Var<T>, T); \
  template Var<T> leaky_relu(Var<T>, T);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
