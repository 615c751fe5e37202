// circles: a circle of radius 1 and a smaller one inside it, with Gaussian noise.
//
// Pedregosa et al., "Scikit-learn: machine learning in Python", JMLR 12 (2011): sklearn.datasets.make_circles.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

struct CirclesFormula {
  static constexpr bool kLabels = true, kInOrder = true;
  double factor, noise;

  template <class T>
  explicit CirclesFormula(Build<T>& build) : factor(build.real("factor")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index outer = d.points / 2;
    const bool inside = d.point >= outer;
    const double position = static_cast<double>(inside ? d.point - outer : d.point);
    const double angle = 2 * std::numbers::pi * position / static_cast<double>(inside ? d.points - outer : outer);
    const double radius = inside ? factor : 1;
    return {radius * std::cos(angle) + noise * d.normal[0], radius * std::sin(angle) + noise * d.normal[1], inside};
  }
};

template <class T>
using Circles = PlanarDataset<T, CirclesFormula>;

constexpr Field kFields[] = {
    integer("samples", "1000", "rows: half of them, rounded down, on the outer circle").at_least(2),
    real("factor", "0.5", "radius of the inner circle; the outer one has 1").at_least(0).below(1),
    planar::noise("0.05"),
    planar::scale("1.0"),
    planar::shuffle("mixes the rows; otherwise the outer circle comes first, in the order of the angles"),
    planar::labels("adds the column `label`: 0 on the outer circle, 1 on the inner one"),
};

constexpr Example kExamples[] = {
    {"default", "circles", 2},
    {"thin", "circles: {samples: 101, factor: 0.8, noise: 0.0}", 2},
    {"in_order", "circles: {samples: 200, shuffle: false}", 2},
    {"ffjord", "circles: {samples: 200, noise: 0.08, scale: 3.0}", 2},
    {"labelled", "circles: {samples: 200, labels: true}", 3},
};

constexpr const char kDocumentation[] = R"(
Columns `x0`, `x1`. With n points on a circle of radius r, point k lies at `r (cos(2 pi k / n), sin(2 pi k / n))`; both
coordinates get independent noise `N(0, noise^2)`, and then both are multiplied by `scale`.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -0.61 nats with the
defaults, -1.069 with `noise: 0.08`, and with `scale: s` less by `2 log s`.

Other libraries: scikit-learn's `make_circles(samples, factor=..., noise=...)`, with other random numbers (its own
defaults are 100 samples, factor 0.8 and no noise). FFJORD's `circles` is `{noise: 0.08, scale: 3.0}`.

F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12 (2011).
)";

constexpr ComponentInfo kComponents[] = {
    describe<Circles>("dataset", "circles", "Two concentric circles with noise (scikit-learn's make_circles)", kFields,
                      kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("circles", "0.1.0", "MIT", kComponents);
