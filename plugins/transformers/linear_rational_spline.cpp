// linear_rational_spline: a monotone spline of K bins, each of two linear-rational pieces.
//
// | parameters | meaning |
// | --- | --- |
// | 0 .. K-1 | raw widths |
// | K .. 2K-1 | raw heights |
// | 2K .. 3K-2 | raw derivatives at the interior knots, left to right |
// | 3K-1 .. 4K-2 | raw lambdas: where each bin is divided |
//
// Fuhr and Kallay 1992; Dolatabadi, Erfani and Leckie, "Invertible generative modeling using linear rational
// splines", AISTATS 2020. The parametrisation is FlowTorch's and Pyro's.
#include "pushforward/plugin.h"
#include "pushforward/spline_transformer.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
SplineForm<T> form_of(Build<T>& build) {
  SplineForm<T> form;
  form.split_bins = true;
  form.bins = build.integer("bins");
  form.upper = build.real("bound");
  form.lower = -form.upper;
  form.minimum_width = build.real("minimum_width");
  form.minimum_height = build.real("minimum_height");
  form.minimum_derivative = build.real("minimum_derivative");
  form.minimum_lambda = build.real("minimum_lambda");
  form.boundary_derivative = build.real("boundary_derivative");
  const double bins = static_cast<double>(form.bins);
  if (form.minimum_width * bins >= 1) build.fail("minimum_width", "times the bins must be less than 1");
  if (form.minimum_height * bins >= 1) build.fail("minimum_height", "times the bins must be less than 1");
  if (form.boundary_derivative <= form.minimum_derivative)
    build.fail("boundary_derivative", "must be larger than minimum_derivative");
  return form;
}

template <class T>
class LinearRationalSpline final : public SplineTransformer<T, true> {
 public:
  explicit LinearRationalSpline(Build<T>& build)
      : SplineTransformer<T, true>(form_of(build), build.text("kernel") == "derived") {}
};

constexpr Field kFields[] = {
    integer("bins", "8", "bins K").at_least(1).at_most(kMaximumBins),
    real("bound", "3.0", "the spline lives on [-bound, bound], in x and in y; outside it is the identity").above(0),
    real("minimum_width", "1e-3", "smallest width of a bin, as a part of the interval").above(0).below(1),
    real("minimum_height", "1e-3", "smallest height of a bin, likewise").above(0).below(1),
    real("minimum_derivative", "1e-3", "smallest derivative at a knot").above(0).below(1),
    real("minimum_lambda", "0.025", "a bin is divided between this part of its width and 1 minus it").above(0).below(0.5),
    real("boundary_derivative", "0.999", "derivative just inside of both ends; FlowTorch and Pyro have 0.999").above(0),
    choice("kernel", "simd", "simd|derived",
           "hand-written kernels, or derivatives derived from the formula (slow; for comparisons)"),
};

constexpr Example kExamples[] = {
    {"default", "linear_rational_spline", 3},
    {"smooth_ends", "linear_rational_spline: {bins: 5, bound: 4.0, boundary_derivative: 1.0}", 2},
    {"forty_bins", "linear_rational_spline: {bins: 40, bound: 3.0}", 1},
    {"derived", "linear_rational_spline: {bins: 3, kernel: derived}", 2},
};

constexpr const char kDocumentation[] = R"(
Bin k from `(x_k, y_k)` to `(x_{k+1}, y_{k+1})`, with derivatives `d_k`, `d_{k+1}` and slope `s`, is divided at
`x_k + lambda w_k`. Its ends have weights `a = 1` and `b = sqrt(d_k/d_{k+1})`, the middle has
`c = (lambda a d_k + (1 - lambda) b d_{k+1}) / s`, and `y_m = ((1 - lambda) a y_k + lambda b y_{k+1}) / ((1 - lambda) a +
lambda b)`. With `t` from 0 to 1 within a half, weights `p`, `q` and values `y_l`, `y_r` at its ends:

`y = (p y_l (1 - t) + q y_r t) / (p (1 - t) + q t)`

Widths and heights are `2 bound (m + (1 - m K) softmax(raw))`, derivatives `m + softplus(raw)`,
`lambda = m + (1 - 2m) sigmoid(raw)`. Continuous with its first derivative inside; the inverse is a spline of the same
kind. FlowTorch and Pyro search for a bin with knots moved by 1e-6; this spline does not.

L. Fuhr and M. Kallay, Monotone linear rational spline interpolation, Computer Aided Geometric Design 9 (1992).
H. M. Dolatabadi, S. Erfani, C. Leckie, Invertible generative modeling using linear rational splines, AISTATS 2020.
)";

constexpr ComponentInfo kComponents[] = {describe<LinearRationalSpline>(
    "transformer", "linear_rational_spline", "Monotone linear-rational spline (FlowTorch's and Pyro's)", kFields,
    kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("linear_rational_spline", "0.1.0", "MIT", kComponents);
