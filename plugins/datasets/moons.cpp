// moons: two half circles that reach into each other, with Gaussian noise.
//
// Pedregosa et al., "Scikit-learn: machine learning in Python", JMLR 12 (2011): sklearn.datasets.make_moons.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

struct MoonsFormula {
  static constexpr bool kLabels = true, kInOrder = true;
  double noise;

  template <class T>
  explicit MoonsFormula(Build<T>& build) : noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index upper = d.points / 2;
    const bool below = d.point >= upper;
    const Index place = below ? d.point - upper : d.point, count = below ? d.points - upper : upper;
    // Both ends of the arc are points; a single one stands at its start.
    const double angle =
        count == 1 ? 0.0 : std::numbers::pi * static_cast<double>(place) / static_cast<double>(count - 1);
    const double x = std::cos(angle), y = std::sin(angle);
    return {(below ? 1 - x : x) + noise * d.normal[0], (below ? 0.5 - y : y) + noise * d.normal[1], below};
  }
};

template <class T>
using Moons = PlanarDataset<T, MoonsFormula>;

constexpr Field kFields[] = {
    integer("samples", "1000", "rows: half of them, rounded down, on the upper moon").at_least(2),
    planar::noise("0.1"),
    planar::scale("1.0"),
    planar::shuffle("mixes the rows; otherwise the upper moon comes first, in the order of the angles"),
    planar::labels("adds the column `label`: 0 on the upper moon, 1 on the lower one"),
};

constexpr Example kExamples[] = {
    {"default", "moons", 2},
    {"three", "moons: {samples: 3, noise: 0.0}", 2},
    {"in_order", "moons: {samples: 200, noise: 0.05, shuffle: false}", 2},
    {"ffjord", "moons: {samples: 200, scale: 2.0}", 2},
    {"labelled", "moons: {samples: 200, labels: true}", 3},
};

constexpr const char kDocumentation[] = R"(
Columns `x0`, `x1`. The upper moon is `(cos t, sin t)`, the lower one `(1 - cos t, 1/2 - sin t)`, both with n points
evenly over `0 <= t <= pi`; both coordinates get independent noise `N(0, noise^2)`, and then both are multiplied by
`scale`.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -1.008 nats with the
defaults, -0.294 with `noise: 0.05`, and with `scale: s` less by `2 log s`: -2.394 with `scale: 2`.

Other libraries: scikit-learn's `make_moons`, with other random numbers (its own defaults are 100 samples and no noise).
FFJORD's `moons` is `{noise: 0.1, scale: 2.0}`, moved by (-1, -0.2).

F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12 (2011).
)";

constexpr ComponentInfo kComponents[] = {describe<Moons>(
    "dataset", "moons", "Two half circles with noise (scikit-learn's make_moons)", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("moons", "0.1.0", "MIT", kComponents);
