// sinh_arcsinh: y = sinh(exp(log_tailweight) asinh(x) - skewness).
//
// | parameter | meaning |
// | --- | --- |
// | 0, skewness | epsilon; positive values skew to the left |
// | 1, log_tailweight | log delta; delta > 1 gives heavier tails than the base, delta < 1 lighter ones |
//
// Jones and Pewsey, "Sinh-arcsinh distributions", Biometrika 96 (2009).
#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Written as mathematics alone; the toolkit derives everything else.
template <class T>
class SinhArcsinh final : public KernelTransformer<SinhArcsinh<T>, T> {
 public:
  static constexpr int kParameters = 2;

  explicit SinhArcsinh(Build<T>&) {}

  template <class V, class W>
  V map(const V& x, const W* theta) const {
    return simd::sinh(simd::asinh(x) * simd::exp(theta[1]) - theta[0]);
  }
  template <class V, class W>
  V map_inverse(const V& y, const W* theta) const {
    return simd::sinh((simd::asinh(y) + theta[0]) * simd::exp(-theta[1]));
  }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(0); }
};

constexpr Example kExamples[] = {{"default", "sinh_arcsinh", 3}};

constexpr const char kDocumentation[] = R"(
`y = sinh(exp(t) asinh(x) - e)` with skewness `e` (parameter 0) and log tail weight `t` (parameter 1), both
unconstrained; the inverse is `x = sinh((asinh(y) + e) exp(-t))`.

Tails grow like `|x|^exp(t)`: parameters of size 5 and arguments of size 1e6 leave the range of float32.

M. C. Jones and A. Pewsey, Sinh-arcsinh distributions, Biometrika 96 (2009), 761-780.
)";

constexpr ComponentInfo kComponents[] = {describe<SinhArcsinh>(
    "transformer", "sinh_arcsinh", "Skewness and tail weight: sinh(exp(t) asinh(x) - e)", nullptr, kExamples,
    kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("sinh_arcsinh", "0.1.0", "MIT", kComponents);
