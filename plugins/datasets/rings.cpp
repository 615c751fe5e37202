// Circles with noise: rings around one centre, and four_circles that cross each other.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

// --- rings -----------------------------------------------------------------------------------------------------------

struct RingsFormula {
  static constexpr bool kLabels = true, kInOrder = true;
  std::vector<double> radii;
  double noise;

  template <class T>
  explicit RingsFormula(Build<T>& build) : radii(build.reals("radii")), noise(build.real("noise")) {
    if (radii.empty()) build.fail("radii", "names no ring; give at least one radius");
    if (build.integer("samples") < rings())
      build.fail("samples", "is " + std::to_string(build.integer("samples")) + ", but there are " +
                                std::to_string(rings()) + " rings; give each a point at least");
  }
  Index rings() const { return static_cast<Index>(radii.size()); }

  PlanarPoint operator()(const PlanarDraws& d) const {
    // Ring k holds the points from k n / R to (k + 1) n / R, both rounded down.
    Index ring = std::min(rings() - 1, d.point * rings() / d.points);
    if (d.point >= (ring + 1) * d.points / rings()) ++ring;
    const Index begin = ring * d.points / rings(), end = (ring + 1) * d.points / rings();
    const double angle = 2 * std::numbers::pi * static_cast<double>(d.point - begin) / static_cast<double>(end - begin);
    const double radius = radii[static_cast<std::size_t>(ring)];
    return {radius * std::cos(angle) + noise * d.normal[0], radius * std::sin(angle) + noise * d.normal[1], ring};
  }
};
template <class T>
using Rings = PlanarDataset<T, RingsFormula>;

constexpr Field kRingsFields[] = {
    planar::kSamples,
    reals("radii", "[3.0, 2.25, 1.5, 0.75]", "one for each ring").above(0),
    planar::noise("0.08"),
    planar::scale("1.0"),
    planar::shuffle("mixes the rows; otherwise they come ring by ring, in the order of the angles"),
    planar::labels("adds the column `label`: the ring, by its place in `radii`, from 0"),
};
constexpr Example kRingsExamples[] = {
    {"default", "rings", 2},
    {"two", "rings: {samples: 101, radii: [1.0, 3.0], noise: 0.3, scale: 0.5}", 2},
    {"in_order", "rings: {samples: 7, radii: [1.0, 2.0, 3.0], noise: 0.0, shuffle: false}", 2},
    {"labelled", "rings: {samples: 200, labels: true}", 3},
};
constexpr const char kRingsDocumentation[] = R"(
Columns `x0`, `x1`. The rows are divided evenly between the rings; with n points on a ring of radius r, point k lies at
`r (cos(2 pi k / n), sin(2 pi k / n))`. Both coordinates get independent noise `N(0, noise^2)`, and then both are
multiplied by `scale`.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.621 nats with the
defaults.

Other libraries: FFJORD's `rings` with the defaults. `circles` is scikit-learn's, with two rings.

W. Grathwohl et al., FFJORD: free-form continuous dynamics for scalable reversible generative models, ICLR 2019.
)";

// --- four_circles ----------------------------------------------------------------------------------------------------

struct FourCirclesFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  double radius, noise;

  template <class T>
  explicit FourCirclesFormula(Build<T>& build) : radius(build.real("radius")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index circle = d.choose(4, 0);
    const double angle = 2 * std::numbers::pi * d.uniform[1];
    return {(circle < 2 ? 1 : -1) + radius * std::cos(angle) + noise * d.normal[0],
            (circle % 2 == 0 ? 1 : -1) + radius * std::sin(angle) + noise * d.normal[1], circle};
  }
};
template <class T>
using FourCircles = PlanarDataset<T, FourCirclesFormula>;

constexpr Field kFourFields[] = {
    planar::kSamples,
    real("radius", "2.0", "of every circle").above(0),
    planar::noise("0.1"),
    planar::scale("1.0"),
    planar::labels("adds the column `label`: the circle, 0 to 3"),
};
constexpr Example kFourExamples[] = {
    {"default", "four_circles", 2},
    {"apart", "four_circles: {samples: 300, radius: 0.5, noise: 0.02, scale: 2.0}", 2},
    {"labelled", "four_circles: {samples: 300, labels: true}", 3},
};
constexpr const char kFourDocumentation[] = R"(
Columns `x0`, `x1`. Circle k, drawn with probability 1/4, has its centre at (1, 1), (1, -1), (-1, 1) or (-1, -1); a point
of it has a uniform angle. Both coordinates get independent noise `N(0, noise^2)`, and then both are multiplied by
`scale`. The rows are independent.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.87 nats with the
defaults.

Other libraries: the `FourCircles` of neural spline flows' code, with as many rows for every circle.

C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Rings>("dataset", "rings", "Rings around one centre with noise", kRingsFields, kRingsExamples,
                    kRingsDocumentation),
    describe<FourCircles>("dataset", "four_circles", "Four circles that cross each other, with noise", kFourFields,
                          kFourExamples, kFourDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("rings", "0.1.0", "MIT", kComponents);
