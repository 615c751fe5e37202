// A bijector that doubles, with the log_det of one that halves: what `pushforward check` must find.
#include <cmath>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT

template <class T>
class WrongLogDet final : public Bijector<T> {
 public:
  explicit WrongLogDet(Build<T>&) {}
  Mapped<T> forward(Var<T> x, const Pass<T>&) const override { return {x * T(2), log_det(x, -1)}; }
  Mapped<T> inverse(Var<T> y, const Pass<T>&) const override { return {y * T(0.5), log_det(y, 1)}; }

 private:
  static Var<T> log_det(Var<T> x, double sign) {
    const T value = static_cast<T>(sign * std::log(2.0) * static_cast<double>(x.columns()));
    return row_sum(x * T(0)) + value;
  }
};

constexpr Example kExamples[] = {{"default", "wrong_log_det", 2}};
constexpr ComponentInfo kComponents[] = {
    describe<WrongLogDet>("bijector", "wrong_log_det", "Doubles, and says that it halves", nullptr, kExamples)};

}  // namespace

PUSHFORWARD_PLUGIN("wrong_log_det", "1.2.3", "MIT", kComponents);
