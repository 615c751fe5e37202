// tanh_residual: y = x + a tanh(x + b), the planar flow in one dimension.
//
// | parameter | meaning |
// | --- | --- |
// | 0 | raw a: a = softplus(raw + log(e - 1)) - 1 > -1, and 0 at raw 0 |
// | 1 | b |
//
// Rezende and Mohamed, "Variational inference with normalizing flows", 2015, equation 10.
#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;

template <class T>
class TanhResidual final : public KernelTransformer<TanhResidual<T>, T> {
 public:
  static constexpr int kParameters = 2;

  explicit TanhResidual(Build<T>&) {}

  // The mathematics. Values, log_det, both directions' gradients and the inverse follow from it.
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    const W a = simd::softplus(theta[0] + simd::Batch<T>(T(0.54132485461292))) - simd::Batch<T>(T(1));
    return x + a * simd::tanh(x + theta[1]);
  }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(0); }
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {{"default", "tanh_residual", 3}};

constexpr const char kDocumentation[] = R"(
`y = x + a tanh(x + b)` with `a > -1`, so that the slope `1 + a / cosh(x + b)^2` is positive: it pushes mass away from
`-b` (a > 0) or towards it (a < 0). The inverse is found by bracketing.

D. Rezende and S. Mohamed, Variational inference with normalizing flows, ICML 2015.
)";

constexpr ComponentInfo kComponents[] = {describe<TanhResidual>(
    "transformer", "tanh_residual", "x + a tanh(x + b)", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("tanh_residual", "1.0.0", "MIT", kComponents);
