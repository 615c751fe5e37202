// Graphs of functions with noise: line and cosine over an interval; crescent, crescent_cubed, sine_wave, abs and sign
// over a normal distribution.
#include <cmath>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

using Function = double (*)(double);

double line(double x) { return x; }
double wave(double x) { return 2.5 * std::sin(x); }
double parabola(double x) { return 0.5 * x * x - 1; }
double cube(double x) { return 0.2 * x * x * x; }
double fast_wave(double x) { return std::sin(5 * x); }
double wedge(double x) { return std::abs(x) - 1; }
double jump(double x) { return x + (x > 0 ? 1 : x < 0 ? -1 : 0); }

// --- over an interval ------------------------------------------------------------------------------------------------

template <Function kFunction>
struct OverInterval {
  static constexpr bool kLabels = false, kInOrder = false;
  double noise;

  template <class T>
  explicit OverInterval(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double x = 5 * d.uniform[0] - 2.5;
    return {x + noise * d.normal[0], kFunction(x) + noise * d.normal[1]};
  }
};
template <class T>
using Line = PlanarDataset<T, OverInterval<line>>;
template <class T>
using Cosine = PlanarDataset<T, OverInterval<wave>>;

constexpr Field kIntervalFields[] = {planar::kSamples, planar::noise("0.1"), planar::scale("1.0")};

constexpr Example kLineExamples[] = {
    {"default", "line", 2},
    {"thick", "line: {samples: 300, noise: 0.5, scale: 2.0}", 2},
};
constexpr const char kLineDocumentation[] = R"(
Columns `x0`, `x1`: `(x, x)` with x uniform on (-2.5, 2.5); both coordinates get independent noise `N(0, noise^2)`, and
then both are multiplied by `scale`. The rows are independent. Without noise the points have no density, and the
likelihood of a model has no bound.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -1.10 nats with the
defaults.

Other libraries: FFJORD's `line`, without noise.

W. Grathwohl et al., FFJORD: free-form continuous dynamics for scalable reversible generative models, ICLR 2019.
)";

constexpr Example kCosineExamples[] = {
    {"default", "cosine", 2},
    {"thick", "cosine: {samples: 300, noise: 0.5, scale: 2.0}", 2},
};
constexpr const char kCosineDocumentation[] = R"(
As `line`, but the points are `(x, 2.5 sin x)`: FFJORD's `cos`, which is a sine in spite of its name, without noise.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -1.27 nats with the
defaults.
)";

// --- over a normal distribution --------------------------------------------------------------------------------------

template <Function kFunction>
struct OverNormal {
  static constexpr bool kLabels = false, kInOrder = false;
  double noise;

  template <class T>
  explicit OverNormal(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    return {d.normal[0], kFunction(d.normal[0]) + noise * d.normal[1]};
  }
};
template <class T>
using Crescent = PlanarDataset<T, OverNormal<parabola>>;
template <class T>
using CrescentCubed = PlanarDataset<T, OverNormal<cube>>;
template <class T>
using SineWave = PlanarDataset<T, OverNormal<fast_wave>>;
template <class T>
using Abs = PlanarDataset<T, OverNormal<wedge>>;
template <class T>
using Sign = PlanarDataset<T, OverNormal<jump>>;

constexpr const char kAround[] = "standard deviation of x1 around the curve";

constexpr Field kCrescentFields[] = {planar::kSamples, planar::noise("0.36787944117144233", kAround),
                                     planar::scale("1.0")};
constexpr Example kCrescentExamples[] = {
    {"default", "crescent", 2},
    {"thin", "crescent: {samples: 300, noise: 0.1, scale: 2.0}", 2},
};
constexpr const char kCrescentDocumentation[] = R"(
Columns `x0`, `x1`: `(x, x^2 / 2 - 1 + noise e)` with independent standard normal x and e; then both are multiplied by
`scale`. The rows are independent. Without noise the points have no density, and the likelihood of a model has no bound.

No model can have a larger mean log-likelihood on fresh points than the points' own density: `-1 - log(2 pi noise
scale^2)` nats, -1.838 with the defaults.

Other libraries: neural spline flows' `CrescentDataset`, whose variance `e^-2` is that of the default noise `1/e`.

C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr Field kCubedFields[] = {planar::kSamples, planar::noise("1.0", kAround), planar::scale("1.0")};
constexpr Example kCubedExamples[] = {
    {"default", "crescent_cubed", 2},
    {"thin", "crescent_cubed: {samples: 300, noise: 0.1, scale: 2.0}", 2},
};
constexpr const char kCubedDocumentation[] = R"(
As `crescent`, but around the curve `x^3 / 5`; with the defaults no model can have a larger mean log-likelihood on fresh
points than -2.838 nats. Neural spline flows' `CrescentCubedDataset`.
)";

constexpr Example kSineExamples[] = {
    {"default", "sine_wave", 2},
    {"thin", "sine_wave: {samples: 300, noise: 0.1, scale: 2.0}", 2},
};
constexpr const char kSineDocumentation[] = R"(
As `crescent`, but around the curve `sin 5x`; with the defaults no model can have a larger mean log-likelihood on fresh
points than -1.838 nats. Neural spline flows' `SineWaveDataset`.
)";

constexpr Field kSharpFields[] = {planar::kSamples, planar::noise("0.22313016014842982", kAround),
                                  planar::scale("1.0")};
constexpr Example kAbsExamples[] = {
    {"default", "abs", 2},
    {"thin", "abs: {samples: 300, noise: 0.1, scale: 2.0}", 2},
};
constexpr const char kAbsDocumentation[] = R"(
As `crescent`, but around the curve `|x| - 1`; with the default noise, `e^-1.5`, no model can have a larger mean
log-likelihood on fresh points than -1.338 nats. Neural spline flows' `AbsDataset`.
)";

constexpr Example kSignExamples[] = {
    {"default", "sign", 2},
    {"thin", "sign: {samples: 300, noise: 0.1, scale: 2.0}", 2},
};
constexpr const char kSignDocumentation[] = R"(
As `crescent`, but around the curve `x + sign(x)`, which jumps at 0; with the default noise, `e^-1.5`, no model can have a
larger mean log-likelihood on fresh points than -1.338 nats. Neural spline flows' `SignDataset`.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Line>("dataset", "line", "A straight line with noise", kIntervalFields, kLineExamples, kLineDocumentation),
    describe<Cosine>("dataset", "cosine", "A wave with noise (FFJORD's cos)", kIntervalFields, kCosineExamples,
                     kCosineDocumentation),
    describe<Crescent>("dataset", "crescent", "A parabola with noise", kCrescentFields, kCrescentExamples,
                       kCrescentDocumentation),
    describe<CrescentCubed>("dataset", "crescent_cubed", "A cubic curve with much noise", kCubedFields, kCubedExamples,
                            kCubedDocumentation),
    describe<SineWave>("dataset", "sine_wave", "A fast wave with noise", kCrescentFields, kSineExamples,
                       kSineDocumentation),
    describe<Abs>("dataset", "abs", "A wedge with noise", kSharpFields, kAbsExamples, kAbsDocumentation),
    describe<Sign>("dataset", "sign", "A line with a jump, with noise", kSharpFields, kSignExamples,
                   kSignDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("curves", "0.1.0", "MIT", kComponents);
