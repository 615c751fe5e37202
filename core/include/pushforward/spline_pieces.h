// One piece of a monotone spline, on SIMD batches: value, inverse and adjoint in forms that lose nothing to
// cancellation at the knots or for extreme parameters.
//
// A piece goes from (xl, yl) to (xr, yr). Positions are two numbers that add up to 1, each computed from its own knot:
// t = (x - xl) / W and u = (xr - x) / W, W = xr - xl; H = yr - yl; s = H / W.
#pragma once

#include "pushforward/simd.h"

namespace pushforward {

/// Gradients with respect to the four numbers of a piece's corners and its two (or one) shape numbers.
template <class B>
struct PieceGradient {
  B xl, xr, yl, yr, shape0, shape1;
};

namespace detail {

/// left + step * fraction, counted from the nearer end, so that the ends are met exactly.
template <class B>
B from_nearer_end(const B& left, const B& right, const B& step, const B& fraction, const B& rest) {
  return simd::select(fraction < rest, simd::fma(step, fraction, left), right - step * rest);
}

}  // namespace detail

/// Rational-quadratic piece with derivatives dl and dr at its ends (Gregory and Delbourgo 1982; Durkan et al. 2019):
/// y = yl + H (s t^2 + dl t u) / D, D = s (t^2 + u^2) + (dl + dr) t u, dy/dx = s^2 M / D^2,
/// M = dr t^2 + 2 s t u + dl u^2. Every sum has terms of one sign.
template <class T>
struct RationalQuadraticPiece {
  using B = simd::Batch<T>;
  B xl, xr, yl, yr, dl, dr;
  B iw, ih;  // 1 / W and 1 / H: for `inverse` and `adjoint`

  void find_reciprocals() {
    const B w = xr - xl, h = yr - yl;
    const B both = B(T(1)) / (w * h);
    iw = h * both;
    ih = w * both;
  }
  void forward(const B& x, B& y, B& log_slope) const {
    // With a = t W and b = u W everything is over the same denominator, and one division is enough.
    const B w = xr - xl, h = yr - yl, a = x - xl, b = xr - x;
    const B aa = a * a, bb = b * b, ab = a * b, dlw = dl * w, drw = dr * w;
    const B id = B(T(1)) / simd::fma(h, aa + bb, (dlw + drw) * ab);
    const B hid = h * id;
    y = detail::from_nearer_end(yl, yr, h, simd::fma(h, aa, dlw * ab) * id, simd::fma(h, bb, drw * ab) * id);
    log_slope = simd::log_of_positive(hid * hid * w * (drw * aa + (h + h) * ab + dlw * bb));
  }
  void inverse(const B& y, B& x, B& log_slope) const {
    const B s = (yr - yl) * iw;
    B t, u;
    position(y, s, t, u);
    x = detail::from_nearer_end(xl, xr, xr - xl, t, u);
    const B tu = t * u, tt = t * t, uu = u * u;
    const B d = simd::fma(s, tt + uu, (dl + dr) * tu) * (xr - xl) * ih;  // D / s
    log_slope = simd::log_of_positive(d * d / (dr * tt + (s + s) * tu + dl * uu));
  }
  /// Adjoint of either direction. `at` is the argument (x, or y of the inverse), `g_value` and `g_log` the cotangents
  /// of the direction's value and log_slope; `g_at` is the gradient of the argument.
  template <bool kInverse>
  PieceGradient<B> adjoint(const B& at, const B& g_value, const B& g_log, B& g_at) const {
    const B two(T(2));
    const B w = xr - xl, h = yr - yl;
    const B s = h * iw, is = w * ih;
    B t, u;
    if constexpr (kInverse) {
      position(at, s, t, u);
    } else {
      t = (at - xl) * iw;
      u = (xr - at) * iw;
    }
    const B tt = t * t, uu = u * u, tu = t * u, both_d = dl + dr;
    const B d = simd::fma(s, tt + uu, both_d * tu);
    const B m = simd::fma(dr, tt, simd::fma(s + s, tu, dl * uu));
    const B dm = B(T(1)) / (d * m);
    const B id = m * dm, im = d * dm;
    const B f = simd::fma(s, tt, dl * tu) * id, rest = simd::fma(s, uu, dr * tu) * id;
    const B sid = s * id;
    // d log_slope / dt, with u = 1 - t.
    const B log_t = two * (simd::fma(dr, t, s * (u - t)) - dl * u) * im - two * (both_d - s - s) * (u - t) * id;
    B gy = g_value, gl = g_log, g_x;
    if constexpr (kInverse) {
      // x = f^{-1}(y), log_slope = -L(x): the cotangent of x is c, that of y is c / f_x; what then reaches x through
      // f and L at fixed y is -g_value.
      const B d_s = d * is;
      const B c = g_value - g_log * log_t * iw;
      gy = -c * (d_s * d_s) * im;
      gl = -g_log;
      g_x = -g_value;
      g_at = -gy;
    } else {
      g_x = gy * (sid * sid * m) + gl * log_t * iw;
      g_at = g_x;
    }
    const B tu2_m = two * tu * im, tu2_d = two * tu * id;
    const B gh = gy * h * tu * id;
    const B g_s = gh * simd::fma(dr, tt, -(dl * uu)) * id + gl * (two * is + tu2_m - two * (tt + uu) * id);
    PieceGradient<B> g;
    g.shape0 = simd::fma(gh, rest, gl * simd::fma(uu, im, -tu2_d));
    g.shape1 = gl * simd::fma(tt, im, -tu2_d) - gh * f;
    const B g_h = g_s * iw;  // s = H / W
    const B g_w = g_h * s;   // minus the gradient of W through s
    g.xl = g_w - g_x * u;
    g.xr = -g_w - g_x * t;
    g.yl = gy * rest - g_h;
    g.yr = gy * f + g_h;
    return g;
  }

 private:
  void position(const B& y, const B& s, B& t, B& u) const {
    // With v = (y - yl) / H, w = 1 - v and r = t / u:  s w r^2 + e r - s v = 0, e = dl w - dr v. The discriminant is
    // a sum of squares, and t and u each come without a difference of large numbers.
    const B v = (y - yl) * ih, w = (yr - y) * ih;
    const B e = dl * w - dr * v;
    const B sv = s * v, sw = s * w;
    const B root = simd::sqrt(simd::fma(e, e, B(T(4)) * sv * sw));
    const B sum = root + simd::abs(e);
    const simd::Mask<T> positive = e > B(T(0));
    const B top = simd::select(positive, sv + sv, sum);
    const B bottom = simd::select(positive, sum, sw + sw);
    const B inverse = B(T(1)) / (top + bottom);
    t = top * inverse;
    u = bottom * inverse;
  }
};

/// Linear-rational piece (Fuhr and Kallay 1992; Dolatabadi et al. 2020): y = yl + H r t / (u + r t), where r is the
/// ratio of the weights of its ends; dy/dx = s r / (u + r t)^2. The inverse is such a piece, too, with 1 / r.
template <class T>
struct LinearRationalPiece {
  using B = simd::Batch<T>;
  B xl, xr, yl, yr, ratio;
  B iw, ih, iratio;  // 1 / W, 1 / H, 1 / ratio

  void find_reciprocals() {
    const B w = xr - xl, h = yr - yl, wh = w * h;
    const B all = B(T(1)) / (wh * ratio);
    const B both = all * ratio;
    iw = h * both;
    ih = w * both;
    iratio = wh * all;
  }
  void forward(const B& x, B& y, B& log_slope) const {
    const B h = yr - yl;
    const B t = (x - xl) * iw, u = (xr - x) * iw;
    const B id = B(T(1)) / simd::fma(ratio, t, u);
    y = detail::from_nearer_end(yl, yr, h, ratio * t * id, u * id);
    log_slope = simd::log_of_positive((h * iw) * (ratio * id) * id);
  }
  void inverse(const B& y, B& x, B& log_slope) const {
    const B w = xr - xl;
    const B v = (y - yl) * ih, rest = (yr - y) * ih;
    const B id = B(T(1)) / simd::fma(ratio, rest, v);
    x = detail::from_nearer_end(xl, xr, w, v * id, ratio * rest * id);
    log_slope = simd::log_of_positive((w * ih) * (ratio * id) * id);
  }
  /// As of RationalQuadraticPiece; shape0 is the gradient of the ratio.
  template <bool kInverse>
  PieceGradient<B> adjoint(const B& at, const B& g_value, const B& g_log, B& g_at) const {
    const B one(T(1)), two(T(2));
    const B w = xr - xl, h = yr - yl;
    PieceGradient<B> g;
    g.shape1 = B(T(0));
    if constexpr (kInverse) {
      // v and 1 - v are the shares of y, r t / (u + r t) and u / (u + r t); f_x = s d^2 / r with d = v + r (1 - v).
      const B v = (at - yl) * ih, rest = (yr - at) * ih;
      const B d = simd::fma(ratio, rest, v), id = one / d;
      const B log_x = two * (iratio - one) * d * iw;
      const B gy = (g_log * log_x - g_value) * (w * ih) * (ratio * id) * id;
      const B g_logw = g_log * iw, g_logh = g_log * ih;
      g_at = -gy;
      g.xl = simd::fma(g_value, ratio * rest * id, -g_logw);
      g.xr = simd::fma(g_value, v * id, g_logw);
      g.yl = simd::fma(gy, rest, g_logh);
      g.yr = simd::fma(gy, v, -g_logh);
      g.shape0 = iratio * (gy * h * (v * rest) - g_log * (one - v - v));
    } else {
      const B t = (at - xl) * iw, u = (xr - at) * iw;
      const B id = one / simd::fma(ratio, t, u);
      const B tid = t * id, uid = u * id;
      g_at = (g_value * h * (ratio * id) - two * g_log * (ratio - one)) * id * iw;
      const B g_logw = g_log * iw, g_logh = g_log * ih;
      g.xl = g_logw - g_at * u;
      g.xr = -g_logw - g_at * t;
      g.yl = g_value * uid - g_logh;
      g.yr = g_value * (ratio * tid) + g_logh;
      g.shape0 = g_value * h * (tid * uid) + g_log * (iratio - two * tid);
    }
    return g;
  }
};

}  // namespace pushforward
