// The inverse that KernelTransformer finds by bracketing, where a map is nearly flat on one side and steep on the
// other.
#include <catch2/catch.hpp>

#include "pushforward/kernel_transformer.h"
#include "support/transformers.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

/// y = slope x + (exp(rate x) - 1) / rate: increasing, as steep as exp(rate x) on one side, with slope `slope` on the
/// other.
template <class T>
class FlatAndSteep final : public KernelTransformer<FlatAndSteep<T>, T> {
 public:
  static constexpr int kParameters = 2;
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    return theta[0] * x + simd::expm1(theta[1] * x) / theta[1];
  }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(1); }
};

}  // namespace

TEMPLATE_TEST_CASE("the bracketing inverse finds steep roots from a flat side", "", float, double) {
  const FlatAndSteep<TestType> map;
  const double tolerance = 20 * std::numeric_limits<TestType>::epsilon();
  for (const double slope : {1.0, 1e-2, 1e-4, 1e-8})
    for (const double rate : {2.0, -2.0, 0.5, -0.5})
      for (const double wanted : {-15.0, -4.25, -0.5, 0.5, 4.25, 15.0}) {
        const double y = slope * wanted + std::expm1(rate * wanted) / rate, steepness = slope + std::exp(rate * wanted);
        const Result back = evaluate<TestType>(map, {y}, 1, {slope, rate}, Form::rows, true);
        INFO("slope " << slope << ", rate " << rate << ", x " << wanted << ": found " << back.value[0]);
        // Rounding y moves the root by this much.
        CHECK(std::abs(back.value[0] - wanted) <= tolerance * (std::abs(wanted) + std::abs(y) / steepness));
      }
}
