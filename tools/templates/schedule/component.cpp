// my_name: the learning rate falls to zero like a power of the steps that are left.
//
// Chen et al., "DeepLab: semantic image segmentation with deep convolutional nets", 2017, section 4.1 ("poly").
#include <cmath>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Schedule<T> {
 public:
  explicit MyName(Build<T>& build) : power_(build.real("power")) {}

  /// The factor of step 0, 1, ... of `steps`.
  double factor(std::int64_t step, std::int64_t steps, const ScheduleState&) const override {
    return std::pow(1 - static_cast<double>(step) / static_cast<double>(steps), power_);
  }

 private:
  double power_;
};

constexpr Field kFields[] = {
    real("power", "0.9", "p: 1 falls in a line, less stays high for longer").above(0),
};

// Every example gets every check of the conformance kit.
constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"square", "my_name: {power: 2.0}"},
};

constexpr const char kDocumentation[] = R"(
Step t (from 0) of `T` has the factor `(1 - t / T)^p`.

L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, DeepLab: semantic image segmentation with deep
convolutional nets, atrous convolution, and fully connected CRFs, 2017.
)";

constexpr ComponentInfo kComponents[] = {describe<MyName>(
    "schedule", "my_name", "Falls to zero like a power of the steps left", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
