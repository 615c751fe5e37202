// KernelTransformer: a transformer from its mathematics alone.
//
//   template <class T>
//   class SinhArcsinh : public KernelTransformer<SinhArcsinh<T>, T> {
//    public:
//     static constexpr int kParameters = 2;
//     template <class V, class W>
//     V map(const V& x, const W* theta) const {
//       return simd::sinh(simd::asinh(x) * simd::exp(theta[1]) - theta[0]);
//     }
//     void identity(std::span<T> theta) const override { ... }
//   };
//
// The formula is instantiated, in the author's own library, with SIMD batches over rows for values; for gradients with
// nested duals while P is at most kNestedDuals, else in reverse mode on a small stack of batches; and once more for
// tangents, through which reverse mode runs (traces, score matching). The toolkit chooses, not the author. From it
// follow evaluate and invert, log_det = log |f'|, gradients of both directions (of the inverse by the implicit function
// theorem), and, without a closed form, a safeguarded bracketing inverse.
//
// Optional members of Derived, found by their names:
//   V map_inverse(const V& y, const W* theta) const    closed inverse, instantiated for batches only
//   V log_slope(const V& x, const W* theta) const      log |f'(x)|, where that of a computed f' would lose digits or
//                                                      underflow; log_det and its gradients then come from it
//   void constrain(const W* raw, W* theta) const       per row, or once a step if theta is shared; then map sees its
//   static constexpr int kPrepared  or  prepared()     result of Q numbers
// A family with a run-time P leaves kParameters out and overrides parameters().
//
// Faster hand-written code may replace any of the four virtual functions at the end of the class.
#pragma once

#include <array>

#include "pushforward/kernel_loops.h"
#include "pushforward/kernel_scalars.h"
#include "pushforward/operations.h"
#include "pushforward/transformer.h"

namespace pushforward {

/// Parameters up to which gradients are computed by nested duals.
inline constexpr int kNestedDuals = 8;

template <class Derived, class T>
class KernelTransformer : public Transformer<T> {
  using B = simd::Batch<T>;

 public:
  Index parameters() const override {
    if constexpr (requires { Derived::kParameters; })
      return Derived::kParameters;
    else
      return 0;
  }
  Index prepared() const override {
    if constexpr (requires { Derived::kPrepared; })
      return Derived::kPrepared;
    else
      return 0;
  }

  Mapped<T> evaluate(Var<T> x, const Theta<T>& theta, const Pass<T>&) const final { return apply(x, theta, false); }
  Mapped<T> invert(Var<T> y, const Theta<T>& theta, const Pass<T>&) const final { return apply(y, theta, true); }

  /// 1 x d*P to 1 x d*Q.
  Var<T> prepare_shared(Var<T> theta) const final {
    if (prepared() == 0) return theta;
    const Index elements = element_count(theta.columns(), parameters(), "theta");
    Tape<T>& tape = theta.tape();
    Var<T> out = tape.make(1, elements * prepared());
    prepare_values(theta.value(), out.data(), tape);
    const KernelTransformer* self = this;
    tape.primitive(
        "prepare_shared", {theta}, {out},
        [self](Vjp<T>& v) {
          if (v.wants(0)) self->prepare_adjoint(v.value(0), v.result(0), v.adjoint(0), v.gradient(0), v.tape());
        },
        [self](Jvp<T>& j) {
          if (j.has_tangent(0)) j.set(0, self->prepare_tangent(j.input(0), j.tangent(0)));
        });
    return out;
  }

  Traits traits() const override {
    Traits t = Transformer<T>::traits();
    if constexpr (!kClosedInverse) {
      t.inverse = Cost::iterative;
      t.tolerance = 8 * std::numeric_limits<T>::epsilon();
    }
    return t;
  }

 protected:
  /// One evaluation: x N x d (of the inverse: y), theta of any form.
  struct Call {
    Block<const T> x;
    Block<const T> theta;
    bool prepared;  // theta is 1 x d*Q
    bool shared;    // theta has one row for all rows of x
    bool inverse;
    Tape<T>* tape;  // for scratch
  };

  /// Fills value (N x d) and log_det (N x 1).
  virtual void values(const Call& call, Block<T> value, Block<T> log_det) const { derived_values(call, value, log_det); }
  /// Adds the gradients of x and theta, given the result and the cotangents of value and log_det.
  virtual void adjoint(const Call& call, Block<const T> value, Block<const T> g_value, Block<const T> g_log_det,
                       const Gradient<T>& x, const Gradient<T>& theta) const {
    derived_adjoint(call, value, g_value, g_log_det, x, theta);
  }
  /// Fills the 1 x d*Q prepared theta.
  virtual void prepare_values(Block<const T> raw, Block<T> out, Tape<T>& tape) const {
    derived_prepare_values(raw, out, tape);
  }
  /// Adds the gradient of the raw theta.
  virtual void prepare_adjoint(Block<const T> raw, Block<const T> /*out*/, Block<const T> g_out, Block<T> gradient,
                               Tape<T>& tape) const {
    derived_prepare_adjoint(raw, g_out, gradient, tape);
  }

  // The derived route, always available: what hand-written code is compared with.
  void derived_values(const Call& call, Block<T> value, Block<T> log_det) const;
  void derived_adjoint(const Call& call, Block<const T> value, Block<const T> g_value, Block<const T> g_log_det,
                       const Gradient<T>& x, const Gradient<T>& theta) const;
  void derived_prepare_values(Block<const T> raw, Block<T> out, Tape<T>& tape) const;
  void derived_prepare_adjoint(Block<const T> raw, Block<const T> g_out, Block<T> gradient, Tape<T>& tape) const;

 private:
  static constexpr bool kConstrains =
      requires(const Derived& d, const B* raw, B* out) { d.constrain(raw, out); };
  static constexpr bool kClosedInverse = requires(const Derived& d, const B& y, const B* t) { d.map_inverse(y, t); };
  /// P if it is known at compile time and small enough for nested duals, else 0.
  static constexpr int kNested = [] {
    if constexpr (requires { Derived::kParameters; })
      return Derived::kParameters <= kNestedDuals ? Derived::kParameters : 0;
    else
      return 0;
  }();

  static constexpr bool kLogSlope = requires(const Derived& d, const B& x, const B* t) { d.log_slope(x, t); };

  /// f(x) and log |f'(x)| for any scalar.
  template <class V>
  struct Point {
    V value, log_slope;
  };
  template <class V>
  Point<V> point(const V& x, const V* theta) const {
    if constexpr (kLogSlope) {
      return {self().map(x, theta), self().log_slope(x, theta)};
    } else {
      const simd::Dual<V> f = self().map(simd::Dual<V>(x, V(T(1))), theta);
      return {f.value, simd::log(simd::abs(f.d[0]))};
    }
  }

  const Derived& self() const { return static_cast<const Derived&>(*this); }
  /// Numbers per element that a call's theta has, and that `map` sees.
  Index given(const Call& call) const { return call.prepared ? prepared() : parameters(); }
  Index seen() const { return kConstrains ? prepared() : parameters(); }

  Mapped<T> apply(Var<T> x, Theta<T> theta, bool inverse) const;
  /// Directional derivative of (value, log_det) of f at x along (a, alpha), as a tape operation with a vjp.
  Mapped<T> tangent(Var<T> x, Var<T> theta, bool prepared, Var<T> a, Var<T> alpha) const;
  void record_tangent(Jvp<T>& j, bool prepared, bool inverse) const;
  Var<T> prepare_tangent(Var<T> raw, Var<T> direction) const;
  template <class V, class W>
  void with_constraint(bool is_prepared, const W* raw, W* room, V&& use) const {
    if constexpr (kConstrains) {
      if (!is_prepared) {
        self().constrain(raw, room);
        use(static_cast<const W*>(room));
        return;
      }
    }
    use(raw);
  }
  B solve(const B& y, const B* theta, const simd::Mask<T>& wanted) const;
  template <class Sink>
  void nested_gradient(const B& x, const B* raw, bool is_prepared, Sink&& sink) const;

  static Index element_count(Index columns, Index per_element, const char* what) {
    if (per_element == 0 || columns % per_element != 0)
      throw ShapeError(std::string("transformer: ") + what + " has " + std::to_string(columns) +
                       " columns, which is no multiple of its " + std::to_string(per_element) +
                       " numbers per element");
    return columns / per_element;
  }
};

template <class Derived, class T>
Mapped<T> KernelTransformer<Derived, T>::apply(Var<T> x, Theta<T> theta, bool inverse) const {
  const bool is_prepared = theta.prepared && prepared() > 0;
  const Index per_element = is_prepared ? prepared() : parameters();
  const Index rows = theta.values.rows();
  if (theta.values.columns() != x.columns() * per_element || (rows != 1 && (rows != x.rows() || is_prepared)))
    throw ShapeError("transformer: x is " + std::to_string(x.rows()) + " x " + std::to_string(x.columns()) +
                     ", so theta must be " + (is_prepared ? "1" : "1 or " + std::to_string(x.rows())) + " x " +
                     std::to_string(x.columns() * per_element) + ", but it is " + std::to_string(rows) + " x " +
                     std::to_string(theta.values.columns()));
  const bool shared = rows == 1 && (is_prepared || x.rows() != 1);
  if (shared && !is_prepared && prepared() > 0) return apply(x, {prepare_shared(theta.values), true}, inverse);

  Tape<T>& tape = x.tape();
  Mapped<T> out{tape.make(x.rows(), x.columns()), tape.make(x.rows(), 1)};
  values({x.value(), theta.values.value(), is_prepared, shared, inverse, &tape}, out.value.data(), out.log_det.data());
  const KernelTransformer* object = this;
  tape.primitive(
      inverse ? "transformer.invert" : "transformer.evaluate", {x, theta.values}, {out.value, out.log_det},
      [object, is_prepared, shared, inverse](Vjp<T>& v) {
        // The two inputs may share memory; then nothing may be overwritten.
        const bool apart = v.input(0).node()->root != v.input(1).node()->root;
        const Gradient<T> gx(v, 0, apart), gtheta(v, 1, apart);
        object->adjoint({v.value(0), v.value(1), is_prepared, shared, inverse, &v.tape()}, v.result(0), v.adjoint(0),
                        v.adjoint(1), gx, gtheta);
      },
      [object, is_prepared, inverse](Jvp<T>& j) { object->record_tangent(j, is_prepared, inverse); });
  return out;
}

// --- values ----------------------------------------------------------------------------------------------------------

template <class Derived, class T>
void KernelTransformer<Derived, T>::derived_values(const Call& call, Block<T> value, Block<T> log_det) const {
  Workspace<T> work(*call.tape);
  const Index count = given(call);
  // A formula that reads one number more than it has gets a NaN, which nothing hides, and not what lies there.
  const B beyond(std::numeric_limits<T>::quiet_NaN());
  B* raw = work.template array<B>(count + 1);
  B* room = work.template array<B>(seen() + 1);
  raw[count] = room[seen()] = beyond;
  map_rows(call.x, value, log_det, [&](Index j) {
    if (call.shared)
      for (Index k = 0; k < count; ++k) raw[k] = B(call.theta(0, j * count + k));
    return [&, j](Index i, Index lanes, const B& x, B& y, B& log_slope) {
      if (!call.shared)
        for (Index k = 0; k < count; ++k) raw[k] = simd::load(call.theta.column(j * count + k) + i, lanes);
      with_constraint(call.prepared, raw, room, [&](const B* theta) {
        if (!call.inverse) {
          const Point<B> f = point(x, theta);
          y = f.value;
          log_slope = simd::select(simd::is_nan(y), y, f.log_slope);
          return;
        }
        if constexpr (kClosedInverse)
          y = self().map_inverse(x, theta);
        else
          y = solve(x, theta, simd::first_lanes<T>(lanes));
        log_slope = simd::select(simd::is_nan(y), y, -point(y, theta).log_slope);
      });
    };
  });
}

/// The root of f(x) = y: a bracket by doubling steps from y, then Newton's steps, halved where they leave it.
template <class Derived, class T>
simd::Batch<T> KernelTransformer<Derived, T>::solve(const B& y, const B* theta, const simd::Mask<T>& wanted) const {
  using D = simd::Dual<B>;
  using M = simd::Mask<T>;
  const Support domain = self().domain();
  const B bottom(static_cast<T>(domain.lower)), top(static_cast<T>(domain.upper));
  const B nan(std::numeric_limits<T>::quiet_NaN()), zero(T(0)), half(T(0.5));
  const auto residual = [&](const B& x) { return B(self().map(x, theta)) - y; };
  const bool falling = !self().traits().increasing;

  const bool bounded_below = domain.lower > -__builtin_inf(), bounded_above = domain.upper < __builtin_inf();
  B start = simd::min(top, simd::max(bottom, y));
  if (bounded_below && bounded_above) start = half * (bottom + top);
  B low = start, high = start, step(T(1));
  B at_start = residual(start);
  if (falling) at_start = -at_start;
  M below = wanted & (at_start > zero);   // the root lies below `low`
  M above = wanted & (at_start < zero);   // the root lies above `high`
  // Numbers of T are reached after as many doublings as its exponent has values.
  for (int i = 0; i < 2 * std::numeric_limits<T>::max_exponent && (simd::any(below) || simd::any(above)); ++i) {
    const B next = simd::select(below, simd::max(bottom, low - step), simd::min(top, high + step));
    B r = residual(next);
    if (falling) r = -r;
    const B old_low = low;
    low = simd::select(below, next, simd::select(above, high, low));
    high = simd::select(below, old_low, simd::select(above, next, high));
    below = below & (r > zero) & (next > bottom);
    above = above & (r < zero) & (next < top);
    step = step + step;
  }
  B x = half * (low + high);
  const B epsilon(2 * std::numeric_limits<T>::epsilon()), tiny(std::numeric_limits<T>::min());
  B last = high - low;
  M open = wanted & (low < high);
  x = simd::select(low < high, x, low);
  for (int i = 0; i < 400 && simd::any(open); ++i) {
    const D f = self().map(D::variable(x), theta);
    B r = f.value - y, slope = f.d[0];
    if (falling) {
      r = -r;
      slope = -slope;
    }
    low = simd::select(open & (r <= zero), x, low);
    high = simd::select(open & (r >= zero), x, high);
    B next = x - r / slope;
    // Bisection where Newton leaves the bracket or does not halve the last step (NaN: both comparisons are false).
    const M good = (next >= low) & (next <= high) & (simd::abs(next - x) <= half * last);
    next = simd::select(good, next, low + half * (high - low));
    next = simd::select(r == zero, x, next);
    const B moved = simd::abs(next - x);
    last = simd::select(open, moved, last);
    x = simd::select(open, next, x);
    // Rounding of y alone moves the root by epsilon |y / slope|. Only near the root is that its slope: Newton's step from
    // there is as short, but a bisection may be so on a flat part far away.
    const B rounding = simd::select(good, simd::abs(y / slope), zero);
    open = open & (moved > simd::max(tiny, epsilon * (simd::abs(x) + rounding))) & (low < high);
  }
  // No sign change, as for a y outside the codomain, and a NaN give NaN.
  const B check = residual(x);
  return simd::select(simd::is_nan(y) | simd::is_nan(check) | (wanted & (below | above)), nan, x);
}

// --- gradients -------------------------------------------------------------------------------------------------------

/// Calls sink(values, logs): 1 + P derivatives of f and of log |f'|, with respect to x and then to each number of raw.
template <class Derived, class T>
template <class Sink>
void KernelTransformer<Derived, T>::nested_gradient(const B& x, const B* raw, bool is_prepared, Sink&& sink) const {
  constexpr int kDirections = 1 + kNested;
  using D = simd::Dual<B, kDirections>;
  std::array<D, static_cast<std::size_t>(kNested == 0 ? 1 : kNested)> theta;
  for (int k = 0; k < kNested; ++k) theta[static_cast<std::size_t>(k)] = D::variable(raw[k], 1 + k);
  const auto use = [&](const D* t) {
    const Point<D> f = point(D::variable(x, 0), t);
    sink(f.value.d, f.log_slope.d);
  };
  if constexpr (kConstrains) {
    static_assert(requires { Derived::kPrepared; }, "with kParameters and constrain, give kPrepared");
    std::array<D, static_cast<std::size_t>(Derived::kPrepared)> room;
    with_constraint(is_prepared, theta.data(), room.data(), use);
  } else {
    use(theta.data());
  }
}

template <class Derived, class T>
void KernelTransformer<Derived, T>::derived_adjoint(const Call& call, Block<const T> value, Block<const T> g_value,
                                                    Block<const T> g_log_det, const Gradient<T>& gx,
                                                    const Gradient<T>& gtheta) const {
  Workspace<T> work(*call.tape);
  const Index count = given(call);
  const Block<const T> at = call.inverse ? value : call.x;  // the argument of f in either direction
  B* raw = work.template array<B>(count);
  B* slopes = work.template array<B>(1 + count);  // of the value
  B* logs = work.template array<B>(1 + count);    // of log |f'|
  double* sums = work.template array<double>(count * simd::kLanes<T>);

  const auto rows = [&](auto&& derivatives) {
    for (Index j = 0; j < call.x.columns; ++j) {
      if (call.shared)
        for (Index k = 0; k < count; ++k) raw[k] = B(call.theta(0, j * count + k));
      for (Index i = 0; i < count * simd::kLanes<T>; ++i) sums[i] = 0;
      for (Index i = 0; i < call.x.rows; i += simd::kLanes<T>) {
        const Index lanes = call.x.rows - i;
        if (!call.shared)
          for (Index k = 0; k < count; ++k) raw[k] = simd::load(call.theta.column(j * count + k) + i, lanes);
        derivatives(simd::load(at.column(j) + i, lanes), raw, slopes, logs);
        B a = simd::load(g_value.column(j) + i, lanes);
        B b = simd::load(g_log_det.data + i, lanes);
        if (call.inverse) {
          // x = f^{-1}(y): dx = (dy - f_theta dtheta) / f_x, and log_det = -log |f'(x)|.
          const B c = (a - b * logs[0]) / slopes[0];
          a = -c;
          b = -b;
          gx.add(c, j, i, lanes);
        } else {
          gx.add(a * slopes[0] + b * logs[0], j, i, lanes);
        }
        if (!gtheta.wanted()) continue;
        const simd::Mask<T> real_rows = simd::first_lanes<T>(lanes);
        for (Index k = 0; k < count; ++k) {
          const B g = a * slopes[1 + k] + b * logs[1 + k];
          if (call.shared)
            simd::accumulate(sums + k * simd::kLanes<T>, simd::select(real_rows, g, B(T(0))));
          else
            gtheta.add(g, j * count + k, i, lanes);
        }
      }
      if (call.shared && gtheta.wanted())
        for (Index k = 0; k < count; ++k)
          gtheta.add_one(static_cast<T>(simd::sum_lanes<T>(sums + k * simd::kLanes<T>)), j * count + k);
    }
  };

  if constexpr (kNested > 0) {
    if (count == kNested) {
      rows([&](const B& x, const B* theta, B* s, B* l) {
        nested_gradient(x, theta, call.prepared, [&](const B* fs, const B* ls) {
          for (int k = 0; k < 1 + kNested; ++k) {
            s[k] = fs[k];
            l[k] = ls[k];
          }
        });
      });
      return;
    }
  }
  using R = simd::Reverse<B>;
  R* theta = work.template array<R>(count);
  R* room = work.template array<R>(seen());
  RecordingRoom<T> recording(work);
  rows([&](const B& x, const B* numbers, B* s, B* l) {
    recording.run([&](simd::ReverseStack<B>& stack) {
      stack.clear();
      const R at_x = stack.variable(x);
      for (Index k = 0; k < count; ++k) theta[k] = stack.variable(numbers[k]);
      R f, log_slope;
      with_constraint(call.prepared, theta, room, [&](const R* t) {
        const Point<R> result = point(at_x, t);
        f = result.value;
        log_slope = result.log_slope;
      });
      if (stack.full()) return;
      const auto sweep = [&](const R& output, B* into) {
        stack.clear_adjoints();
        stack.adjoint(output) = B(T(1));
        stack.sweep();
        into[0] = stack.adjoint(at_x);
        for (Index k = 0; k < count; ++k) into[1 + k] = stack.adjoint(theta[k]);
      };
      sweep(f, s);
      sweep(log_slope, l);
    });
  });
}

}  // namespace pushforward

#include "pushforward/kernel_tangents.h"
