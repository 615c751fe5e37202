// What winds: two_spirals, pinwheel, swiss_roll and s_curve.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file
using std::numbers::pi;

// --- two_spirals -----------------------------------------------------------------------------------------------------

struct TwoSpiralsFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  double noise;

  template <class T>
  explicit TwoSpiralsFormula(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double t = std::sqrt(d.uniform[0]) * 3 * pi;
    const Index arm = d.choose(2, 3);
    const double side = arm == 0 ? 1 : -1;
    return {side * (-t * std::cos(t) + 0.5 * d.uniform[1]) / 3 + noise * d.normal[0],
            side * (t * std::sin(t) + 0.5 * d.uniform[2]) / 3 + noise * d.normal[1], arm};
  }
};
template <class T>
using TwoSpirals = PlanarDataset<T, TwoSpiralsFormula>;

constexpr Field kTwoFields[] = {
    planar::kSamples,
    planar::noise("0.1"),
    planar::scale("1.0"),
    planar::labels("adds the column `label`: the arm, 0 or 1"),
};
constexpr Example kTwoExamples[] = {
    {"default", "two_spirals", 2},
    {"small", "two_spirals: {samples: 300, noise: 0.0, scale: 0.25}", 2},
    {"labelled", "two_spirals: {samples: 300, labels: true}", 3},
};
constexpr const char kTwoDocumentation[] = R"(
Columns `x0`, `x1`: `s (-t cos t + U1 / 2, t sin t + U2 / 2) / 3` with the angle `t = 3 pi sqrt(U0)`, independent U
uniform on (0, 1), and the arm s = 1 or -1 with the same probability; both coordinates get independent noise
`N(0, noise^2)`, and then both are multiplied by `scale`. The rows are independent.

Other libraries: FFJORD's `2spirals` with the defaults, with as many rows for either arm; the `TwoSpiralsDataset` of
neural spline flows' code.

W. Grathwohl et al., FFJORD: free-form continuous dynamics for scalable reversible generative models, ICLR 2019.
)";

// --- pinwheel --------------------------------------------------------------------------------------------------------

struct PinwheelFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  Index arms;
  double radial, tangential, rate;

  template <class T>
  explicit PinwheelFormula(Build<T>& build)
      : arms(build.integer("arms")),
        radial(build.real("radial")),
        tangential(build.real("tangential")),
        rate(build.real("rate")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index arm = d.choose(arms, 0);
    const double along = 1 + radial * d.normal[0], across = tangential * d.normal[1];
    const double angle = 2 * pi * static_cast<double>(arm) / static_cast<double>(arms) + rate * std::exp(along);
    const double c = std::cos(angle), s = std::sin(angle);
    return {along * c + across * s, across * c - along * s, arm};
  }
};
template <class T>
using Pinwheel = PlanarDataset<T, PinwheelFormula>;

constexpr Field kPinwheelFields[] = {
    planar::kSamples,
    integer("arms", "5", "how many there are").at_least(1),
    real("radial", "0.3", "standard deviation along an arm").at_least(0),
    real("tangential", "0.1", "standard deviation across an arm").at_least(0),
    real("rate", "0.25", "how much the arms wind"),
    planar::scale("2.0"),
    planar::labels("adds the column `label`: the arm, from 0"),
};
constexpr Example kPinwheelExamples[] = {
    {"default", "pinwheel", 2},
    {"straight", "pinwheel: {samples: 300, arms: 3, radial: 0.2, tangential: 0.05, rate: 0.0, scale: 1.0}", 2},
    {"labelled", "pinwheel: {samples: 300, labels: true}", 3},
};
constexpr const char kPinwheelDocumentation[] = R"(
Columns `x0`, `x1`. A point of arm k, drawn with probability 1/arms, is `(u, v)` with `u ~ N(1, radial^2)`, `v ~ N(0,
tangential^2)`, turned clockwise by the angle `2 pi k / arms + rate exp(u)`; then both coordinates are multiplied by
`scale`. The rows are independent.

Other libraries: FFJORD's `pinwheel` with the defaults, with as many rows for every arm.

M. Johnson et al., Composing graphical models with neural networks for structured representations and fast inference,
NeurIPS 2016.
)";

// --- swiss_roll, s_curve ---------------------------------------------------------------------------------------------

struct SwissRollFormula {
  static constexpr bool kLabels = false, kInOrder = false;
  double noise;

  template <class T>
  explicit SwissRollFormula(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double t = 1.5 * pi * (1 + 2 * d.uniform[0]);
    return {t * std::cos(t) + noise * d.normal[0], t * std::sin(t) + noise * d.normal[1]};
  }
};
template <class T>
using SwissRoll = PlanarDataset<T, SwissRollFormula>;

constexpr Field kRollFields[] = {planar::kSamples, planar::noise("1.0"), planar::scale("0.2")};
constexpr Example kRollExamples[] = {
    {"default", "swiss_roll", 2},
    {"thin", "swiss_roll: {samples: 300, noise: 0.1, scale: 1.0}", 2},
};
constexpr const char kRollDocumentation[] = R"(
Columns `x0`, `x1`: `(t cos t, t sin t)` with t uniform on `(1.5 pi, 4.5 pi)`; both coordinates get independent noise
`N(0, noise^2)`, and then both are multiplied by `scale`. The rows are independent.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.67 nats with the
defaults.

Other libraries: the first and the last column of scikit-learn's `make_swiss_roll`; FFJORD's `swissroll` with the
defaults.

S. Marsland, Machine learning: an algorithmic perspective, 2nd edition, chapter 6 (2014).
)";

struct SCurveFormula {
  static constexpr bool kLabels = false, kInOrder = false;
  double noise;

  template <class T>
  explicit SCurveFormula(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double t = 3 * pi * (d.uniform[0] - 0.5);
    return {std::sin(t) + noise * d.normal[0], (t < 0 ? -1 : 1) * (std::cos(t) - 1) + noise * d.normal[1]};
  }
};
template <class T>
using SCurve = PlanarDataset<T, SCurveFormula>;

constexpr Field kSCurveFields[] = {planar::kSamples, planar::noise("0.1"), planar::scale("1.0")};
constexpr Example kSCurveExamples[] = {
    {"default", "s_curve", 2},
    {"thick", "s_curve: {samples: 300, noise: 0.3, scale: 2.0}", 2},
};
constexpr const char kSCurveDocumentation[] = R"(
Columns `x0`, `x1`: `(sin t, sign(t) (cos t - 1))` with t uniform on `(-1.5 pi, 1.5 pi)`; both coordinates get
independent noise `N(0, noise^2)`, and then both are multiplied by `scale`. The rows are independent.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -1.38 nats with the
defaults.

Other libraries: the first and the last column of scikit-learn's `make_s_curve` (its own default is no noise).

F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12 (2011).
)";

constexpr ComponentInfo kComponents[] = {
    describe<TwoSpirals>("dataset", "two_spirals", "Two spirals around each other, with noise", kTwoFields,
                         kTwoExamples, kTwoDocumentation),
    describe<Pinwheel>("dataset", "pinwheel", "Normal distributions turned into the arms of a pinwheel",
                       kPinwheelFields, kPinwheelExamples, kPinwheelDocumentation),
    describe<SwissRoll>("dataset", "swiss_roll", "One spiral with noise: a Swiss roll from the side", kRollFields,
                        kRollExamples, kRollDocumentation),
    describe<SCurve>("dataset", "s_curve", "An S with noise", kSCurveFields, kSCurveExamples, kSCurveDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("spirals", "0.1.0", "MIT", kComponents);
