// gradient: the usual training loop, a step of the optimizer on each batch.
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Gradient final : public Procedure<T> {
 public:
  explicit Gradient(Build<T>&) {}
  TrainingResult run(Training<T>& training) const override { return train_by_gradient(training); }
};

constexpr Example kExamples[] = {{"default", "gradient"}};

constexpr const char kDocumentation[] = R"(
Each step draws the next batch of the shuffled training rows, asks the objective for the loss and its gradient, clips
the gradient if `training.clip` says so, lets the optimizer move the parameters and updates running statistics and the
averaged weights. The batches are a function of the seed and the step alone.

Every `training.validate_every` steps it computes the loss of the validation rows, at the averaged parameters where
there are any, and tells the schedule. With `training.early_stopping` it keeps the parameters at which that loss was
lowest, and ends when it improves no more.
)";

constexpr ComponentInfo kComponents[] = {describe<Gradient>(
    "procedure", "gradient", "Steps of the optimizer over shuffled batches", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("gradient", "0.1.0", "MIT", kComponents);
