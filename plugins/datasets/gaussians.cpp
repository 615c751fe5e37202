// Mixtures of equal normal distributions in the plane: eight_gaussians, four_gaussians, circular_gaussian_mixture,
// blobs and diamond.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// A centre with noise around it.
PlanarPoint around(double x0, double x1, double noise, const PlanarDraws& d, Index label) {
  return {x0 + noise * d.normal[0], x1 + noise * d.normal[1], label};
}

/// `modes` centres on a circle, the first of them to the right.
template <Index kModes>
struct OnCircle {
  static constexpr bool kLabels = true, kInOrder = false;
  double radius, noise;

  template <class T>
  explicit OnCircle(Build<T>& build) : radius(build.real("radius")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index mode = d.choose(kModes, 0);
    const double angle = 2 * std::numbers::pi * static_cast<double>(mode) / static_cast<double>(kModes);
    return around(radius * std::cos(angle), radius * std::sin(angle), noise, d, mode);
  }
};
template <class T>
using EightGaussians = PlanarDataset<T, OnCircle<8>>;

// --- eight_gaussians -------------------------------------------------------------------------------------------------

constexpr Field kEightFields[] = {
    planar::kSamples,
    real("radius", "4.0", "of the circle that the centres lie on").above(0),
    planar::noise("0.5", "standard deviation around a centre, in both coordinates"),
    planar::scale("0.7072135785007072"),
    planar::labels("adds the column `label`: the centre, 0 to 7"),
};
constexpr Example kEightExamples[] = {
    {"default", "eight_gaussians", 2},
    {"sharp", "eight_gaussians: {samples: 300, radius: 2.0, noise: 0.02, scale: 1.0}", 2},
    {"labelled", "eight_gaussians: {samples: 300, labels: true}", 3},
};
constexpr const char kEightDocumentation[] = R"(
Columns `x0`, `x1`. Centre k, drawn with probability 1/8, lies at `radius (cos(2 pi k / 8), sin(2 pi k / 8))`; both
coordinates get independent noise `N(0, noise^2)`, and then both are multiplied by `scale`. The rows are independent.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.831 nats with the
defaults.

Other libraries: FFJORD's `8gaussians` with the defaults, whose `scale` is 1/1.414.

W. Grathwohl et al., FFJORD: free-form continuous dynamics for scalable reversible generative models, ICLR 2019.
)";

constexpr ComponentInfo kComponents[] = {
    describe<EightGaussians>("dataset", "eight_gaussians", "Eight normal distributions on a circle", kEightFields,
                             kEightExamples, kEightDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("gaussians", "0.1.0", "MIT", kComponents);
