// SplineTransformer: rational-quadratic and linear-rational splines in all parametrisations, with hand-written SIMD
// kernels over the plain formula that KernelTransformer can derive everything from.
#pragma once

#include "pushforward/kernel_transformer.h"
#include "pushforward/spline_rows.h"
#include "pushforward/spline_tables.h"

namespace pushforward {

/// `kSplit`: two linear-rational pieces per bin; else one rational-quadratic piece.
template <class T, bool kSplit>
class SplineTransformer : public KernelTransformer<SplineTransformer<T, kSplit>, T> {
  using Base = KernelTransformer<SplineTransformer<T, kSplit>, T>;
  using B = simd::Batch<T>;
  using M = simd::Mask<T>;
  using typename Base::Call;

 public:
  /// `derived`: no hand-written kernels; slow, and what the others are compared with.
  SplineTransformer(const SplineForm<T>& form, bool derived) : form_(form), derived_(derived) {}

  const SplineForm<T>& form() const { return form_; }
  Index parameters() const override { return form_.parameters(); }
  Index prepared() const override { return form_.prepared(); }
  void identity(std::span<T> theta) const override {
    std::fill(theta.begin(), theta.end(), T(0));
    for (Index k = 0; k < form_.derivatives(); ++k)
      theta[static_cast<std::size_t>(2 * form_.bins + k)] = static_cast<T>(form_.raw_derivative(1));
  }
  Support domain() const override {
    if (form_.tails == Tails::identity && !form_.half_turn) return {};
    return {form_.lower, form_.upper};
  }
  Support codomain() const override { return domain(); }
  Traits traits() const override {
    Traits t = Base::traits();
    t.inverse = Cost::closed;
    t.tolerance = 0;
    if (form_.half_turn) t.increasing = false;
    return t;
  }

  // --- the plain formula ---------------------------------------------------------------------------------------------
  /// Raw numbers to knots, values and shapes.
  template <class V>
  void constrain(const V* raw, V* out) const {
    const Index bins = form_.bins, pieces = form_.pieces(), step = kSplit ? 2 : 1;
    V* x = out;
    V* y = out + pieces + 1;
    V* shape = out + 2 * (pieces + 1);
    form_.knots(raw, form_.minimum_width, x, step);
    form_.knots(raw + bins, form_.minimum_height, y, step);
    V left{};
    for (Index k = 0; k <= bins; ++k) {
      const Index c = form_.derivative_of_knot(k);
      const V d = c < 0 ? V(B(static_cast<T>(form_.boundary_derivative))) : form_.derivative(raw[2 * bins + c]);
      if constexpr (kSplit) {
        if (k > 0) {
          const Index a = 2 * (k - 1);
          const BinDivision<V> division = BinDivision<V>::of(x[a], x[a + 2], y[a], y[a + 2], left, d,
                                                             form_.lambda(raw[form_.lambda_offset() + k - 1]));
          x[a + 1] = division.xm;
          y[a + 1] = division.ym;
          shape[a] = division.left;
          shape[a + 1] = division.right;
        }
        left = d;
      } else {
        shape[k] = d;
      }
    }
  }

  template <class V, class W>
  V map(const V& argument, const W* numbers) const {
    V x = argument;
    if (form_.half_turn) x = x + (form_.turned(simd::primal(x)) - simd::primal(x));
    B turns;
    const B wrapped = form_.wrapped(simd::primal(x), turns);
    if (form_.tails == Tails::circular) x = x + (wrapped - simd::primal(x));
    const M inside = is_inside(simd::primal(x));
    const V at = simd::select(inside, x, V(B(static_cast<T>(form_.lower))));
    const Index pieces = form_.pieces();
    const W* xs = numbers;
    const W* ys = numbers + pieces + 1;
    const W* shape = numbers + 2 * (pieces + 1);
    W xl = xs[0], xr = xs[1], yl = ys[0], yr = ys[1], s0 = shape[0], s1 = kSplit ? W(B(T(0))) : shape[1];
    for (Index k = 1; k < pieces; ++k) {
      const M in = B(simd::primal(at)) >= B(simd::primal(xs[k]));
      xl = simd::select(in, xs[k], xl);
      xr = simd::select(in, xs[k + 1], xr);
      yl = simd::select(in, ys[k], yl);
      yr = simd::select(in, ys[k + 1], yr);
      s0 = simd::select(in, shape[k], s0);
      if constexpr (!kSplit) s1 = simd::select(in, shape[k + 1], s1);
    }
    const W w = xr - xl, h = yr - yl;
    const V t = (at - xl) / w, u = (xr - at) / w;
    V y;
    if constexpr (kSplit) {
      y = t * s0 * h / (t * s0 + u) + yl;
    } else {
      const W s = h / w;
      const V tu = t * u;
      y = (t * t * s + tu * s0) * h / ((t * t + u * u) * s + tu * (s0 + s1)) + yl;
    }
    const B nan(std::numeric_limits<T>::quiet_NaN());
    return simd::select(inside, y + turns, form_.tails == Tails::none ? x + nan : x);
  }
  /// Closed, by the pieces; batches only.
  B map_inverse(const B& argument, const B* numbers) const {
    B turns;
    const B y = form_.wrapped(argument, turns);
    const M inside = is_inside(y);
    const B at = simd::select(inside, y, B(static_cast<T>(form_.lower)));
    const Index pieces = form_.pieces();
    const B* xs = numbers;
    const B* ys = numbers + pieces + 1;
    const B* shape = numbers + 2 * (pieces + 1);
    Piece piece = make_piece(xs, ys, shape, 0);
    for (Index k = 1; k < pieces; ++k) {
      const M in = at >= ys[k];
      const Piece p = make_piece(xs, ys, shape, k);
      piece.xl = simd::select(in, p.xl, piece.xl);
      piece.xr = simd::select(in, p.xr, piece.xr);
      piece.yl = simd::select(in, p.yl, piece.yl);
      piece.yr = simd::select(in, p.yr, piece.yr);
      if constexpr (kSplit) {
        piece.ratio = simd::select(in, p.ratio, piece.ratio);
      } else {
        piece.dl = simd::select(in, p.dl, piece.dl);
        piece.dr = simd::select(in, p.dr, piece.dr);
      }
    }
    B x, log_slope;
    piece.find_reciprocals();
    piece.inverse(at, x, log_slope);
    return finish_value<true>(x, y, inside, turns);
  }

 protected:
  // --- hand-written kernels ------------------------------------------------------------------------------------------
  void values(const Call& call, Block<T> value, Block<T> log_det) const override {
    if (derived_) return this->derived_values(call, value, log_det);
    call.inverse ? fast_values<true>(call, value, log_det) : fast_values<false>(call, value, log_det);
  }
  void adjoint(const Call& call, Block<const T> value, Block<const T> g_value, Block<const T> g_log_det,
               const Gradient<T>& x, const Gradient<T>& theta) const override {
    if (derived_) return this->derived_adjoint(call, value, g_value, g_log_det, x, theta);
    call.inverse ? fast_adjoint<true>(call, g_value, g_log_det, x, theta)
                 : fast_adjoint<false>(call, g_value, g_log_det, x, theta);
  }
  void prepare_adjoint(Block<const T> raw, Block<const T> out, Block<const T> g_out, Block<T> gradient,
                       Tape<T>& tape) const override;

 private:
  using Piece = std::conditional_t<kSplit, LinearRationalPiece<T>, RationalQuadraticPiece<T>>;

  static Piece make_piece(const B* xs, const B* ys, const B* shape, Index k) {
    if constexpr (kSplit)
      return {xs[k], xs[k + 1], ys[k], ys[k + 1], shape[k], {}, {}, {}};
    else
      return {xs[k], xs[k + 1], ys[k], ys[k + 1], shape[k], shape[k + 1], {}, {}};
  }
  M is_inside(const B& x) const {
    return (x >= B(static_cast<T>(form_.lower))) & (x <= B(static_cast<T>(form_.upper)));
  }
  /// The argument as the pieces see it (inside the interval), and what is needed to finish the value.
  template <bool kInverse>
  B begin(const B& argument, B& outside_value, M& inside, B& turns) const {
    B x = argument;
    if (!kInverse && form_.half_turn) x = form_.turned(x);
    x = form_.wrapped(x, turns);
    inside = is_inside(x);
    outside_value = x;
    return simd::select(inside, x, B(static_cast<T>(form_.lower)));
  }
  template <bool kInverse>
  B finish_value(const B& result, const B& outside_value, const M& inside, const B& turns) const {
    const B nan(std::numeric_limits<T>::quiet_NaN());
    B y = simd::select(inside, result + turns, form_.tails == Tails::none ? nan : outside_value);
    if (kInverse && form_.half_turn) y = form_.turned(y);
    return y;
  }
  B finish_log(const B& log_slope, const B& outside_value, const M& inside) const {
    const B nan(std::numeric_limits<T>::quiet_NaN());
    const B outside =
        form_.tails == Tails::none ? nan : simd::select(simd::is_nan(outside_value), outside_value, B(T(0)));
    return simd::select(inside, log_slope, outside);
  }

  template <bool kInverse>
  void fast_values(const Call& call, Block<T> value, Block<T> log_det) const {
    if (call.shared && call.prepared)
      with_table([&](auto& table) { table_values<kInverse>(table, call, value, log_det); });
    else if (call.shared)
      this->derived_values(call, value, log_det);
    else if (form_.bins == 8)
      row_values<kInverse, 8>(call, value, log_det);
    else
      row_values<kInverse, 0>(call, value, log_det);
  }
  template <bool kInverse>
  void fast_adjoint(const Call& call, Block<const T> g_value, Block<const T> g_log_det, const Gradient<T>& x,
                    const Gradient<T>& theta) const {
    if (call.shared)
      with_table([&](auto& table) { table_adjoint<kInverse>(table, call, g_value, g_log_det, x, theta); });
    else if (form_.bins == 8)
      row_adjoint<kInverse, 8>(call, g_value, g_log_det, x, theta);
    else
      row_adjoint<kInverse, 0>(call, g_value, g_log_det, x, theta);
  }
  template <class Use>
  void with_table(Use&& use) const {
    using simd::Held;
    const auto run = [&]<Held kHeld>() {
      SplineTable<T, kSplit, kHeld> table;
      use(table);
    };
    switch (simd::held<T>(form_.pieces())) {
      case Held::one_register: return run.template operator()<Held::one_register>();
      case Held::two_registers: return run.template operator()<Held::two_registers>();
      case Held::memory: return run.template operator()<Held::memory>();
    }
  }

  template <bool kInverse, class Table>
  void table_values(Table& table, const Call& call, Block<T> value, Block<T> log_det) const {
    map_rows(call.x, value, log_det, [&](Index j) {
      table.template load<kInverse>(call.theta.data + j * prepared(), form_.pieces());
      return [&](Index, Index, const B& argument, B& y, B& log_slope) {
        B outside, turns;
        M inside;
        const B at = begin<kInverse>(argument, outside, inside, turns);
        const Piece piece = table.piece(table.find(at));
        kInverse ? piece.inverse(at, y, log_slope) : piece.forward(at, y, log_slope);
        y = finish_value<kInverse>(y, outside, inside, turns);
        log_slope = finish_log(log_slope, outside, inside);
      };
    });
  }
  template <bool kInverse, class Table>
  void table_adjoint(Table& table, const Call& call, Block<const T> g_value, Block<const T> g_log_det,
                     const Gradient<T>& gx, const Gradient<T>& gtheta) const {
    const B zero(T(0));
    for (Index j = 0; j < call.x.columns; ++j) {
      table.template load<kInverse>(call.theta.data + j * prepared(), form_.pieces());
      table.clear_sums();
      for (Index i = 0; i < call.x.rows; i += simd::kLanes<T>) {
        const Index lanes = call.x.rows - i;
        B outside, turns, g_at;
        M inside;
        const B at = begin<kInverse>(simd::load(call.x.column(j) + i, lanes), outside, inside, turns);
        const B g = simd::load(g_value.column(j) + i, lanes);
        const simd::Place<T> place = table.find(at);
        const PieceGradient<B> p = table.piece(place).template adjoint<kInverse>(
            at, simd::select(inside, g, zero), simd::select(inside, simd::load(g_log_det.data + i, lanes), zero), g_at);
        gx.add(simd::select(inside, g_at, g), j, i, lanes);
        if (gtheta.wanted()) table.add(place, p, lanes);
      }
      if (!gtheta.wanted()) continue;
      table.flush();
      table.add_gradients(gtheta, j * prepared());
    }
  }

  template <bool kInverse, int kBins>
  void row_values(const Call& call, Block<T> value, Block<T> log_det) const {
    const SplineRows<T, kSplit, kBins> rows(form_);
    const Index count = parameters();
    map_rows(call.x, value, log_det, [&](Index j) {
      return [&, theta = call.theta.column(j * count)](Index i, Index lanes, const B& argument, B& y, B& log_slope) {
        B outside, turns;
        M inside;
        const B at = begin<kInverse>(argument, outside, inside, turns);
        rows.template value<kInverse>(at, {theta + i, call.theta.stride, simd::Lanes<T>(lanes)}, y, log_slope);
        y = finish_value<kInverse>(y, outside, inside, turns);
        log_slope = finish_log(log_slope, outside, inside);
      };
    });
  }
  template <bool kInverse, int kBins>
  void row_adjoint(const Call& call, Block<const T> g_value, Block<const T> g_log_det, const Gradient<T>& gx,
                   const Gradient<T>& gtheta) const {
    const SplineRows<T, kSplit, kBins> rows(form_);
    const Index count = parameters();
    const B zero(T(0));
    for (Index j = 0; j < call.x.columns; ++j)
      for (Index i = 0; i < call.x.rows; i += simd::kLanes<T>) {
        const simd::Lanes<T> lanes(call.x.rows - i);
        B outside, turns, g_at;
        M inside;
        const B at = begin<kInverse>(lanes.load(call.x.column(j) + i), outside, inside, turns);
        const B g = lanes.load(g_value.column(j) + i);
        rows.template adjoint<kInverse>(
            at, {call.theta.column(j * count) + i, call.theta.stride, lanes}, simd::select(inside, g, zero),
            simd::select(inside, lanes.load(g_log_det.data + i), zero), g_at, gtheta.wanted(),
            [&](Index k, const B& v) { gtheta.add(v, j * count + k, i, lanes); });
        gx.add(simd::select(inside, g_at, g), j, i, lanes);
      }
  }

  /// Gradients of K + 1 knots, `stride` apart, to those of the raw shares.
  void add_knots_adjoint(const B* raw, double minimum, const B* g_knots, B* g_raw) const;

  SplineForm<T> form_;
  bool derived_;
};

template <class T, bool kSplit>
void SplineTransformer<T, kSplit>::add_knots_adjoint(const B* raw, double minimum, const B* g_knots, B* g_raw) const {
  const Index bins = form_.bins, step = kSplit ? 2 : 1;
  const bool clipped = form_.constraint == Constraint::soft_clip;
  if (clipped) minimum = 0;
  const B rate(form_.clip_rate()), one(T(1));
  B share[kMaximumBins];
  B largest, sum(T(0));
  for (Index k = 0; k < bins; ++k) {
    share[k] = clipped ? form_.clip(raw[k], form_.clip_rate()) : raw[k];
    largest = k == 0 ? share[k] : simd::max(largest, share[k]);
  }
  for (Index k = 0; k < bins; ++k) {
    share[k] = simd::exp(share[k] - largest);
    sum += share[k];
  }
  const B inverse = one / sum;
  // Width k moves every knot to its right but the last, which is fixed.
  B tail(T(0)), mean(T(0));
  for (Index k = bins - 1; k >= 0; --k) {
    share[k] *= inverse;
    if (k + 1 < bins) tail += g_knots[(k + 1) * step];
    g_raw[k] = tail;
    mean = simd::fma(share[k], tail, mean);
  }
  const B scale(static_cast<T>(form_.range() * (1 - minimum * static_cast<double>(bins))));
  for (Index k = 0; k < bins; ++k) {
    g_raw[k] = scale * share[k] * (g_raw[k] - mean);
    if (clipped) {
      const B d = one / simd::fma(simd::abs(raw[k]), rate, one);
      g_raw[k] = g_raw[k] * d * d;
    }
  }
}

template <class T, bool kSplit>
void SplineTransformer<T, kSplit>::prepare_adjoint(Block<const T> raw, Block<const T> out, Block<const T> g_out,
                                                   Block<T> gradient, Tape<T>& tape) const {
  if (derived_) return this->derived_prepare_adjoint(raw, g_out, gradient, tape);
  Workspace<T> work(tape);
  const Index P = parameters(), Q = prepared(), elements = raw.columns / P;
  const Index bins = form_.bins, pieces = form_.pieces();
  const bool clipped = form_.constraint == Constraint::soft_clip;
  B* in = work.template array<B>(P);
  B* made = work.template array<B>(Q);
  B* g = work.template array<B>(Q);
  B* g_in = work.template array<B>(P);
  B* g_d = work.template array<B>(bins + 1);
  detail::ElementLanes<T> raw_lanes(work, P), out_lanes(work, Q), g_lanes(work, Q);
  const B one(T(1));
  for (Index first = 0; first < elements; first += simd::kLanes<T>) {
    const Index count = elements - first;
    raw_lanes.load(raw, first, count);
    out_lanes.load(out, first, count);
    g_lanes.load(g_out, first, count);
    for (Index k = 0; k < P; ++k) in[k] = raw_lanes.at(k);
    for (Index k = 0; k < Q; ++k) {
      made[k] = out_lanes.at(k);
      g[k] = g_lanes.at(k);
    }
    // Empty lanes take the numbers of an identity, where nothing is divided by zero.
    if (count < simd::kLanes<T>) {
      const M used = simd::first_lanes<T>(count);
      for (Index k = 0; k <= pieces; ++k) {
        const B even(static_cast<T>(form_.lower + form_.range() * static_cast<double>(k) / static_cast<double>(pieces)));
        made[k] = simd::select(used, made[k], even);
        made[pieces + 1 + k] = simd::select(used, made[pieces + 1 + k], even);
      }
    }
    const B* x = made;
    const B* y = made + pieces + 1;
    B* g_x = g;
    B* g_y = g + pieces + 1;
    B* g_shape = g + 2 * (pieces + 1);
    if constexpr (kSplit) {
      const auto derivative = [&](Index k) {
        const Index c = form_.derivative_of_knot(k);
        return c < 0 ? B(static_cast<T>(form_.boundary_derivative)) : form_.derivative(in[2 * bins + c]);
      };
      B left = derivative(0);
      g_d[0] = B(T(0));
      for (Index k = 0; k < bins; ++k) {
        const Index a = 2 * k;
        const B right = derivative(k + 1);
        const B raw_lambda = in[form_.lambda_offset() + k];
        const B zero(T(0));
        BinGradient<B> b{zero, zero, zero, zero, zero, zero, zero};
        add_division_adjoint(x[a], x[a + 2], y[a], y[a + 2], left, right, form_.lambda(raw_lambda), g_x[a + 1],
                             g_y[a + 1], g_shape[a], g_shape[a + 1], b);
        g_x[a] += b.xa;
        g_x[a + 2] += b.xb;
        g_y[a] += b.ya;
        g_y[a + 2] += b.yb;
        g_d[k] += b.da;
        g_d[k + 1] = b.db;
        const B sigmoid = simd::sigmoid(raw_lambda);
        g_in[form_.lambda_offset() + k] =
            B(static_cast<T>(1 - 2 * form_.minimum_lambda)) * sigmoid * (one - sigmoid) * b.lambda;
        left = right;
      }
    } else {
      for (Index k = 0; k <= bins; ++k) g_d[k] = g_shape[k];
    }
    for (Index k = 0; k < form_.derivatives(); ++k) g_in[2 * bins + k] = B(T(0));
    for (Index k = 0; k <= bins; ++k) {
      const Index c = form_.derivative_of_knot(k);
      if (c < 0) continue;
      const B r = in[2 * bins + c];
      if (clipped) {
        const B d = one / simd::fma(simd::abs(r), B(form_.clip_rate() / 2), one);
        g_in[2 * bins + c] += g_d[k] * simd::exp(r * d) * d * d;
      } else {
        g_in[2 * bins + c] += g_d[k] * simd::sigmoid(r);
      }
    }
    add_knots_adjoint(in, form_.minimum_width, g_x, g_in);
    add_knots_adjoint(in + bins, form_.minimum_height, g_y, g_in + bins);
    for (Index k = 0; k < P; ++k)
      detail::store_elements<T>(g_in[k], P, k, first, count, [&](Index c, T v) { *gradient.column(c) += v; });
  }
}

}  // namespace pushforward
