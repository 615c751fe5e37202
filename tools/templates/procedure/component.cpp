// my_name: the usual training loop, until the training loss falls no more.
#include <limits>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Procedure<T> {
 public:
  explicit MyName(Build<T>& build) : patience_(build.integer("patience")), fall_(build.real("fall")) {}

  TrainingResult run(Training<T>& training) const override {
    const auto of_the_caller = training.on_step;
    double lowest = std::numeric_limits<double>::infinity();
    std::int64_t since = 0;  // steps since it was reached
    bool wanted = true;      // by the caller: an interruption is not ours to call off
    training.on_step = [&](const MetricRow& row, bool report) {
      if (of_the_caller) wanted = of_the_caller(row, report);
      ++since;
      if (row.loss < lowest - fall_) {
        lowest = row.loss;
        since = 0;
      }
      return wanted && since < patience_;
    };
    TrainingResult result = train_by_gradient(training);
    training.on_step = of_the_caller;
    result.stopped = result.stopped && !wanted;
    return result;
  }

 private:
  std::int64_t patience_;
  double fall_;
};

constexpr Field kFields[] = {
    integer("patience", "100", "steps in a row without a lower loss after which the training ends").at_least(1),
    real("fall", "1e-3", "a loss is lower if it is so by more than this, in nats").at_least(0),
};

constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"patient", "my_name: {patience: 1000, fall: 0.0}"},
};

constexpr const char kDocumentation[] = R"(
Makes the steps of `gradient`, at most as many as `training.steps` says, and ends when the loss of the training rows has
not fallen by more than `fall` for `patience` steps. Use it with `batch_size: all`: the loss of small batches goes up and
down. A run that goes on after it was stopped starts to count anew.
)";

constexpr ComponentInfo kComponents[] = {describe<MyName>("procedure", "my_name", "Trains until the loss falls no more",
                                                          kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
