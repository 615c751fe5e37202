// The derived route of KernelTransformer, continued: prepared theta, and tangents with their own gradients.
// Included by kernel_transformer.h.
#pragma once

#include "pushforward/kernel_transformer.h"

namespace pushforward {

namespace detail {

/// A 1 x d*P block with lanes for elements: `at(k)` is number k of up to kLanes elements, zero in empty lanes.
template <class T>
class ElementLanes {
 public:
  ElementLanes(Workspace<T>& work, Index per_element)
      : lanes_(work.template array<T>(per_element * simd::kLanes<T>)), per_element_(per_element) {}
  const ElementLanes& load(Block<const T> row, Index first, Index count) {
    count = std::min(count, simd::kLanes<T>);
    if (count < simd::kLanes<T>) std::fill_n(lanes_, per_element_ * simd::kLanes<T>, T(0));
    for (Index e = 0; e < count; ++e) {
      const T* from = row.data + (first + e) * per_element_ * row.stride;
      for (Index k = 0; k < per_element_; ++k) lanes_[k * simd::kLanes<T> + e] = from[k * row.stride];
    }
    return *this;
  }
  simd::Batch<T> at(Index k) const { return simd::load(lanes_ + k * simd::kLanes<T>); }

 private:
  T* lanes_;
  Index per_element_;
};
template <class T, class Put>
void store_elements(const simd::Batch<T>& v, Index per_element, Index k, Index first, Index count, Put&& put) {
  alignas(64) T lanes[simd::kLanes<T>];
  simd::store(lanes, v);
  for (Index e = 0; e < std::min(count, simd::kLanes<T>); ++e) put((first + e) * per_element + k, lanes[e]);
}

}  // namespace detail

template <class Derived, class T>
void KernelTransformer<Derived, T>::derived_prepare_values(Block<const T> raw, Block<T> out, Tape<T>& tape) const {
  if constexpr (kConstrains) {
    Workspace<T> work(tape);
    const Index P = parameters(), Q = prepared(), elements = raw.columns / P;
    B* in = work.template array<B>(P);
    B* made = work.template array<B>(Q);
    detail::ElementLanes<T> raw_lanes(work, P);
    for (Index first = 0; first < elements; first += simd::kLanes<T>) {
      const Index count = elements - first;
      raw_lanes.load(raw, first, count);
      for (Index k = 0; k < P; ++k) in[k] = raw_lanes.at(k);
      self().constrain(static_cast<const B*>(in), made);
      for (Index k = 0; k < Q; ++k)
        detail::store_elements<T>(made[k], Q, k, first, count, [&](Index c, T v) { *out.column(c) = v; });
    }
  }
}

template <class Derived, class T>
void KernelTransformer<Derived, T>::derived_prepare_adjoint(Block<const T> raw, Block<const T> g_out, Block<T> gradient,
                                                            Tape<T>& tape) const {
  if constexpr (kConstrains) {
    using R = simd::Reverse<B>;
    Workspace<T> work(tape);
    const Index P = parameters(), Q = prepared(), elements = raw.columns / P;
    R* in = work.template array<R>(P);
    R* made = work.template array<R>(Q);
    detail::ElementLanes<T> raw_lanes(work, P), g_lanes(work, Q);
    RecordingRoom<T> recording(work);
    for (Index first = 0; first < elements; first += simd::kLanes<T>) {
      const Index count = elements - first;
      raw_lanes.load(raw, first, count);
      g_lanes.load(g_out, first, count);
      recording.run([&](simd::ReverseStack<B>& stack) {
        stack.clear();
        for (Index k = 0; k < P; ++k) in[k] = stack.variable(raw_lanes.at(k));
        self().constrain(static_cast<const R*>(in), made);
        if (stack.full()) return;
        stack.clear_adjoints();
        for (Index k = 0; k < Q; ++k) stack.adjoint(made[k]) += g_lanes.at(k);
        stack.sweep();
        for (Index k = 0; k < P; ++k)
          detail::store_elements<T>(stack.adjoint(in[k]), P, k, first, count,
                                    [&](Index c, T g) { *gradient.column(c) += g; });
      });
    }
  }
}

template <class Derived, class T>
Var<T> KernelTransformer<Derived, T>::prepare_tangent(Var<T> raw, Var<T> direction) const {
  if constexpr (kConstrains) {
    Tape<T>& tape = raw.tape();
    const Index P = parameters(), Q = prepared(), elements = raw.columns() / P;
    Var<T> out = tape.make(1, elements * Q);
    {
      using D = simd::Dual<B>;
      Workspace<T> work(tape);
      D* in = work.template array<D>(P);
      D* made = work.template array<D>(Q);
      detail::ElementLanes<T> raw_lanes(work, P), direction_lanes(work, P);
      for (Index first = 0; first < elements; first += simd::kLanes<T>) {
        const Index count = elements - first;
        raw_lanes.load(raw.value(), first, count);
        direction_lanes.load(direction.value(), first, count);
        for (Index k = 0; k < P; ++k) in[k] = D(raw_lanes.at(k), direction_lanes.at(k));
        self().constrain(static_cast<const D*>(in), made);
        for (Index k = 0; k < Q; ++k)
          detail::store_elements<T>(made[k].d[0], Q, k, first, count, [&](Index c, T v) { *out.data().column(c) = v; });
      }
    }
    const KernelTransformer* object = this;
    tape.primitive(
        "prepare_shared.tangent", {raw, direction}, {out},
        [object](Vjp<T>& v) {
          using R = simd::Reverse<B>;
          using D = simd::Dual<R>;
          Block<T> g[2];
          for (int i = 0; i < 2; ++i)
            if (v.wants(i)) g[i] = v.gradient(i);
          const Block<const T> g_out = v.adjoint(0);
          Workspace<T> work(v.tape());
          const Index p = object->parameters(), q = object->prepared(), n = v.value(0).columns / p;
          D* in = work.template array<D>(p);
          D* made = work.template array<D>(q);
          detail::ElementLanes<T> raw_lanes(work, p), direction_lanes(work, p), g_lanes(work, q);
          RecordingRoom<T> recording(work);
          for (Index first = 0; first < n; first += simd::kLanes<T>) {
            const Index count = n - first;
            raw_lanes.load(v.value(0), first, count);
            direction_lanes.load(v.value(1), first, count);
            g_lanes.load(g_out, first, count);
            recording.run([&](simd::ReverseStack<B>& stack) {
              stack.clear();
              for (Index k = 0; k < p; ++k)
                in[k] = D(stack.variable(raw_lanes.at(k)), stack.variable(direction_lanes.at(k)));
              object->self().constrain(static_cast<const D*>(in), made);
              if (stack.full()) return;
              stack.clear_adjoints();
              for (Index k = 0; k < q; ++k) stack.adjoint(made[k].d[0]) += g_lanes.at(k);
              stack.sweep();
              for (int i = 0; i < 2; ++i) {
                if (!v.wants(i)) continue;
                for (Index k = 0; k < p; ++k)
                  detail::store_elements<T>(stack.adjoint(i == 0 ? in[k].value : in[k].d[0]), p, k, first, count,
                                            [&](Index c, T x) { *g[i].column(c) += x; });
              }
            });
          }
        },
        no_tangent);
    return out;
  } else {
    return direction;
  }
}

template <class Derived, class T>
Mapped<T> KernelTransformer<Derived, T>::tangent(Var<T> x, Var<T> theta, bool is_prepared, Var<T> a,
                                                 Var<T> alpha) const {
  Tape<T>& tape = x.tape();
  const bool shared = theta.rows() == 1 && (is_prepared || x.rows() != 1);
  Mapped<T> out{tape.make(x.rows(), x.columns()), tape.make(x.rows(), 1)};
  const Index count = is_prepared ? prepared() : parameters();
  {
    using D = simd::Dual<B>;
    Workspace<T> work(tape);
    D* numbers = work.template array<D>(count);
    D* room = work.template array<D>(seen());
    map_rows(x.value(), out.value.data(), out.log_det.data(), [&](Index j) {
      return [&, j](Index i, Index lanes, const B& at, B& y, B& log_slope) {
        for (Index k = 0; k < count; ++k) {
          const Index c = j * count + k;
          numbers[k] = shared ? D(B(theta.value()(0, c)), B(alpha.value()(0, c)))
                              : D(simd::load(theta.value().column(c) + i, lanes),
                                  simd::load(alpha.value().column(c) + i, lanes));
        }
        with_constraint(is_prepared, numbers, room, [&](const D* t) {
          const Point<D> f = point(D(at, simd::load(a.value().column(j) + i, lanes)), t);
          y = f.value.d[0];
          log_slope = f.log_slope.d[0];
        });
      };
    });
  }
  const KernelTransformer* object = this;
  tape.primitive(
      "transformer.tangent", {x, theta, a, alpha}, {out.value, out.log_det},
      [object, is_prepared, shared, count](Vjp<T>& v) {
        using R = simd::Reverse<B>;
        using D = simd::Dual<R>;
        // Inputs may share memory (the direction may be the argument itself): nothing is overwritten.
        Gradient<T> g[4];
        for (int n = 0; n < 4; ++n) g[n] = Gradient<T>(v, n, false);
        const Block<const T> g_value = v.adjoint(0), g_log_det = v.adjoint(1);
        Workspace<T> work(v.tape());
        D* numbers = work.template array<D>(count);
        D* room = work.template array<D>(object->seen());
        double* sums = work.template array<double>(2 * count * simd::kLanes<T>);
        RecordingRoom<T> recording(work);
        for (Index j = 0; j < v.value(0).columns; ++j) {
          std::fill_n(sums, 2 * count * simd::kLanes<T>, 0.0);
          for (Index i = 0; i < v.value(0).rows; i += simd::kLanes<T>) {
            const Index lanes = v.value(0).rows - i;
            const simd::Mask<T> real_rows = simd::first_lanes<T>(lanes);
            const auto number = [&](int input, Index c) {
              return shared ? B(v.value(input)(0, c)) : simd::load(v.value(input).column(c) + i, lanes);
            };
            recording.run([&](simd::ReverseStack<B>& stack) {
              stack.clear();
              for (Index k = 0; k < count; ++k)
                numbers[k] = D(stack.variable(number(1, j * count + k)), stack.variable(number(3, j * count + k)));
              const D at(stack.variable(simd::load(v.value(0).column(j) + i, lanes)),
                         stack.variable(simd::load(v.value(2).column(j) + i, lanes)));
              R dy, dlog;
              object->with_constraint(is_prepared, numbers, room, [&](const D* t) {
                const Point<D> f = object->point(at, t);
                dy = f.value.d[0];
                dlog = f.log_slope.d[0];
              });
              if (stack.full()) return;
              stack.clear_adjoints();
              stack.adjoint(dy) += simd::load(g_value.column(j) + i, lanes);
              stack.adjoint(dlog) += simd::load(g_log_det.data + i, lanes);
              stack.sweep();
              g[0].add(stack.adjoint(at.value), j, i, lanes);
              g[2].add(stack.adjoint(at.d[0]), j, i, lanes);
              for (Index k = 0; k < count; ++k) {
                const B both[2] = {stack.adjoint(numbers[k].value), stack.adjoint(numbers[k].d[0])};
                for (int n = 0; n < 2; ++n) {
                  if (shared)
                    simd::accumulate(sums + (n * count + k) * simd::kLanes<T>,
                                     simd::select(real_rows, both[n], B(T(0))));
                  else
                    g[1 + 2 * n].add(both[n], j * count + k, i, lanes);
                }
              }
            });
          }
          if (shared)
            for (int n = 0; n < 2; ++n)
              for (Index k = 0; k < count; ++k)
                g[1 + 2 * n].add_one(
                    static_cast<T>(simd::sum_lanes<T>(sums + (n * count + k) * simd::kLanes<T>)), j * count + k);
        }
      },
      no_tangent);
  return out;
}

template <class Derived, class T>
void KernelTransformer<Derived, T>::record_tangent(Jvp<T>& j, bool is_prepared, bool inverse) const {
  Tape<T>& tape = j.tape();
  const Var<T> theta = j.input(1);
  const Var<T> alpha = j.has_tangent(1) ? j.tangent(1) : tape.full(theta.rows(), theta.columns(), T(0));
  if (!inverse) {
    const Var<T> x = j.input(0);
    const Var<T> a = j.has_tangent(0) ? j.tangent(0) : tape.full(x.rows(), x.columns(), T(0));
    const Mapped<T> t = tangent(x, theta, is_prepared, a, alpha);
    j.set(0, t.value);
    j.set(1, t.log_det);
    return;
  }
  // x = f^{-1}(y): dx = (dy - f_theta dtheta) / f_x, and the tangent of log_det = -log |f'(x)| follows from dx.
  const Var<T> x = j.output(0);
  const Var<T> none = tape.full(theta.rows(), theta.columns(), T(0));
  const Var<T> slope = tangent(x, theta, is_prepared, tape.full(x.rows(), x.columns(), T(1)), none).value;
  Var<T> change = j.has_tangent(0) ? j.tangent(0) : tape.full(x.rows(), x.columns(), T(0));
  if (j.has_tangent(1))
    change = change - tangent(x, theta, is_prepared, tape.full(x.rows(), x.columns(), T(0)), alpha).value;
  const Var<T> dx = change / slope;
  j.set(0, dx);
  j.set(1, -tangent(x, theta, is_prepared, dx, alpha).log_det);
}

}  // namespace pushforward
