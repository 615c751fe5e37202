// warmup: the learning rate rises evenly in the first steps; then another schedule takes over.
//
// Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class WarmUp final : public Schedule<T> {
 public:
  explicit WarmUp(Build<T>& build)
      : steps_(build.integer("steps")), then_(build.template child<Schedule<T>>("then", build.surroundings())) {}

  double factor(std::int64_t step, std::int64_t steps, const ScheduleState& state) const override {
    if (steps_ >= steps)
      throw SpecError(this->path() + " (warmup): 'steps' is " + std::to_string(steps_) + ", but the training has " +
                      std::to_string(steps) + " steps; give it fewer, or train for more steps");
    if (step >= steps_) return then_->factor(step - steps_, steps - steps_, state);
    const double start = then_->factor(0, steps - steps_, state);
    return start * static_cast<double>(step + 1) / static_cast<double>(steps_ + 1);
  }
  bool watches_validation() const override { return then_->watches_validation(); }
  void observe(std::int64_t step, double validation_loss, ScheduleState& state) const override {
    if (step > steps_) then_->observe(step - steps_, validation_loss, state);
  }

 private:
  Index steps_;
  std::unique_ptr<Schedule<T>> then_;
};

constexpr Field kFields[] = {
    integer("steps", kRequired, "how many steps the rise takes").at_least(1),
    component("then", "schedule", "constant", "what the learning rate does afterwards"),
};

constexpr Example kExamples[] = {
    {"default", "warmup: {steps: 5}"},
    {"then_exponential", "warmup: {steps: 9, then: {exponential: {final: 0.1}}}"},
    {"then_watching", "warmup: {steps: 3, then: {reduce_on_plateau: {patience: 2}}}"},
};

constexpr const char kDocumentation[] = R"(
Step t (from 0) has the factor `(t + 1) / (w + 1)` times the first of `then` for `t < w`, the `steps`, and afterwards
what `then` has at its step `t - w`, of as many as are left. What the validation loss is during the rise is not told
to `then`.

Other libraries: PyTorch's `SequentialLR` of a `LinearLR` with `start_factor = 1 / (w + 1)` and `total_iters = w`, and
another.

P. Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, arXiv:1706.02677, 2017.
)";

constexpr ComponentInfo kComponents[] = {describe<WarmUp>(
    "schedule", "warmup", "Rises evenly, then follows another schedule", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("warmup", "0.1.0", "MIT", kComponents);
