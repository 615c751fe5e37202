// constant: the learning rate stays what the optimizer says.
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Constant final : public Schedule<T> {
 public:
  explicit Constant(Build<T>&) {}
  double factor(std::int64_t, std::int64_t, const ScheduleState&) const override { return 1; }
};

constexpr Example kExamples[] = {{"default", "constant"}};

constexpr const char kDocumentation[] = R"(
The factor on the learning rate is 1 at every step.
)";

constexpr ComponentInfo kComponents[] = {describe<Constant>(
    "schedule", "constant", "The same learning rate at every step", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("constant", "0.1.0", "MIT", kComponents);
