// uniform: independent elements, each with the same density everywhere on its interval [low, high].
#include <cmath>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

// Likelihood has no gradient that would widen an interval.
constexpr const char* kNotLearned = "the ends of a uniform distribution cannot be learned";

template <class T>
class Uniform final : public ElementwiseDistribution<T> {
 public:
  explicit Uniform(Build<T>& build)
      : ElementwiseDistribution<T>(build, "uniform"),
        low_(this->numbers(build, "low", kNotLearned)),
        high_(this->numbers(build, "high", kNotLearned)) {
    for (std::size_t j = 0; j < low_.size(); ++j) {
      if (!(low_[j] < high_[j]))
        build.fail("high", "is " + std::to_string(high_[j]) + " for element " + std::to_string(j) +
                               ", but must be above low, " + std::to_string(low_[j]));
      log_densities_.push_back(-static_cast<T>(std::log(static_cast<double>(high_[j]) - static_cast<double>(low_[j]))));
    }
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> width = row(high_, pass) - row(low_, pass);
    return {row(low_, pass) + width * T(0.5), square(width) / T(12)};
  }

 private:
  Var<T> row(const std::vector<T>& numbers, const Pass<T>& pass) const {
    return pass.tape.constant(compact(numbers.data(), 1, this->size()));
  }
  // The same number for every y but a NaN, and no gradient.
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    return stop_gradient(y) * T(0) + row(log_densities_, pass);
  }
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    const Var<T> low = row(low_, pass), high = row(high_, pass);
    // Rounded, the upper end may be passed.
    return minimum(high, low + pass.uniform(this->id(), n, this->size()) * (high - low));
  }
  Intervals<T> intervals() const override { return {low_, high_}; }
  Var<T> stand_in(const Pass<T>& pass) const override { return row(low_, pass); }

  std::vector<T> low_, high_, log_densities_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("low", "0", "lower end: a number, or a list of one for each element"),
    value("high", "1", "upper end, likewise; above low"),
};

constexpr Example kExamples[] = {
    {"unit", "uniform", 2},
    {"shape", "uniform: {shape: [3], low: -1}", 3},
    // Equal intervals: a density that jumps inside of its support's one interval cannot be integrated on a grid.
    {"lists", "uniform: {low: [-1.0, -1.0], high: [2.5, 2.5]}", 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = - sum_j log(high_j - low_j)` where every element lies in its interval, ends included, and minus infinity
elsewhere. Mean and variance of element j are `(low_j + high_j)/2` and `(high_j - low_j)^2/12`.

As a base it suits bijectors from the unit cube, such as a spline with `interval: [0, 1], tails: none`. The ends are
numbers: what they would learn by is not a gradient.
)";

constexpr ComponentInfo kComponents[] = {describe<Uniform>(
    "distribution", "uniform", "Independent elements, uniform on intervals", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("uniform", "0.1.0", "MIT", kComponents);
