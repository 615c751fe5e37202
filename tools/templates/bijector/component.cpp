// my_name: y = x + (exp(a) - 1) v (v . x) / (v . v), a stretch by exp(a) along the direction v.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | direction | 1 x D | v, of any length but 0 |
// | log_stretch | 1 x 1 | a |
//
// (Here: where the map was published.)
#include <cmath>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Bijector<T> {
 public:
  explicit MyName(Build<T>& build)
      : size_(build.event_size()),
        direction_(build.parameter("direction", 1, size_, Initial::normal(1), Role::weight)),
        log_stretch_(
            build.parameter("log_stretch", 1, 1, Initial::constant(std::log(build.real("stretch"))), Role::scale)) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return stretched(x, pass(log_stretch_), pass); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return stretched(y, -pass(log_stretch_), pass); }

  /// What the kit holds the component to.
  Traits traits() const override {
    Traits t;
    t.constant_log_det = true;
    return t;
  }

 private:
  /// x is N x D, `log_stretch` 1 x 1. Across the direction nothing changes, so log_det is `log_stretch` in each row.
  Mapped<T> stretched(Var<T> x, Var<T> log_stretch, const Pass<T>& pass) const {
    require_columns("my_name", x.columns(), size_);
    const Var<T> v = pass(direction_);
    const Var<T> along = matmul(x, v, false, true) / row_sum(square(v));
    return {x + along * expm1(log_stretch) * v, repeat_rows(log_stretch, x.rows())};
  }

  Index size_;
  Parameter direction_, log_stretch_;
};

constexpr Field kFields[] = {
    real("stretch", "1.0", "exp(a) at the start; 1 is the identity").above(0),
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name", 3},
    {"stretched", "my_name: {stretch: 2.0}", 2},
};

constexpr const char kDocumentation[] = R"(
`y = x + (exp(a) - 1) v (v . x) / (v . v)` with a learned direction v and log_det a; the inverse has -a. It starts at a
random direction.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("bijector", "my_name", "A stretch along a learned direction", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
