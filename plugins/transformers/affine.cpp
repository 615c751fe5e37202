// affine: y = scale(a) x + b.
//
// | parameter | meaning |
// | --- | --- |
// | 0 | b, the shift |
// | 1 | a, the raw scale |
//
// Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017.
#include <cmath>

#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

enum class Scale : std::uint8_t { exp, soft_clip, softplus, sigmoid, inverse_sigmoid, clipped };

template <class T>
class Affine final : public KernelTransformer<Affine<T>, T> {
  using Base = KernelTransformer<Affine<T>, T>;
  using B = simd::Batch<T>;
  using typename Base::Call;

 public:
  static constexpr int kParameters = 2;

  explicit Affine(Build<T>& build)
      : offset_(build.real("offset")),
        minimum_(build.real("minimum_scale")),
        slope_(build.real("slope")),
        lowest_(build.real("log_scale_min")),
        highest_(build.real("log_scale_max")) {
    const std::string scale = build.text("scale");
    const char* const names[] = {"exp", "soft_clip", "softplus", "sigmoid", "inverse_sigmoid", "clipped"};
    for (int i = 0; i < 6; ++i)
      if (scale == names[i]) scale_ = static_cast<Scale>(i);
    if (lowest_ > 0 || highest_ < 0)
      build.fail(lowest_ > 0 ? "log_scale_min" : "log_scale_max", "must leave room for the identity, log scale 0");
  }

  void identity(std::span<T> theta) const override {
    // A sigmoid comes near 1 only far out, where its gradient vanishes: 7 gives 0.999.
    constexpr double kNearlyOne = 7;
    double a = 0;
    if (scale_ == Scale::softplus) a = std::log(std::expm1(1 - minimum_)) - offset_;
    if (scale_ == Scale::sigmoid) a = (minimum_ > 0 ? std::log((1 - minimum_) / minimum_) : kNearlyOne) - offset_;
    if (scale_ == Scale::inverse_sigmoid) a = kNearlyOne - offset_;
    theta[0] = T(0);
    theta[1] = static_cast<T>(a);
  }

  /// The formula, for the tangents that the toolkit derives.
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    return x * scale(theta[1]) + theta[0];
  }
  B map_inverse(const B& y, const B* theta) const {
    const Factor f = factor(theta[1]);
    return (y - theta[0]) * f.inverse;
  }

 protected:
  void values(const Call& call, Block<T> value, Block<T> log_det) const override {
    const Block<const T>& theta = call.theta;
    map_rows(call.x, value, log_det, [&](Index j) {
      return [&, j](Index i, Index lanes, const B& x, B& y, B& log_slope) {
        const B shift = number(call, theta, 2 * j, i, lanes);
        const Factor f = factor(number(call, theta, 2 * j + 1, i, lanes));
        y = call.inverse ? (x - shift) * f.inverse : simd::fma(x, f.scale, shift);
        log_slope = simd::select(simd::is_nan(y), y, call.inverse ? -f.log_scale : f.log_scale);
      };
    });
  }

  void adjoint(const Call& call, Block<const T> value, Block<const T> g_value, Block<const T> g_log_det,
               const Gradient<T>& gx, const Gradient<T>& gtheta) const override {
    constexpr Index kLanes = simd::kLanes<T>;
    const Block<const T> x = call.inverse ? value : call.x;
    for (Index j = 0; j < x.columns; ++j) {
      alignas(64) double sums[2 * kLanes] = {};
      for (Index i = 0; i < x.rows; i += kLanes) {
        const Index lanes = x.rows - i;
        const Factor f = factor(number(call, call.theta, 2 * j + 1, i, lanes));
        const B g = simd::load(g_value.column(j) + i, lanes), gl = simd::load(g_log_det.data + i, lanes);
        const B at = simd::load(x.column(j) + i, lanes);
        // Of the inverse x = (y - b) / s: dx = (dy - db) / s - x dlog s, and log_det = -log s.
        const B g_at = g * (call.inverse ? f.inverse : f.scale);
        const B g_shift = call.inverse ? -g_at : g;
        const B g_raw = f.log_slope * (call.inverse ? -simd::fma(g, at, gl) : simd::fma(g * f.scale, at, gl));
        gx.add(g_at, j, i, lanes);
        if (!call.shared) {
          gtheta.add(g_shift, 2 * j, i, lanes);
          gtheta.add(g_raw, 2 * j + 1, i, lanes);
        } else if (gtheta.wanted()) {
          const simd::Mask<T> real_rows = simd::first_lanes<T>(lanes);
          simd::accumulate(sums, simd::select(real_rows, g_shift, B(T(0))));
          simd::accumulate(sums + kLanes, simd::select(real_rows, g_raw, B(T(0))));
        }
      }
      if (call.shared) {
        gtheta.add_one(static_cast<T>(simd::sum_lanes<T>(sums)), 2 * j);
        gtheta.add_one(static_cast<T>(simd::sum_lanes<T>(sums + kLanes)), 2 * j + 1);
      }
    }
  }

 private:
  struct Factor {
    B scale, inverse, log_scale, log_slope;  // log_slope = d log_scale / d raw
  };

  static B number(const Call& call, const Block<const T>& theta, Index column, Index i, Index lanes) {
    return call.shared ? B(*theta.column(column)) : simd::load(theta.column(column) + i, lanes);
  }

  Factor from_logarithm(const B& log_scale, const B& log_slope) const {
    return {simd::exp(log_scale), simd::exp(-log_scale), log_scale, log_slope};
  }
  Factor from_scale(const B& s, const B& slope) const {
    const B inverse = B(T(1)) / s;
    return {s, inverse, simd::log(s), slope * inverse};
  }
  Factor factor(const B& raw) const {
    const B one(T(1)), a = raw + B(static_cast<T>(offset_));
    switch (scale_) {
      case Scale::exp: return from_logarithm(a, one);
      case Scale::clipped: return from_logarithm(clip(a), one);
      case Scale::soft_clip: {
        const B d = one / simd::fma(simd::abs(a), B(rate()), one);
        return from_logarithm(a * d, d * d);
      }
      case Scale::softplus: return from_scale(simd::softplus(a) + B(static_cast<T>(minimum_)), simd::sigmoid(a));
      case Scale::sigmoid: {
        const B s = simd::sigmoid(a);
        return from_scale(s + B(static_cast<T>(minimum_)), s * simd::sigmoid(-a));
      }
      case Scale::inverse_sigmoid: {
        const B e = simd::exp(-a), s = one + e;
        return {s, simd::sigmoid(a), simd::softplus(-a), -simd::sigmoid(-a)};
      }
    }
    return from_logarithm(a, one);
  }
  template <class W>
  W scale(const W& raw) const {
    const W a = raw + B(static_cast<T>(offset_));
    const B one(T(1)), minimum(static_cast<T>(minimum_));
    switch (scale_) {
      case Scale::exp: break;
      case Scale::clipped: return simd::exp(a + (clip(simd::primal(a)) - simd::primal(a)));
      case Scale::soft_clip: return simd::exp(a / (simd::abs(a) * B(rate()) + one));
      case Scale::softplus: return simd::softplus(a) + minimum;
      case Scale::sigmoid: return simd::sigmoid(a) + minimum;
      case Scale::inverse_sigmoid: return simd::exp(-a) + one;
    }
    return simd::exp(a);
  }
  T rate() const { return static_cast<T>(std::abs(1 / std::log(slope_))); }
  B clip(const B& a) const {
    return simd::max(B(static_cast<T>(lowest_)), simd::min(B(static_cast<T>(highest_)), a));
  }

  Scale scale_ = Scale::exp;
  double offset_, minimum_, slope_, lowest_, highest_;
};

constexpr Field kFields[] = {
    choice("scale", "exp", "exp|soft_clip|softplus|sigmoid|inverse_sigmoid|clipped",
           "scale of the raw number a: exp(a); exp(a / (1 + |a / log slope|)); softplus(a) + m; sigmoid(a) + m; "
           "1 / sigmoid(a); exp of a clipped to a range, whose gradient passes through the clip"),
    real("offset", "0.0", "added to a first; 2 in RealNVP-like use of the sigmoids"),
    real("minimum_scale", "1e-3", "m of softplus and sigmoid").at_least(0).below(1),
    real("slope", "1e-3", "of soft_clip: the scale stays between this and its inverse").above(0).below(1),
    real("log_scale_min", "-5.0", "of clipped"),
    real("log_scale_max", "3.0", "of clipped"),
};

constexpr Example kExamples[] = {
    {"default", "affine", 3},
    {"soft_clip", "affine: {scale: soft_clip}", 2},
    {"softplus", "affine: {scale: softplus}", 2},
    {"sigmoid", "affine: {scale: sigmoid, offset: 2.0}", 2},
    {"sigmoid_normflows", "affine: {scale: sigmoid, offset: 2.0, minimum_scale: 0.0}", 2},
    {"inverse_sigmoid", "affine: {scale: inverse_sigmoid, offset: 2.0}", 2},
    // A range that the kit's raw numbers do not leave: beyond it the gradient is not that of the map, on purpose.
    {"clipped", "affine: {scale: clipped, log_scale_min: -9.0, log_scale_max: 9.0}", 2},
};

constexpr const char kDocumentation[] = R"(
`y = s(a) x + b`, inverse `x = (y - b) / s(a)`, log_det `log s(a)` summed over the elements.

Other libraries: the default, `exp`, is that of RealNVP and normflows; `soft_clip` zuko's; `softplus` nflows' autoregressive and
`sigmoid` with `offset: 2` its coupling layer; normflows' `sigmoid` is `scale: inverse_sigmoid, offset: 2`, its
`sigmoid_inv` is `scale: sigmoid, offset: 2, minimum_scale: 0`; `clipped` FlowTorch's and Pyro's, with their
straight-through gradient: a clipped raw scale still receives the gradient of an unclipped one.

L. Dinh, J. Sohl-Dickstein, S. Bengio, Density estimation using Real NVP, ICLR 2017.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Affine>("transformer", "affine", "Scale and shift: y = s(a) x + b", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("affine", "0.1.0", "MIT", kComponents);
