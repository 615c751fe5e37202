// FixedMap: a transformer without parameters, from the formulas of a map and of its inverse.
//
//   template <class T>
//   struct Exponential : FixedFormula {
//     using B = simd::Batch<T>;
//     B map(const B& x) const { return simd::exp(x); }
//     template <class V>
//     V log_slope(const V& x) const { return x; }
//     B map_inverse(const B& y) const { return simd::log(y); }
//     template <class V>
//     V inverse_log_slope(const V& y) const { return -simd::log(y); }
//     Support codomain() const { return {.lower = 0}; }
//   };
//   template <class T>
//   using Exp = FixedMap<Exponential, T>;
//   template <class T>
//   using Log = InverseOf<Exponential, T>;
//
// log_slope is log |f'(x)|, inverse_log_slope log of the inverse's slope at y, each in terms of its own argument: so
// both can be written without cancellation, and stay finite where the slope itself underflows. From them follow values,
// log_dets, gradients (the slope is the exponential of its logarithm) and tangents. Outside of the domain one of the
// two must be NaN: then both are. A KernelTransformer without parameters would take log |f'| of a computed f', and ten
// times as long to compile.
#pragma once

#include <concepts>

#include "pushforward/build.h"
#include "pushforward/kernel_loops.h"
#include "pushforward/operations.h"

namespace pushforward {

/// What a formula may leave as it is. A formula with fields reads them in a constructor from Build<T>&.
struct FixedFormula {
  bool increasing() const { return true; }
  /// Of the map; the inverse goes from the codomain to the domain. Ends belong to them as limits only.
  Support domain() const { return {}; }
  Support codomain() const { return {}; }
  /// Traits::forward_range and Traits::inverse_range, true of both precisions.
  double range() const { return 0; }
  double inverse_range() const { return 0; }
};

template <template <class> class Formula, class T>
class FixedMap : public Transformer<T> {
  using B = simd::Batch<T>;

 public:
  explicit FixedMap(Build<T>& build) : FixedMap(build, false) {}

  Index parameters() const final { return 0; }
  void identity(std::span<T>) const final {}
  Mapped<T> evaluate(Var<T> x, const Theta<T>& theta, const Pass<T>&) const final { return apply(x, theta, swapped_); }
  Mapped<T> invert(Var<T> y, const Theta<T>& theta, const Pass<T>&) const final { return apply(y, theta, !swapped_); }

  Support domain() const final { return swapped_ ? formula_.codomain() : formula_.domain(); }
  Support codomain() const final { return swapped_ ? formula_.domain() : formula_.codomain(); }
  Traits traits() const final {
    Traits t = Transformer<T>::traits();
    t.increasing = formula_.increasing();
    t.forward_range = formula_.range();
    t.inverse_range = formula_.inverse_range();
    return swapped_ ? reversed(t) : t;
  }

 protected:
  FixedMap(Build<T>& build, bool swapped) : formula_(make(build)), swapped_(swapped) {}

 private:
  static Formula<T> make(Build<T>& build) {
    if constexpr (std::constructible_from<Formula<T>, Build<T>&>)
      return Formula<T>(build);
    else
      return {};
  }

  template <class V>
  V log_slope(const V& at, bool inverse) const {
    return inverse ? formula_.inverse_log_slope(at) : formula_.log_slope(at);
  }
  B slope(const B& log_slope) const { return formula_.increasing() ? simd::exp(log_slope) : -simd::exp(log_slope); }

  Mapped<T> apply(Var<T> x, const Theta<T>& theta, bool inverse) const {
    if (theta.values && theta.values.columns() != 0)
      throw ShapeError("transformer: a fixed map has 0 parameters, but theta has " +
                       std::to_string(theta.values.columns()) + " columns");
    Tape<T>& tape = x.tape();
    const Mapped<T> out{tape.make(x.rows(), x.columns()), tape.make(x.rows(), 1)};
    const B nan(std::numeric_limits<T>::quiet_NaN());
    map_rows(x.value(), out.value.data(), out.log_det.data(), [&](Index) {
      return [&](Index, Index, const B& at, B& y, B& log) {
        y = inverse ? formula_.map_inverse(at) : formula_.map(at);
        log = log_slope(at, inverse);
        // Outside of the domain one of the formulas may still give a number.
        const simd::Mask<T> none = simd::is_nan(y) | simd::is_nan(log);
        y = simd::select(none, nan, y);
        log = simd::select(none, nan, log);
      };
    });
    const FixedMap* self = this;
    tape.primitive(
        inverse ? "fixed_map.invert" : "fixed_map.evaluate", {x}, {out.value, out.log_det},
        [self, inverse](Vjp<T>& v) { self->adjoint(v, inverse); },
        [self, inverse](Jvp<T>& j) {
          if (!j.has_tangent(0)) return;
          const Slopes s = self->slopes(j.input(0), inverse);
          j.set(0, s.slope * j.tangent(0));
          j.set(1, row_sum(s.bend * j.tangent(0)));
        });
    return out;
  }

  /// Every element of x, with its place: kernel(element, column, first row, rows from there).
  template <class Kernel>
  static void for_elements(Block<const T> x, Kernel&& kernel) {
    for (Index j = 0; j < x.columns; ++j)
      for (Index i = 0; i < x.rows; i += simd::kLanes<T>)
        kernel(simd::load(x.column(j) + i, x.rows - i), j, i, x.rows - i);
  }

  void adjoint(Vjp<T>& v, bool inverse) const {
    const Gradient<T> gradient(v, 0, true);
    if (!gradient.wanted()) return;
    const Block<const T> g_value = v.adjoint(0), g_log_det = v.adjoint(1);
    for_elements(v.value(0), [&](const B& at, Index j, Index i, Index lanes) {
      const auto log = log_slope(simd::Dual<B>::variable(at), inverse);
      const B g = simd::load(g_value.column(j) + i, lanes), gl = simd::load(g_log_det.data + i, lanes);
      gradient.add(g * slope(log.value) + gl * log.d[0], j, i, lanes);
    });
  }

  /// Of one direction, N x d each: the slope, and the derivative of its logarithm.
  struct Slopes {
    Var<T> slope, bend;
  };
  Slopes slopes(Var<T> x, bool inverse) const {
    Tape<T>& tape = x.tape();
    const Slopes out{tape.make(x.rows(), x.columns()), tape.make(x.rows(), x.columns())};
    for_elements(x.value(), [&](const B& at, Index j, Index i, Index lanes) {
      const auto log = log_slope(simd::Dual<B>::variable(at), inverse);
      simd::store(out.slope.data().column(j) + i, slope(log.value), lanes);
      simd::store(out.bend.data().column(j) + i, log.d[0], lanes);
    });
    const FixedMap* self = this;
    tape.primitive(
        "fixed_map.slopes", {x}, {out.slope, out.bend},
        [self, inverse](Vjp<T>& v) {
          using D = simd::Dual<B>;
          const Gradient<T> gradient(v, 0, true);
          if (!gradient.wanted()) return;
          const Block<const T> g_slope = v.adjoint(0), g_bend = v.adjoint(1);
          for_elements(v.value(0), [&](const B& at, Index j, Index i, Index lanes) {
            const auto log = self->log_slope(simd::Dual<D>(D::variable(at), D(B(T(1)))), inverse);
            const B g = simd::load(g_slope.column(j) + i, lanes), gb = simd::load(g_bend.column(j) + i, lanes);
            const B& bend = log.d[0].value;
            gradient.add(g * self->slope(log.value.value) * bend + gb * log.d[0].d[0], j, i, lanes);
          });
        },
        no_tangent);
    return out;
  }

  Formula<T> formula_;
  bool swapped_;
};

/// The same formula's inverse as the map.
template <template <class> class Formula, class T>
class InverseOf final : public FixedMap<Formula, T> {
 public:
  explicit InverseOf(Build<T>& build) : FixedMap<Formula, T>(build, true) {}
};

}  // namespace pushforward
