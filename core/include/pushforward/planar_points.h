// PlanarDataset: points in the plane, each a formula of a few random numbers; what the toy datasets have in common.
#pragma once

#include <numeric>

#include "pushforward/build.h"
#include "pushforward/random.h"
#include "pushforward/schema.h"

namespace pushforward {

/// What a formula may use for one point.
struct PlanarDraws {
  static constexpr Index kUniforms = 4;
  std::uint64_t seed = 0;
  Index point = 0;                           // 0, 1, ... in the formula's own order, before the rows are mixed
  Index points = 0;                          // how many there are
  double normal[2] = {0, 0};                 // independent, standard
  double uniform[kUniforms] = {0, 0, 0, 0};  // independent, of (0, 1)

  /// One of 0 .. classes - 1, all equally probable, by the uniform number `k`.
  Index choose(Index classes, std::size_t k) const {
    return std::min(classes - 1, static_cast<Index>(uniform[k] * static_cast<double>(classes)));
  }
};

struct PlanarPoint {
  double x0 = 0;
  double x1 = 0;
  Index label = 0;
};

/// What a dataset draws must not depend on the model, whose components count from 0.
inline constexpr ComponentId kPlanarDraws{0xda7a0001};

/// Columns `x0` and `x1`, both `scale` times what the formula gives, and `label` if that is asked for. A row is a
/// function of the fields, the seed and its number.
///
/// A formula is made from a Build, maps PlanarDraws to a PlanarPoint by `operator()`, and has the constants
/// `kLabels` (its points belong to classes, and there is the field `labels`) and `kInOrder` (a point's place
/// follows from its number, so there is the field `shuffle`; else all points are independent and alike).
template <class T, class Formula>
class PlanarDataset final : public Dataset<T> {
 public:
  explicit PlanarDataset(Build<T>& build)
      : formula_(build), samples_(build.integer("samples")), scale_(build.real("scale")) {
    if constexpr (Formula::kLabels) labels_ = build.boolean("labels");
    if constexpr (Formula::kInOrder) shuffle_ = build.boolean("shuffle");
  }

  Table load(std::uint64_t seed) const override {
    Table table;
    table.rows = samples_;
    table.names = {"x0", "x1"};
    if (labels_) table.names.push_back("label");
    table.values.resize(static_cast<std::size_t>(samples_ * table.columns()));
    std::vector<Index> order(static_cast<std::size_t>(samples_));
    std::iota(order.begin(), order.end(), Index{0});
    if (shuffle_) random_permutation(seed, kPlanarDraws.value, 0, samples_, order.data());
    Matrix<double> normal(samples_, 2), uniform(samples_, PlanarDraws::kUniforms);
    Draws({.seed = seed}, kPlanarDraws, 0, 0).normal(normal.block());
    Draws({.seed = seed}, kPlanarDraws, 1, 0).uniform(uniform.block());

    PlanarDraws draws{.seed = seed, .points = samples_};
    for (Index i = 0; i < samples_; ++i) {
      const std::size_t row = static_cast<std::size_t>(i);
      draws.point = order[row];
      for (Index k = 0; k < 2; ++k) draws.normal[k] = normal(i, k);
      for (Index k = 0; k < PlanarDraws::kUniforms; ++k) draws.uniform[k] = uniform(i, k);
      const PlanarPoint point = formula_(draws);
      table.column(0)[row] = scale_ * point.x0;
      table.column(1)[row] = scale_ * point.x1;
      if (labels_) table.column(2)[row] = static_cast<double>(point.label);
    }
    return table;
  }

 private:
  Formula formula_;
  Index samples_;
  double scale_;
  bool labels_ = false, shuffle_ = false;
};

/// The fields that PlanarDataset reads.
namespace planar {
inline constexpr Field kSamples = integer("samples", "1000", "rows").at_least(1);
constexpr Field scale(const char* fallback) {
  return real("scale", fallback, "both coordinates are multiplied by it, noise and all").above(0);
}
constexpr Field labels(const char* doc) { return boolean("labels", "false", doc); }
constexpr Field shuffle(const char* doc) { return boolean("shuffle", "true", doc); }
/// What most formulas read besides.
constexpr Field noise(const char* fallback,
                      const char* doc = "standard deviation of what is added to both coordinates") {
  return real("noise", fallback, doc).at_least(0);
}
}  // namespace planar

}  // namespace pushforward
