// my_name: points on a helix in space, with Gaussian noise.
#include <cmath>
#include <numbers>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// The same class serves both precisions: a table is always in double.
template <class T>
class MyName final : public Dataset<T> {
 public:
  explicit MyName(Build<T>& build)
      : samples_(build.integer("samples")), turns_(build.real("turns")), noise_(build.real("noise")) {}

  /// A function of the fields and the seed alone.
  Table load(std::uint64_t seed) const override {
    Table table;
    table.rows = samples_;
    table.names = {"x", "y", "z"};
    table.values.resize(static_cast<std::size_t>(samples_ * table.columns()));
    Matrix<double> height(samples_, 1), noise(samples_, 3);
    Draws({.seed = seed}, kDraws, 0, 0).uniform(height.block());
    Draws({.seed = seed}, kDraws, 1, 0).normal(noise.block());
    for (Index i = 0; i < samples_; ++i) {
      const double z = 2 * height(i, 0) - 1, angle = std::numbers::pi * turns_ * z;
      const double point[] = {std::cos(angle), std::sin(angle), z};
      for (Index j = 0; j < 3; ++j) table.column(j)[static_cast<std::size_t>(i)] = point[j] + noise_ * noise(i, j);
    }
    return table;
  }

 private:
  /// What a dataset draws must not depend on the model, whose components count from 0.
  static constexpr ComponentId kDraws{0xda7a1000};
  Index samples_;
  double turns_, noise_;
};

constexpr Field kFields[] = {
    integer("samples", "1000", "rows").at_least(1),
    real("turns", "2.0", "of the helix, between z = -1 and z = 1").above(0),
    real("noise", "0.05", "standard deviation of what is added to each coordinate").at_least(0),
};

// Every example gets every check of the conformance kit: name, spec, columns.
constexpr Example kExamples[] = {
    {"default", "my_name", 3},
    {"line", "my_name: {samples: 50, turns: 0.5, noise: 0.0}", 3},
};

constexpr const char kDocumentation[] = R"(
Columns `x`, `y`, `z`: `(cos(pi n z), sin(pi n z), z)` with z uniform on `[-1, 1]` and n turns, and independent noise
`N(0, noise^2)` on each coordinate.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("dataset", "my_name", "A helix with noise", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
