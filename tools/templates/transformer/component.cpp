// my_name: y = x + a x / sqrt(1 + (x / w)^2), a line whose middle is steeper (a > 0) or flatter (a < 0).
//
// | parameter | meaning |
// | --- | --- |
// | 0 | raw a: a = softplus(raw + log(e - 1)) - 1 > -1, which is 0 at raw 0 |
//
// (Here: where the map was published.)
#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public KernelTransformer<MyName<T>, T> {
 public:
  static constexpr int kParameters = 1;

  explicit MyName(Build<T>& build) : width_(static_cast<T>(build.real("width"))) {}

  /// The mathematics, for one element. Values, log_det, both directions' gradients and the inverse follow from it. V
  /// and W stand for many numbers at once, some with their derivatives: no `if`, but simd::select(condition, a, b).
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    const W a = simd::softplus(theta[0] + kLogOfEMinusOne) - T(1);
    const V u = x / width_;
    return x + a * x / simd::sqrt(u * u + T(1));
  }

  /// Raw numbers at which the map is the identity: where training starts.
  void identity(std::span<T> theta) const override { theta[0] = T(0); }

 private:
  static constexpr T kLogOfEMinusOne = static_cast<T>(0.54132485461291810);
  T width_;
};

constexpr Field kFields[] = {
    real("width", "1.0", "w: where the middle ends").above(0),
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name", 3},
    {"narrow", "my_name: {width: 0.5}", 2},
};

constexpr const char kDocumentation[] = R"(
`y = x + a x / sqrt(1 + (x/w)^2)` with `a > -1`: the slope is `1 + a` in the middle and 1 far out, so mass is pushed away
from 0 (a > 0) or towards it (a < 0). The inverse is found by bracketing.
)";

constexpr ComponentInfo kComponents[] = {describe<MyName>(
    "transformer", "my_name", "A line with a steeper or a flatter middle", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
