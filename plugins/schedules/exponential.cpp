// exponential: the learning rate falls by the same factor in every step.
#include <cmath>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Exponential final : public Schedule<T> {
 public:
  explicit Exponential(Build<T>& build) {
    const bool final = build.given("final"), per_step = build.given("per_step");
    if (!final && !per_step)
      build.fail("final", "or `per_step` must be given, such as 0.01 for a hundredth at the end");
    if (final && per_step) build.fail("per_step", "and `final` exclude each other; remove one of them");
    (final ? final_ : per_step_) = build.real(final ? "final" : "per_step");
  }

  double factor(std::int64_t step, std::int64_t steps, const ScheduleState&) const override {
    const double t = static_cast<double>(step);
    return final_ > 0 ? std::pow(final_, t / static_cast<double>(steps)) : std::pow(per_step_, t);
  }

 private:
  double final_ = 0, per_step_ = 0;
};

constexpr Field kFields[] = {
    real("final", kOptional, "factor that is reached when the training ends; or give per_step").above(0).at_most(1),
    real("per_step", kOptional, "factor from each step to the next; or give final").above(0).at_most(1),
};

constexpr Example kExamples[] = {
    {"default", "exponential: {final: 0.01}"},
    {"per_step", "exponential: {per_step: 0.999}"},
};

constexpr const char kDocumentation[] = R"(
Step t (from 0) of `T` has the factor `final ^ (t / T)` or `per_step ^ t`. With `final` f it would be f at step T, the
first that is not made.

Other libraries: PyTorch's `ExponentialLR`, whose `gamma` is `per_step`, and whose steps are usually epochs.
)";

constexpr ComponentInfo kComponents[] = {describe<Exponential>(
    "schedule", "exponential", "Falls by the same factor in every step", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("exponential", "0.1.0", "MIT", kComponents);
