// one_cycle: the learning rate rises to its full height and falls to nearly nothing, once in the training.
//
// Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2019.
#include <cmath>
#include <numbers>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class OneCycle final : public Schedule<T> {
 public:
  explicit OneCycle(Build<T>& build)
      : rise_(build.real("rise")),
        start_(build.real("start")),
        final_(build.real("final")),
        cosine_(build.text("shape") == "cosine") {}

  double factor(std::int64_t step, std::int64_t steps, const ScheduleState&) const override {
    // The top stands one step before the share: with 10 steps and a third of them, at step 2.
    const double t = static_cast<double>(step), top = rise_ * static_cast<double>(steps) - 1;
    if (t <= top) return top > 0 ? between(start_, 1, t / top) : 1;
    return between(1, final_, (t - top) / (static_cast<double>(steps) - 1 - top));
  }

 private:
  /// A part of the way, from 0 to 1.
  double between(double from, double to, double part) const {
    const double left = cosine_ ? (1 + std::cos(std::numbers::pi * part)) / 2 : 1 - part;
    return to + (from - to) * left;
  }
  double rise_, start_, final_;
  bool cosine_;
};

constexpr Field kFields[] = {
    real("rise", "0.3", "share of the steps in which the factor rises to 1").above(0).below(1),
    real("start", "0.04", "factor of the first step").above(0).at_most(1),
    real("final", "4e-6", "factor of the last step").at_least(0).at_most(1),
    choice("shape", "cosine", "cosine|linear", "of the rise and of the fall"),
};

constexpr Example kExamples[] = {
    {"default", "one_cycle"},
    {"linear", "one_cycle: {rise: 0.5, start: 0.1, final: 0.001, shape: linear}"},
};

constexpr const char kDocumentation[] = R"(
With `T` steps of training, the share `r`, the top at `t* = r T - 1` and `h(p) = (1 - cos(pi p)) / 2` (`linear`:
`h(p) = p`), step t (from 0) has the factor

`start + (1 - start) h(t / t*)` up to t*, then `1 + (final - 1) h((t - t*) / (T - 1 - t*))`

The optimizer's learning rate is the highest of the cycle, and is chosen larger than for other schedules.

Other libraries: PyTorch's `OneCycleLR`, with its defaults: the learning rate is its `max_lr`, `rise` its `pct_start`,
`start` is `1 / div_factor`, `final` is `1 / (div_factor final_div_factor)`. PyTorch also cycles the momentum by
default (`cycle_momentum`); here it stays.

L. N. Smith, N. Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019
(arXiv:1708.07120).
)";

constexpr ComponentInfo kComponents[] = {describe<OneCycle>("schedule", "one_cycle",
                                                            "Rises to the full learning rate and falls to nearly none",
                                                            kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("one_cycle", "0.1.0", "MIT", kComponents);
