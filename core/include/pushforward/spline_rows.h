// Splines whose parameters differ from row to row, on SIMD batches: one pass over the raw numbers of 16 rows finds the
// bin of each row, and only that bin is worked out.
#pragma once

#include "pushforward/kernel_loops.h"
#include "pushforward/spline_form.h"
#include "pushforward/spline_pieces.h"

namespace pushforward {

/// `kBins` fixes the number of bins at compile time (0: the form's). `kSplit`: linear-rational, two pieces per bin.
template <class T, bool kSplit, int kBins>
class SplineRows {
  using B = simd::Batch<T>;
  using M = simd::Mask<T>;
  static constexpr Index kRoom = kBins > 0 ? kBins : kMaximumBins;

 public:
  explicit SplineRows(const SplineForm<T>& form)
      : form_(form),
        bins_(kBins > 0 ? kBins : form.bins),
        clipped_(form.constraint == Constraint::soft_clip),
        width_(form, form.minimum_width),
        height_(form, form.minimum_height),
        boundary_raw_(static_cast<T>(form.raw_derivative(form.boundary_derivative))) {}

  /// Points at the raw numbers of one element, first row of a batch.
  struct Raw {
    const T* data;
    Index stride;
    simd::Lanes<T> lanes;
    B operator()(Index k) const { return lanes.load(data + k * stride); }
  };

  template <bool kInverse>
  void value(const B& at, const Raw& raw, B& result, B& log_slope) const {
    Bin bin;
    find<kInverse, false>(at, raw, bin);
    const B dl = form_.derivative(bin.raw_dl), dr = form_.derivative(bin.raw_dr);
    if constexpr (kSplit) {
      const LinearRationalPiece<T> piece = half<kInverse>(at, bin, dl, dr, form_.lambda(bin.raw_lambda)).piece;
      kInverse ? piece.inverse(at, result, log_slope) : piece.forward(at, result, log_slope);
    } else {
      RationalQuadraticPiece<T> piece{bin.xl, bin.xr, bin.yl, bin.yr, dl, dr, {}, {}};
      if (kInverse) piece.find_reciprocals();
      kInverse ? piece.inverse(at, result, log_slope) : piece.forward(at, result, log_slope);
    }
  }

  /// `put(k, g)` receives the gradient of every raw number.
  template <bool kInverse, class Put>
  void adjoint(const B& at, const Raw& raw, const B& g_value, const B& g_log, B& g_at, bool wants_raw,
               Put&& put) const {
    Bin bin;
    find<kInverse, true>(at, raw, bin);
    const B dl = form_.derivative(bin.raw_dl), dr = form_.derivative(bin.raw_dr);
    const B zero(T(0));
    BinGradient<B> g;
    if constexpr (kSplit) {
      const B lambda = form_.lambda(bin.raw_lambda);
      const Half h = half<kInverse>(at, bin, dl, dr, lambda);
      const PieceGradient<B> p = h.piece.template adjoint<kInverse>(at, g_value, g_log, g_at);
      if (!wants_raw) return;
      const M& right = h.right;
      g = {simd::select(right, zero, p.xl), simd::select(right, p.xr, zero), simd::select(right, zero, p.yl),
           simd::select(right, p.yr, zero), zero, zero, zero};
      add_division_adjoint(bin.xl, bin.xr, bin.yl, bin.yr, dl, dr, lambda, simd::select(right, p.xl, p.xr),
                           simd::select(right, p.yl, p.yr), simd::select(right, zero, p.shape0),
                           simd::select(right, p.shape0, zero), g);
    } else {
      RationalQuadraticPiece<T> piece{bin.xl, bin.xr, bin.yl, bin.yr, dl, dr, {}, {}};
      piece.find_reciprocals();
      const PieceGradient<B> p = piece.template adjoint<kInverse>(at, g_value, g_log, g_at);
      if (!wants_raw) return;
      g = {p.xl, p.xr, p.yl, p.yr, p.shape0, p.shape1, zero};
    }
    put_shares(raw, 0, bin.width, bin.in, g.xa, g.xb, width_, put);
    put_shares(raw, bins_, bin.height, bin.in, g.ya, g.yb, height_, put);
    put_derivatives(bin, derivative_slope(bin.raw_dl) * g.da, derivative_slope(bin.raw_dr) * g.db, put);
    if constexpr (kSplit) {
      const B sigmoid = simd::sigmoid(bin.raw_lambda);
      const B slope = B(static_cast<T>(1 - 2 * form_.minimum_lambda)) * sigmoid * (B(T(1)) - sigmoid) * g.lambda;
      for (Index k = 0; k < bins_; ++k) put(form_.lambda_offset() + k, in_bin(bin, k, slope, zero));
    }
  }

 private:
  /// Constants of widths or of heights.
  struct Share {
    Share(const SplineForm<T>& form, double minimum) {
      if (form.constraint == Constraint::soft_clip) minimum = 0;
      scale = static_cast<T>(form.range() * (1 - minimum * static_cast<double>(form.bins)));
      floor = static_cast<T>(form.range() * minimum);
    }
    T scale, floor;
  };
  /// exp(raw - largest) of all bins; their softmax is that times `inverse_sum`.
  struct Softmax {
    B e[kRoom];
    B sum, inverse_sum;
    B before, own;  // exponentials summed before the row's bin, and its own
  };
  struct Bin {
    Softmax width, height;
    M in[kRoom + 1];  // the argument is at or right of knot k
    B xl, xr, yl, yr, raw_dl, raw_dr, raw_lambda;
  };
  struct Half {
    LinearRationalPiece<T> piece;
    M right;
  };

  void exponentials(const Raw& raw, Index offset, Softmax& s) const {
    const B rate(form_.clip_rate());
    B largest;
    for (Index k = 0; k < bins_; ++k) {
      B v = raw(offset + k);
      if (clipped_) v = v / simd::fma(simd::abs(v), rate, B(T(1)));
      s.e[k] = v;
      largest = k == 0 ? v : simd::max(largest, v);
    }
    B sum(T(0));
    for (Index k = 0; k < bins_; ++k) {
      s.e[k] = simd::exp_of_difference(s.e[k] - largest);
      sum += s.e[k];
    }
    s.sum = sum;
  }

  B raw_derivative(const Raw& raw, Index knot) const {
    const Index k = form_.derivative_of_knot(knot);
    return k < 0 ? B(boundary_raw_) : raw(2 * bins_ + k);
  }

  template <bool kInverse, bool kGradient>
  void find(const B& at, const Raw& raw, Bin& bin) const {
    exponentials(raw, 0, bin.width);
    exponentials(raw, bins_, bin.height);
    const B both = B(T(1)) / (bin.width.sum * bin.height.sum);
    bin.width.inverse_sum = bin.height.sum * both;
    bin.height.inverse_sum = bin.width.sum * both;
    const B scale_w = B(width_.scale) * bin.width.inverse_sum, floor_w(width_.floor);
    const B scale_h = B(height_.scale) * bin.height.inverse_sum, floor_h(height_.floor);
    const B upper(static_cast<T>(form_.upper));
    B x(static_cast<T>(form_.lower)), y = x;  // knot k
    B next_x = upper, next_y = upper;         // knot k + 1
    B sum_w(T(0)), sum_h(T(0));
    for (Index k = 0; k < bins_; ++k) {
      if (k > 0) {
        x = next_x;
        y = next_y;
      }
      if (k + 1 < bins_) {
        next_x = x + simd::fma(bin.width.e[k], scale_w, floor_w);
        next_y = y + simd::fma(bin.height.e[k], scale_h, floor_h);
      } else {
        next_x = upper;
        next_y = upper;
      }
      if (k == 0) {
        bin.xl = x;
        bin.yl = y;
        bin.xr = next_x;
        bin.yr = next_y;
        bin.raw_dl = raw_derivative(raw, 0);
        bin.raw_dr = raw_derivative(raw, 1);
        if constexpr (kSplit) bin.raw_lambda = raw(form_.lambda_offset());
        if constexpr (kGradient) {
          bin.width.before = bin.height.before = B(T(0));
          bin.width.own = bin.width.e[0];
          bin.height.own = bin.height.e[0];
        }
        continue;
      }
      const M in = at >= (kInverse ? y : x);
      bin.xl = simd::select(in, x, bin.xl);
      bin.yl = simd::select(in, y, bin.yl);
      bin.xr = simd::select(in, next_x, bin.xr);
      bin.yr = simd::select(in, next_y, bin.yr);
      bin.raw_dl = simd::select(in, raw_derivative(raw, k), bin.raw_dl);
      bin.raw_dr = simd::select(in, raw_derivative(raw, k + 1), bin.raw_dr);
      if constexpr (kSplit) bin.raw_lambda = simd::select(in, raw(form_.lambda_offset() + k), bin.raw_lambda);
      if constexpr (kGradient) {
        bin.in[k] = in;
        sum_w += bin.width.e[k - 1];
        sum_h += bin.height.e[k - 1];
        bin.width.before = simd::select(in, sum_w, bin.width.before);
        bin.height.before = simd::select(in, sum_h, bin.height.before);
        bin.width.own = simd::select(in, bin.width.e[k], bin.width.own);
        bin.height.own = simd::select(in, bin.height.e[k], bin.height.own);
      }
    }
  }

  template <bool kInverse>
  Half half(const B& at, const Bin& bin, const B& dl, const B& dr, const B& lambda) const {
    const BinDivision<B> d = BinDivision<B>::of(bin.xl, bin.xr, bin.yl, bin.yr, dl, dr, lambda);
    const M right = at >= (kInverse ? d.ym : d.xm);
    Half h{{simd::select(right, d.xm, bin.xl), simd::select(right, bin.xr, d.xm), simd::select(right, d.ym, bin.yl),
            simd::select(right, bin.yr, d.ym), simd::select(right, d.right, d.left), {}, {}, {}},
           right};
    h.piece.find_reciprocals();
    return h;
  }

  /// `value` in the rows whose bin is k, `other` elsewhere.
  B in_bin(const Bin& bin, Index k, const B& value, const B& other) const {
    B v = k == 0 ? value : simd::select(bin.in[k], value, other);
    if (k + 1 < bins_) v = simd::select(bin.in[k + 1], other, v);
    return v;
  }

  /// From the gradients of the bin's ends to those of the raw widths (or heights): the left end moves with every width
  /// before the bin, the right end also with the bin's own; then through the softmax and the soft clip.
  template <class Put>
  void put_shares(const Raw& raw, Index offset, const Softmax& s, const M* in, const B& g_left, const B& g_right,
                  const Share& share, Put&& put) const {
    const B both = g_left + g_right;
    const B mean = (both * s.before + g_right * s.own) * s.inverse_sum;
    const B c = B(share.scale) * s.inverse_sum;
    const B before = c * (both - mean), own = c * (g_right - mean), after = -(c * mean);
    const B rate(form_.clip_rate());
    for (Index k = 0; k < bins_; ++k) {
      B factor = k == 0 ? own : simd::select(in[k], own, after);
      if (k + 1 < bins_) factor = simd::select(in[k + 1], before, factor);
      B g = s.e[k] * factor;
      if (clipped_) {
        const B d = B(T(1)) / simd::fma(simd::abs(raw(offset + k)), rate, B(T(1)));
        g = g * d * d;
      }
      put(offset + k, g);
    }
  }

  B derivative_slope(const B& raw) const {
    if (!clipped_) return simd::sigmoid(raw);
    const B d = B(T(1)) / simd::fma(simd::abs(raw), B(form_.clip_rate() / 2), B(T(1)));
    return simd::exp(raw * d) * d * d;
  }

  template <class Put>
  void put_derivatives(const Bin& bin, const B& g_left, const B& g_right, Put&& put) const {
    const B zero(T(0));
    const auto of_knot = [&](Index k) {  // left end of bin k, right end of bin k - 1
      B g = zero;
      if (k > 0) g = in_bin(bin, k - 1, g_right, zero);
      if (k < bins_) g = in_bin(bin, k, g_left, g);
      return g;
    };
    const Index first = form_.derivative_of_knot(0) < 0 ? 1 : 0;
    for (Index k = first; k <= bins_; ++k) {
      const Index c = form_.derivative_of_knot(k);
      if (c < 0 || (c == 0 && k == bins_)) continue;
      B g = of_knot(k);
      if (form_.tails == Tails::circular && k == 0) g = g + of_knot(bins_);
      put(2 * bins_ + c, g);
    }
  }

  const SplineForm<T>& form_;
  const Index bins_;
  const bool clipped_;
  const Share width_, height_;
  const T boundary_raw_;
};

}  // namespace pushforward
