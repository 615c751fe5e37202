// reduce_on_plateau: the learning rate falls by a factor when the validation loss improves no more.
//
// | state | meaning |
// | --- | --- |
// | plateau | the factor, the lowest validation loss, and the looks since then |
#include <algorithm>
#include <limits>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class ReduceOnPlateau final : public Schedule<T> {
 public:
  explicit ReduceOnPlateau(Build<T>& build)
      : factor_(build.real("factor")),
        threshold_(build.real("threshold")),
        minimum_(build.real("minimum")),
        patience_(build.integer("patience")) {}

  double factor(std::int64_t, std::int64_t, const ScheduleState& state) const override {
    const auto found = state.numbers.find(kState);
    return found == state.numbers.end() ? 1 : found->second.at(kFactor);
  }
  bool watches_validation() const override { return true; }
  void observe(std::int64_t, double validation_loss, ScheduleState& state) const override {
    std::vector<double>& memory = state.numbers[kState];
    if (memory.empty()) memory = {1, std::numeric_limits<double>::infinity(), 0};
    if (validation_loss < memory[kLowest] - threshold_) {  // never of a NaN
      memory[kLowest] = validation_loss;
      memory[kWaited] = 0;
    } else if (++memory[kWaited] > static_cast<double>(patience_)) {
      memory[kFactor] = std::max(memory[kFactor] * factor_, minimum_);
      memory[kWaited] = 0;
    }
  }

 private:
  static constexpr const char* kState = "plateau";
  enum Place : std::size_t { kFactor, kLowest, kWaited };
  double factor_, threshold_, minimum_;
  Index patience_;
};

constexpr Field kFields[] = {
    real("factor", "0.1", "what is left of the learning rate after each fall").above(0).below(1),
    integer("patience", "10", "looks at the validation rows in a row that may be no improvement").at_least(0),
    real("threshold", "1e-4", "a look is an improvement if its loss is lower by more than this, in nats").at_least(0),
    real("minimum", "0.0", "factor below which the learning rate does not fall").at_least(0).at_most(1),
};

constexpr Example kExamples[] = {
    {"default", "reduce_on_plateau"},
    {"halves", "reduce_on_plateau: {factor: 0.5, patience: 3, threshold: 0.01, minimum: 0.05}"},
};

constexpr const char kDocumentation[] = R"(
The factor is 1 at first. After more than `patience` looks at the validation rows in a row (`training.validate_every`)
whose loss is not lower than the lowest so far by more than `threshold`, it is multiplied by `factor`, but falls no
lower than `minimum`, and the count starts again. A loss that is not finite is no improvement. With
`training.averaging` the loss is that of the averaged parameters.

It needs validation rows: `data: {split: {train: 0.9, validation: 0.1}}`.

Other libraries: PyTorch's `ReduceLROnPlateau` with `threshold_mode="abs"`; `minimum` is its `min_lr` as a share of the
learning rate, its `cooldown` is 0. Its default, a threshold relative to the loss, has no meaning for a negative
log-density, which may have either sign.
)";

constexpr ComponentInfo kComponents[] = {describe<ReduceOnPlateau>("schedule", "reduce_on_plateau",
                                                                   "Falls when the validation loss improves no more",
                                                                   kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("reduce_on_plateau", "0.1.0", "MIT", kComponents);
