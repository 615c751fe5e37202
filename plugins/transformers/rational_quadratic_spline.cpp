// rational_quadratic_spline: a monotone spline of K rational-quadratic pieces.
//
// | parameters | meaning |
// | --- | --- |
// | 0 .. K-1 | raw widths |
// | K .. 2K-1 | raw heights |
// | 2K .. | raw derivatives at the knots, left to right: K-1 (tails identity), K (circular) or K+1 (none) |
//
// Gregory and Delbourgo 1982; Durkan, Bekasov, Murray and Papamakarios, "Neural spline flows", 2019.
#include "pushforward/plugin.h"
#include "pushforward/spline_transformer.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
SplineForm<T> form_of(Build<T>& build) {
  SplineForm<T> form;
  form.bins = build.integer("bins");
  const double bound = build.real("bound");
  form.lower = -bound;
  form.upper = bound;
  if (build.given("interval")) {
    const std::vector<double> ends = build.reals("interval");
    if (ends.size() != 2 || !(ends[0] < ends[1]))
      build.fail("interval", "must be two numbers, the smaller one first, such as [0, 1]");
    form.lower = ends[0];
    form.upper = ends[1];
  }
  const std::string tails = build.text("tails");
  form.tails = tails == "identity" ? Tails::identity : tails == "none" ? Tails::none : Tails::circular;
  form.constraint = build.text("constraint") == "softmax" ? Constraint::softmax : Constraint::soft_clip;
  form.minimum_width = build.real("minimum_width");
  form.minimum_height = build.real("minimum_height");
  form.minimum_derivative = build.real("minimum_derivative");
  form.boundary_derivative = build.real("boundary_derivative");
  form.slope = build.real("slope");
  form.half_turn = build.boolean("half_turn");
  if (form.constraint == Constraint::softmax) {
    const double bins = static_cast<double>(form.bins);
    if (form.minimum_width * bins >= 1) build.fail("minimum_width", "times the bins must be less than 1");
    if (form.minimum_height * bins >= 1) build.fail("minimum_height", "times the bins must be less than 1");
    if (form.minimum_derivative >= 1) build.fail("minimum_derivative", "must be less than 1, or there is no identity");
    if (form.boundary_derivative <= form.minimum_derivative)
      build.fail("boundary_derivative", "must be larger than minimum_derivative");
  }
  return form;
}

template <class T>
class RationalQuadraticSpline final : public SplineTransformer<T, false> {
 public:
  explicit RationalQuadraticSpline(Build<T>& build)
      : SplineTransformer<T, false>(form_of(build), build.text("kernel") == "derived") {}
};

constexpr Field kFields[] = {
    integer("bins", "8", "pieces K").at_least(1).at_most(kMaximumBins),
    real("bound", "3.0", "the spline lives on [-bound, bound], in x and in y").above(0),
    reals("interval", kOptional, "[lower, upper] in place of [-bound, bound]"),
    choice("tails", "identity", "identity|none|circular",
           "outside of the interval: the identity; not in the domain (NaN); or periodic, with one derivative for both "
           "ends"),
    choice("constraint", "softmax", "softmax|soft_clip",
           "raw numbers to widths, heights and derivatives: softmax and softplus above minima, or softmax and exp of "
           "soft-clipped numbers (zuko)"),
    real("minimum_width", "1e-3", "smallest width of a bin, as a part of the interval; softmax only").above(0).below(1),
    real("minimum_height", "1e-3", "smallest height of a bin, likewise").above(0).below(1),
    real("minimum_derivative", "1e-3", "smallest derivative at a knot; softmax only").above(0),
    real("boundary_derivative", "1.0", "derivative at both ends where tails are the identity (FlowTorch: 0.999)")
        .above(0),
    real("slope", "1e-3", "smallest slope that soft_clip allows").above(0).below(1),
    boolean("half_turn", "false",
            "turn the argument by half a period first, (x mod period) - bound: puts the spline's seam opposite to its "
            "ends on a circle"),
    choice("kernel", "simd", "simd|derived",
           "hand-written kernels, or derivatives derived from the formula (slow; for comparisons)"),
};

constexpr Example kExamples[] = {
    {"default", "rational_quadratic_spline", 3},
    {"five_bins", "rational_quadratic_spline: {bins: 5, bound: 4.0}", 2},
    {"flowtorch", "rational_quadratic_spline: {bins: 8, bound: 3.0, boundary_derivative: 0.999}", 2},
    {"zuko", "rational_quadratic_spline: {bins: 8, bound: 5.0, constraint: soft_clip}", 2},
    {"unit", "rational_quadratic_spline: {interval: [0, 1], tails: none}", 2},
    {"circular", "rational_quadratic_spline: {bound: 3.141592653589793, tails: circular}", 2},
    {"half_turn", "rational_quadratic_spline: {bound: 3.141592653589793, constraint: soft_clip, half_turn: true}", 2},
    {"forty_bins", "rational_quadratic_spline: {bins: 40, bound: 3.0}", 1},
    {"derived", "rational_quadratic_spline: {bins: 4, kernel: derived}", 2},
};

constexpr const char kDocumentation[] = R"(
On bin k, with `t = (x - x_k)/w_k`, slope `s = h_k/w_k` and derivatives `d_k`, `d_{k+1}` at its ends:

`y = y_k + h_k (s t^2 + d_k t(1-t)) / (s + (d_k + d_{k+1} - 2s) t(1-t))`

Widths and heights are `w = range (m + (1 - m K) softmax(raw))`, derivatives `m + softplus(raw)`; with
`constraint: soft_clip` they are `softmax(r/(1 + |2r/log slope|))` and `exp(r/(1 + |r/log slope|))`. Continuous with its
first derivative inside; at the bounds, too, if `boundary_derivative` is 1. A point on a knot belongs to the bin on its
right; `x = bound` belongs to the interval.

The inverse is closed: a quadratic equation, in a form whose discriminant is a sum of squares.

Other libraries: nflows and normflows are the defaults; FlowTorch and Pyro have `boundary_derivative: 0.999`; zuko has
`constraint: soft_clip`; `tails: circular` is normflows' circular spline, `constraint: soft_clip, half_turn: true` zuko's.

J. A. Gregory and R. Delbourgo, Piecewise rational quadratic interpolation to monotonic data, IMA J. Numer. Anal. 2
(1982). C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr ComponentInfo kComponents[] = {describe<RationalQuadraticSpline>(
    "transformer", "rational_quadratic_spline", "Monotone rational-quadratic spline (neural spline flows)", kFields,
    kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("rational_quadratic_spline", "0.1.0", "MIT", kComponents);
