#include "pushforward/special_functions.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "operation_loops.h"
#include "special_scalars.h"

namespace pushforward {

namespace {

/// A function with all its derivatives: `Family::value(order, x)`.
struct LogGamma {
  static constexpr const char* kName = "log_gamma";
  static double value(int order, double x) { return special::log_gamma(order, x); }
};
struct LogGammaCorrection {
  static constexpr const char* kName = "log_gamma_correction";
  static double value(int order, double x) { return special::log_gamma_correction(order, x); }
};
struct LogBesselI0e {
  static constexpr const char* kName = "log_bessel_i0e";
  static double value(int order, double x) { return special::log_bessel_i0e(order, x); }
};

/// Derivative number `order` of the family's function. The next one gives both rules.
template <class Family, class T>
Var<T> derivative(Var<T> x, int order) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  const Block<const T> from = x.value();
  const Block<T> to = y.data();
  for (Index j = 0; j < from.columns; ++j)
    for (Index i = 0; i < from.rows; ++i)
      to(i, j) = static_cast<T>(Family::value(order, static_cast<double>(from(i, j))));
  x.tape().primitive(
      Family::kName, {x}, {y},
      [order](Vjp<T>& v) {
        if (!v.wants(0)) return;
        const Block<const T> at = v.value(0), adjoint = v.adjoint(0);
        const Block<T> gradient = v.gradient(0);
        for (Index j = 0; j < at.columns; ++j)
          for (Index i = 0; i < at.rows; ++i)
            gradient(i, j) += static_cast<T>(static_cast<double>(adjoint(i, j)) *
                                             Family::value(order + 1, static_cast<double>(at(i, j))));
      },
      [order](Jvp<T>& j) { j.set(0, j.tangent(0) * derivative<Family>(j.input(0), order + 1)); });
  return y;
}

}  // namespace

template <class T>
Var<T> log_gamma(Var<T> x) {
  return derivative<LogGamma>(x, 0);
}

template <class T>
Var<T> polygamma(Var<T> x, int order) {
  if (order < 0) throw std::logic_error("polygamma: the order " + std::to_string(order) + " is below 0");
  return derivative<LogGamma>(x, order + 1);
}

template <class T>
Var<T> log_gamma_correction(Var<T> x) {
  return derivative<LogGammaCorrection>(x, 0);
}

template <class T>
Var<T> log_bessel_i0e(Var<T> x) {
  return derivative<LogBesselI0e>(x, 0);
}

namespace {

template <class T>
using B = simd::Batch<T>;

template <class T>
B<T> is_zero_to_one(const B<T>& x) {
  return simd::select(x == B<T>(T(0)), B<T>(T(1)), x);
}

/// |x|^p; 0 where x is.
template <class T>
B<T> abs_power_of(const B<T>& x, const B<T>& p) {
  return simd::exp(p * simd::log(simd::abs(x)));
}

/// Rules of |x|^p, with the cusp at x = 0 taken out: there |x|^p is 0, so a finite number stands for 1/x and log |x|.
template <class T>
B<T> slope_in_x(const B<T>& t, const B<T>& x, const B<T>& p, const B<T>& y) {
  return t * simd::select(x == B<T>(T(0)), B<T>(T(0)), p * y / is_zero_to_one(x));
}
template <class T>
B<T> slope_in_exponent(const B<T>& t, const B<T>& x, const B<T>& y) {
  return t * (y * simd::log(simd::abs(is_zero_to_one(x))));
}

}  // namespace

template <class T>
Var<T> abs_power(Var<T> x, Var<T> exponent) {
  using detail::Spread;
  using detail::Whole;
  const detail::Extents shape = detail::broadcast("abs_power", {x.rows(), x.columns()}, exponent);
  const Var<T> y = x.tape().make(shape.rows, shape.columns);
  detail::map(y.data(), false, abs_power_of<T>, Spread<T>{x.value(), shape.rows, shape.columns},
              Spread<T>{exponent.value(), shape.rows, shape.columns});
  x.tape().primitive(
      "abs_power", {x, exponent}, {y},
      [](Vjp<T>& v) {
        const Whole<T> adjoint{v.adjoint(0)}, result{v.result(0)};
        const Spread<T> at = detail::spread(v, 0), p = detail::spread(v, 1);
        detail::add_gradient(v, 0, slope_in_x<T>, adjoint, at, p, result);
        detail::add_gradient(v, 1, slope_in_exponent<T>, adjoint, at, result);
      },
      [](Jvp<T>& j) {
        const Var<T> at = j.input(0), p = j.input(1), result = j.output(0);
        // 1 in place of 0: there the result, and with it every term, is 0.
        const Var<T> one = at.tape().constant(T(1));
        const Var<T> safe = select(square(sign(at)), at, one);
        Var<T> sum;
        const auto add = [&sum](Var<T> term) { sum = sum ? sum + term : term; };
        if (j.has_tangent(0)) add(j.tangent(0) * (p * result / safe));
        if (j.has_tangent(1)) add(j.tangent(1) * (result * log(abs(safe))));
        j.set(0, sum);
      });
  return y;
}

#define PUSHFORWARD_INSTANTIATE(T)              \
  template Var<T> log_gamma(Var<T>);            \
  template Var<T> polygamma(Var<T>, int);       \
  template Var<T> log_gamma_correction(Var<T>); \
  template Var<T> log_bessel_i0e(Var<T>);       \
  template Var<T> abs_power(Var<T>, Var<T>);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
