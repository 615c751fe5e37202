// Mixtures of equal normal distributions in the plane: eight_gaussians, four_gaussians, circular_gaussian_mixture,
// blobs and diamond.
#include <cmath>
#include <numbers>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one family, one file

/// A centre with noise around it.
PlanarPoint around(const PlanarPoint& centre, double noise, const PlanarDraws& d, Index label) {
  return {centre.x0 + noise * d.normal[0], centre.x1 + noise * d.normal[1], label};
}

/// The point k of n on a circle, the first of them to the right.
PlanarPoint on_circle(double radius, Index k, Index n) {
  const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// --- eight_gaussians, four_gaussians ---------------------------------------------------------------------------------

template <Index kModes>
struct GaussiansFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  double radius, noise;

  template <class T>
  explicit GaussiansFormula(Build<T>& build) : radius(build.real("radius")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index mode = d.choose(kModes, 0);
    return around(on_circle(radius, mode, kModes), noise, d, mode);
  }
};
template <class T>
using EightGaussians = PlanarDataset<T, GaussiansFormula<8>>;
template <class T>
using FourGaussians = PlanarDataset<T, GaussiansFormula<4>>;

constexpr Field kRadius = real("radius", "4.0", "of the circle that the centres lie on").above(0);
constexpr const char kAround[] = "standard deviation around a centre, in both coordinates";

constexpr Field kEightFields[] = {
    planar::kSamples,
    kRadius,
    planar::noise("0.5", kAround),
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

constexpr Field kFourFields[] = {
    planar::kSamples,
    kRadius,
    planar::noise("0.5", kAround),
    planar::scale("0.7072135785007072"),
    planar::labels("adds the column `label`: the centre, 0 to 3"),
};
constexpr Example kFourExamples[] = {
    {"default", "four_gaussians", 2},
    {"wide", "four_gaussians: {samples: 300, radius: 1.0, noise: 0.7, scale: 1.0}", 2},
    {"labelled", "four_gaussians: {samples: 300, labels: true}", 3},
};
constexpr const char kFourDocumentation[] = R"(
As `eight_gaussians`, but with four centres: to the right, at the top, to the left and at the bottom.

No model can have a larger mean log-likelihood on fresh points than the points' own density: with the defaults
`-log 4 - 1 - log(2 pi (noise scale)^2)` = -2.145 nats, because the four are far apart.
)";

// --- circular_gaussian_mixture ---------------------------------------------------------------------------------------

struct CircularFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  Index modes;
  double radius, noise;

  template <class T>
  explicit CircularFormula(Build<T>& build) : modes(build.integer("modes")), radius(build.real("radius")) {
    // A third of the way from a centre to the middle between it and the next one.
    noise = build.given("noise") ? build.real("noise")
                                 : radius / 3 * std::sin(std::numbers::pi / static_cast<double>(modes));
  }

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index mode = d.choose(modes, 0);
    const PlanarPoint place = on_circle(radius, mode, modes);
    return around({place.x1, place.x0}, noise, d, mode);  // the first at the top, then clockwise
  }
};
template <class T>
using CircularGaussianMixture = PlanarDataset<T, CircularFormula>;

constexpr Field kCircularFields[] = {
    planar::kSamples,
    integer("modes", "8", "how many normal distributions there are").at_least(2),
    real("radius", "2.0", "of the circle that the centres lie on").above(0),
    real("noise", kOptional, "standard deviation around a centre; radius/3 sin(pi / modes) if left out").at_least(0),
    planar::scale("1.0"),
    planar::labels("adds the column `label`: the centre, from 0"),
};
constexpr Example kCircularExamples[] = {
    {"default", "circular_gaussian_mixture", 2},
    {"five", "circular_gaussian_mixture: {samples: 300, modes: 5, radius: 3.0, noise: 0.1, scale: 0.5}", 2},
    {"labelled", "circular_gaussian_mixture: {samples: 300, modes: 2, labels: true}", 3},
};
constexpr const char kCircularDocumentation[] = R"(
Columns `x0`, `x1`. Centre k, drawn with probability 1/modes, lies at `radius (sin(2 pi k / modes), cos(2 pi k /
modes))`; both coordinates get independent noise `N(0, noise^2)`, and then both are multiplied by `scale`. The rows are
independent. Left out, the noise is a third of half the distance between neighbouring centres.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.176 nats with the
defaults.

Other libraries: normflows' `CircularGaussianMixture(n_modes=8)` with the defaults (noise 0.2551).
)";

// --- blobs -----------------------------------------------------------------------------------------------------------

struct BlobsFormula {
  static constexpr bool kLabels = true, kInOrder = false;
  Index centres;
  double box, noise;

  template <class T>
  explicit BlobsFormula(Build<T>& build)
      : centres(build.integer("centres")), box(build.real("box")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const Index mode = d.choose(centres, 0);
    Matrix<double> place(1, 2);
    Draws({.seed = d.seed}, kCentres, 0, mode).uniform(place.block());
    return around({box * (2 * place(0, 0) - 1), box * (2 * place(0, 1) - 1)}, noise, d, mode);
  }

 private:
  static constexpr ComponentId kCentres{kPlanarDraws.value + 1};
};
template <class T>
using Blobs = PlanarDataset<T, BlobsFormula>;

constexpr Field kBlobsFields[] = {
    planar::kSamples,
    integer("centres", "3", "how many normal distributions there are").at_least(1),
    real("box", "10.0", "the centres are drawn from -box to box in both coordinates").above(0),
    planar::noise("1.0", kAround),
    planar::scale("1.0"),
    planar::labels("adds the column `label`: the centre, from 0"),
};
constexpr Example kBlobsExamples[] = {
    {"default", "blobs", 2},
    {"close", "blobs: {samples: 300, centres: 10, box: 2.0, noise: 0.2, scale: 2.0}", 2},
    {"labelled", "blobs: {samples: 300, labels: true}", 3},
};
constexpr const char kBlobsDocumentation[] = R"(
Columns `x0`, `x1`. The centres are drawn by the seed, uniformly from the square of side `2 box` around zero; a row
belongs to each of them with the same probability and independently of the other rows. Both coordinates get independent
noise `N(0, noise^2)`, and then both are multiplied by `scale`.

Other libraries: scikit-learn's `make_blobs`, with other random numbers and as many rows for every centre.

F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12 (2011).
)";

// --- diamond ---------------------------------------------------------------------------------------------------------

struct DiamondFormula {
  static constexpr bool kLabels = false, kInOrder = false;
  Index width;
  double bound, noise;

  template <class T>
  explicit DiamondFormula(Build<T>& build)
      : width(build.integer("width")), bound(build.real("bound")), noise(build.real("noise")) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double step = 2 * bound / static_cast<double>(width - 1);
    const PlanarPoint p = around({step * static_cast<double>(d.choose(width, 0)) - bound,
                                  step * static_cast<double>(d.choose(width, 1)) - bound},
                                 noise, d, 0);
    return {(p.x0 + p.x1) / std::numbers::sqrt2, (p.x1 - p.x0) / std::numbers::sqrt2};
  }
};
template <class T>
using Diamond = PlanarDataset<T, DiamondFormula>;

constexpr Field kDiamondFields[] = {
    planar::kSamples,
    integer("width", "20", "centres along one side").at_least(2),
    real("bound", "2.5", "half the length of a side").above(0),
    planar::noise("0.04", kAround),
    planar::scale("1.0"),
};
constexpr Example kDiamondExamples[] = {
    {"default", "diamond", 2},
    {"coarse", "diamond: {samples: 300, width: 4, bound: 1.0, noise: 0.1, scale: 3.0}", 2},
};
constexpr const char kDiamondDocumentation[] = R"(
Columns `x0`, `x1`: normal distributions `N(m, noise^2 I)` around `width * width` centres m, a square lattice from
`-bound` to `bound`, turned by 45 degrees; then both coordinates are multiplied by `scale`. The rows are independent.

No model can have a larger mean log-likelihood on fresh points than the points' own density: -2.39 nats with the
defaults.

Other libraries: the `DiamondDataset` of neural spline flows' code, whose centres are jittered by a thousandth.

C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural spline flows, NeurIPS 2019.
)";

constexpr ComponentInfo kComponents[] = {
    describe<EightGaussians>("dataset", "eight_gaussians", "Eight normal distributions on a circle", kEightFields,
                             kEightExamples, kEightDocumentation),
    describe<FourGaussians>("dataset", "four_gaussians", "Four normal distributions on a circle", kFourFields,
                            kFourExamples, kFourDocumentation),
    describe<CircularGaussianMixture>("dataset", "circular_gaussian_mixture",
                                      "Any number of normal distributions on a circle (that of normflows)",
                                      kCircularFields, kCircularExamples, kCircularDocumentation),
    describe<Blobs>("dataset", "blobs", "Normal distributions around random centres (scikit-learn's make_blobs)",
                    kBlobsFields, kBlobsExamples, kBlobsDocumentation),
    describe<Diamond>("dataset", "diamond", "A turned square lattice of narrow normal distributions", kDiamondFields,
                      kDiamondExamples, kDiamondDocumentation),
};

}  // namespace

PUSHFORWARD_PLUGIN("gaussians", "0.1.0", "MIT", kComponents);
