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

  void forward(const B& x, B& y, B& log_slope) const {
    const Terms a = at_x(x);
    y = detail::from_nearer_end(yl, yr, a.h, a.f, a.rest);
    log_slope = simd::log(a.slope());
  }
  void inverse(const B& y, B& x, B& log_slope) const {
    const Terms a = at_y(y);
    x = detail::from_nearer_end(xl, xr, a.w, a.t, a.u);
    log_slope = -simd::log(a.slope());
  }
  /// Adjoint of either direction. `at` is the argument (x, or y of the inverse), `g_value` and `g_log` the cotangents
  /// of the direction's value and log_slope; `g_at` is the gradient of the argument.
  template <bool kInverse>
  PieceGradient<B> adjoint(const B& at, const B& g_value, const B& g_log, B& g_at) const {
    const B two(T(2));
    const Terms a = kInverse ? at_y(at) : at_x(at);
    const B iM = B(T(1)) / a.m;
    const B f_t = a.s * a.m * a.id * a.id;  // s M / D^2
    // d/dt with u = 1 - t.
    const B log_t = two * ((dr * a.t - dl * a.u) + a.s * (a.u - a.t)) * iM -
                    two * (dl + dr - two * a.s) * (a.u - a.t) * a.id;
    B gy = g_value, gl = g_log;
    if constexpr (kInverse) {
      // x = f^{-1}(y), log_slope = -L(x): the cotangent of x is c, that of y is c / f_x.
      const B c = g_value - g_log * log_t * a.iw;
      gy = -c / (a.s * f_t);
      gl = -g_log;
    }
    const B tu2_m = two * a.tu * iM, tu2_d = two * a.tu * a.id;
    const B g_t = gy * a.h * f_t + gl * log_t;
    const B g_s = gy * a.h * a.tu * (dr * a.tt - dl * a.uu) * a.id * a.id +
                  gl * (two / a.s + tu2_m - two * (a.tt + a.uu) * a.id);
    PieceGradient<B> g;
    g.shape0 = gy * a.h * a.tu * a.rest * a.id + gl * (a.uu * iM - tu2_d);
    g.shape1 = gl * (a.tt * iM - tu2_d) - gy * a.h * a.tu * a.f * a.id;
    const B g_x = g_t * a.iw;
    g_at = kInverse ? -gy : g_x;
    const B g_w = g_s * a.s * a.iw;  // minus the gradient of W through s
    const B g_h = g_s * a.iw;
    g.xl = g_w - g_x * a.u;
    g.xr = -g_w - g_x * a.t;
    g.yl = gy * a.rest - g_h;
    g.yr = gy * a.f + g_h;
    return g;
  }

 private:
  struct Terms {
    B w, iw, h, s, t, u, tt, uu, tu, id, m, f, rest;
    B slope() const {
      const B q = s * id;
      return q * q * m;
    }
  };
  void finish(Terms& a) const {
    a.tt = a.t * a.t;
    a.uu = a.u * a.u;
    a.tu = a.t * a.u;
    a.id = B(T(1)) / (a.s * (a.tt + a.uu) + (dl + dr) * a.tu);
    a.f = (a.s * a.tt + dl * a.tu) * a.id;
    a.rest = (a.s * a.uu + dr * a.tu) * a.id;
    a.m = dr * a.tt + (a.s + a.s) * a.tu + dl * a.uu;
  }
  Terms at_x(const B& x) const {
    Terms a;
    a.w = xr - xl;
    a.iw = B(T(1)) / a.w;
    a.h = yr - yl;
    a.s = a.h * a.iw;
    a.t = (x - xl) * a.iw;
    a.u = (xr - x) * a.iw;
    finish(a);
    return a;
  }
  Terms at_y(const B& y) const {
    Terms a;
    a.w = xr - xl;
    a.h = yr - yl;
    const B both = B(T(1)) / (a.w * a.h);
    a.iw = a.h * both;
    const B ih = a.w * both;
    a.s = a.h * a.iw;
    // With v = (y - yl) / H, w = 1 - v and r = t / u:  s w r^2 + e r - s v = 0, e = dl w - dr v.
    const B v = (y - yl) * ih, w = (yr - y) * ih;
    const B e = dl * w - dr * v;
    const B sv = a.s * v, sw = a.s * w;
    const B root = simd::sqrt(e * e + B(T(4)) * sv * sw);
    const simd::Mask<T> positive = e > B(T(0));
    const B top = simd::select(positive, sv + sv, root - e);
    const B bottom = simd::select(positive, root + e, sw + sw);
    const B inverse = B(T(1)) / (top + bottom);
    a.t = top * inverse;
    a.u = bottom * inverse;
    finish(a);
    return a;
  }
};

/// Linear-rational piece (Fuhr and Kallay 1992; Dolatabadi et al. 2020): y = yl + H r t / (u + r t), where r is the
/// ratio of the weights of its ends; dy/dx = s r / (u + r t)^2. The inverse is such a piece, too, with 1 / r.
template <class T>
struct LinearRationalPiece {
  using B = simd::Batch<T>;
  B xl, xr, yl, yr, ratio;

  void forward(const B& x, B& y, B& log_slope) const {
    const B w = xr - xl, h = yr - yl, iw = B(T(1)) / w;
    const B t = (x - xl) * iw, u = (xr - x) * iw;
    const B id = B(T(1)) / simd::fma(ratio, t, u);
    y = detail::from_nearer_end(yl, yr, h, ratio * t * id, u * id);
    log_slope = simd::log((h * iw) * (ratio * id) * id);
  }
  void inverse(const B& y, B& x, B& log_slope) const {
    const B w = xr - xl, h = yr - yl, ih = B(T(1)) / h;
    const B v = (y - yl) * ih, rest = (yr - y) * ih;
    const B id = B(T(1)) / simd::fma(ratio, rest, v);
    x = detail::from_nearer_end(xl, xr, w, v * id, ratio * rest * id);
    log_slope = simd::log((w * ih) * (ratio * id) * id);
  }
  /// As of RationalQuadraticPiece; shape0 is the gradient of the ratio.
  template <bool kInverse>
  PieceGradient<B> adjoint(const B& at, const B& g_value, const B& g_log, B& g_at) const {
    const B one(T(1)), two(T(2));
    const B w = xr - xl, h = yr - yl;
    const B both = one / (w * h);
    const B iw = h * both, ih = w * both;
    B t, u, id;
    if constexpr (kInverse) {
      const B v = (at - yl) * ih, rest = (yr - at) * ih;
      const B e = one / simd::fma(ratio, rest, v);
      t = v * e;
      u = ratio * rest * e;
      id = one / simd::fma(ratio, t, u);
    } else {
      t = (at - xl) * iw;
      u = (xr - at) * iw;
      id = one / simd::fma(ratio, t, u);
    }
    const B f_t = ratio * id * id;
    const B log_t = -two * (ratio - one) * id;
    B gy = g_value, gl = g_log;
    if constexpr (kInverse) {
      gy = (g_log * log_t * iw - g_value) / (h * iw * f_t);
      gl = -g_log;
    }
    const B g_x = (gy * h * f_t + gl * log_t) * iw;
    g_at = kInverse ? -gy : g_x;
    const B tid = t * id, uid = u * id;
    PieceGradient<B> g;
    g.xl = gl * iw - g_x * u;
    g.xr = -gl * iw - g_x * t;
    g.yl = gy * uid - gl * ih;
    g.yr = gy * (ratio * tid) + gl * ih;
    g.shape0 = gy * h * (tid * uid) + gl * (one / ratio - two * tid);
    g.shape1 = B(T(0));
    return g;
  }
};

}  // namespace pushforward
