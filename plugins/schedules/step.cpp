// step: the learning rate falls by a factor every so many steps.
#include <cmath>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Step final : public Schedule<T> {
 public:
  explicit Step(Build<T>& build) : every_(build.integer("every")), factor_(build.real("factor")) {}

  double factor(std::int64_t step, std::int64_t, const ScheduleState&) const override {
    return std::pow(factor_, static_cast<double>(step / every_));
  }

 private:
  Index every_;
  double factor_;
};

constexpr Field kFields[] = {
    integer("every", kRequired, "steps between two falls").at_least(1),
    real("factor", "0.1", "what is left of the learning rate after each").above(0).at_most(1),
};

constexpr Example kExamples[] = {
    {"default", "step: {every: 100}"},
    {"halves", "step: {every: 30, factor: 0.5}"},
};

constexpr const char kDocumentation[] = R"(
Step t (from 0) has the factor `factor ^ floor(t / every)`.

Other libraries: PyTorch's `StepLR`; `every` is its `step_size`, `factor` its `gamma`, with the same default, and its
steps are usually epochs.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Step>("schedule", "step", "Falls by a factor every so many steps", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("step", "0.1.0", "MIT", kComponents);
