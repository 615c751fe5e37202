// cosine: the learning rate falls along half a cosine from 1 to a final factor, after a linear warm-up if wanted.
//
// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
#include <cmath>
#include <numbers>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Cosine final : public Schedule<T> {
 public:
  explicit Cosine(Build<T>& build) : final_(build.real("final")), warm_up_(build.integer("warm_up")) {}

  double factor(std::int64_t step, std::int64_t steps, const ScheduleState&) const override {
    if (warm_up_ >= steps)
      throw SpecError(this->path() + " (cosine): 'warm_up' is " + std::to_string(warm_up_) +
                      " steps, but the training has " + std::to_string(steps) +
                      "; give it fewer, or train for more steps");
    if (step < warm_up_) return static_cast<double>(step + 1) / static_cast<double>(warm_up_ + 1);
    const double part = static_cast<double>(step - warm_up_) / static_cast<double>(steps - warm_up_);
    return final_ + (1 - final_) * (1 + std::cos(std::numbers::pi * part)) / 2;
  }

 private:
  double final_;
  Index warm_up_;
};

constexpr Field kFields[] = {
    real("final", "0.0", "factor that is reached when the training ends").at_least(0).at_most(1),
    integer("warm_up", "0", "first steps, in which the factor rises evenly to 1").at_least(0),
};

constexpr Example kExamples[] = {
    {"default", "cosine"},
    {"to_a_tenth", "cosine: {final: 0.1}"},
    {"warm_up", "cosine: {warm_up: 5}"},
};

constexpr const char kDocumentation[] = R"(
With `T` steps of training, `w` of them warm-up, and the final factor `f`, step t (from 0) has the factor

`(t + 1) / (w + 1)` for `t < w`, then `f + (1 - f) (1 + cos(pi (t - w) / (T - w))) / 2`

It is 1 at step w and would be f at step T, the first that is not made.

Other libraries: without warm-up, PyTorch's `CosineAnnealingLR` with `T_max = T` and `eta_min = f learning_rate`.

I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
)";

constexpr ComponentInfo kComponents[] = {describe<Cosine>(
    "schedule", "cosine", "Half a cosine down to a final factor, after a warm-up", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("cosine", "0.1.0", "MIT", kComponents);
