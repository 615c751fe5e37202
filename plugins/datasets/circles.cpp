// circles: a circle of radius 1 and a smaller one inside it, with Gaussian noise.
//
// Pedregosa et al., "Scikit-learn: machine learning in Python", JMLR 12 (2011): sklearn.datasets.make_circles.
#include <cmath>
#include <numbers>
#include <numeric>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// What a dataset draws must not depend on the model, whose components count from 0.
constexpr ComponentId kDraws{0xda7a0001};

template <class T>
class Circles final : public Dataset<T> {
 public:
  explicit Circles(Build<T>& build)
      : samples_(build.integer("samples")),
        factor_(build.real("factor")),
        noise_(build.real("noise")),
        shuffle_(build.boolean("shuffle")),
        labels_(build.boolean("labels")) {}

  Table load(std::uint64_t seed) const override {
    Table table;
    table.rows = samples_;
    table.names = {"x0", "x1"};
    if (labels_) table.names.push_back("label");
    table.values.resize(static_cast<std::size_t>(samples_ * table.columns()));
    std::vector<Index> order(static_cast<std::size_t>(samples_));
    std::iota(order.begin(), order.end(), Index{0});
    if (shuffle_) random_permutation(seed, kDraws.value, 0, samples_, order.data());
    Matrix<double> normal(samples_, 2);
    Draws({.seed = seed}, kDraws, 0, 0).normal(normal.block());

    const Index outer = samples_ / 2;
    for (Index i = 0; i < samples_; ++i) {
      const Index point = order[static_cast<std::size_t>(i)];
      const bool inside = point >= outer;
      const double position = static_cast<double>(inside ? point - outer : point);
      const double angle = 2 * std::numbers::pi * position / static_cast<double>(inside ? samples_ - outer : outer);
      const double radius = inside ? factor_ : 1;
      const std::size_t row = static_cast<std::size_t>(i);
      table.column(0)[row] = radius * std::cos(angle) + noise_ * normal(i, 0);
      table.column(1)[row] = radius * std::sin(angle) + noise_ * normal(i, 1);
      if (labels_) table.column(2)[row] = inside ? 1 : 0;
    }
    return table;
  }

 private:
  Index samples_;
  double factor_, noise_;
  bool shuffle_, labels_;
};

constexpr Field kFields[] = {
    integer("samples", "1000", "rows: half of them, rounded down, on the outer circle").at_least(2),
    real("factor", "0.5", "radius of the inner circle; the outer one has 1").at_least(0).below(1),
    real("noise", "0.05", "standard deviation of what is added to both coordinates").at_least(0),
    boolean("shuffle", "true", "mixes the rows; otherwise the outer circle comes first, in the order of the angles"),
    boolean("labels", "false", "adds the column `label`: 0 on the outer circle, 1 on the inner one"),
};

constexpr Example kExamples[] = {
    {"default", "circles", 2},
    {"thin", "circles: {samples: 101, factor: 0.8, noise: 0.0}", 2},
    {"in_order", "circles: {samples: 200, shuffle: false}", 2},
    {"labelled", "circles: {samples: 200, labels: true}", 3},
};

constexpr const char kDocumentation[] = R"(
Columns `x0`, `x1`. With n points on a circle of radius r, point k lies at `r (cos(2 pi k / n), sin(2 pi k / n))`; both
coordinates get independent noise `N(0, noise^2)`.

Other libraries: scikit-learn's `make_circles(samples, factor=..., noise=...)`, with other random numbers (its own
defaults are 100 samples, factor 0.8 and no noise).

F. Pedregosa et al., Scikit-learn: machine learning in Python, JMLR 12 (2011).
)";

constexpr ComponentInfo kComponents[] = {
    describe<Circles>("dataset", "circles", "Two concentric circles with noise (scikit-learn's make_circles)", kFields,
                      kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("circles", "0.1.0", "MIT", kComponents);
