// checkerboard: uniform on the black squares of a board of four by four.
//
// Grathwohl et al., "FFJORD: free-form continuous dynamics for scalable reversible generative models", ICLR 2019.
#include <cmath>

#include "pushforward/planar_points.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

struct CheckerboardFormula {
  static constexpr bool kLabels = false, kInOrder = false;

  template <class T>
  explicit CheckerboardFormula(Build<T>&) {}

  PlanarPoint operator()(const PlanarDraws& d) const {
    const double x0 = 4 * d.uniform[0] - 2;
    const bool odd = std::fmod(std::floor(x0) + 2, 2) == 1;
    return {x0, d.uniform[1] - 2 * static_cast<double>(d.choose(2, 2)) + (odd ? 1 : 0)};
  }
};
template <class T>
using Checkerboard = PlanarDataset<T, CheckerboardFormula>;

constexpr Field kFields[] = {
    planar::kSamples,
    real("scale", "2.0", "side of a square").above(0),
};

constexpr Example kExamples[] = {
    {"default", "checkerboard", 2},
    {"small", "checkerboard: {samples: 300, scale: 0.5}", 2},
};

constexpr const char kDocumentation[] = R"(
Columns `x0`, `x1`: independent points, uniform on the eight black squares of a board of four by four squares around
zero, each of side `scale`. The density is `1 / (8 scale^2)` there and 0 elsewhere.

No model can have a larger mean log-likelihood on fresh points than the points' own density: `-log(8 scale^2)`, with the
default `-log 32 = -3.466` nats.

Other libraries: FFJORD's `checkerboard` with the default.

W. Grathwohl et al., FFJORD: free-form continuous dynamics for scalable reversible generative models, ICLR 2019.
)";

constexpr ComponentInfo kComponents[] = {describe<Checkerboard>(
    "dataset", "checkerboard", "Uniform on the black squares of a board of 4 x 4", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("checkerboard", "0.1.0", "MIT", kComponents);
