// uniform: independent elements, each with the same density everywhere on its interval [low, high].
#include <algorithm>
#include <cmath>
#include <limits>

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// The numbers of `low` or `high`. They do not learn: likelihood has no gradient that would widen an interval.
template <class T>
std::vector<T> bounds_of(Build<T>& build, const char* field, Index size) {
  const FieldValue<T> value = build.value(field, size, false);
  if (value.source != FieldValue<T>::Source::fixed)
    build.fail(field, "must be a number or a list of numbers: the ends of a uniform distribution cannot be learned");
  return value.fixed;
}

template <class T>
class Uniform final : public Distribution<T> {
 public:
  explicit Uniform(Build<T>& build)
      : shape_(build.own_event_shape("shape")),
        low_(bounds_of(build, "low", shape_.size())),
        high_(bounds_of(build, "high", shape_.size())),
        id_(build.id()) {
    for (std::size_t j = 0; j < low_.size(); ++j) {
      if (!(low_[j] < high_[j]))
        build.fail("high", "is " + std::to_string(high_[j]) + " for element " + std::to_string(j) +
                               ", but must be above low, " + std::to_string(low_[j]));
      log_density_ -= std::log(static_cast<double>(high_[j]) - static_cast<double>(low_[j]));
    }
  }

  // Its gradient is zero wherever there is one, so nothing is recorded.
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("uniform", y.columns(), shape_.size());
    const Var<T> out = pass.tape.full(y.rows(), 1, static_cast<T>(log_density_));
    const Block<const T> v = y.value();
    const Block<T> density = out.data();
    constexpr T kOutside = -std::numeric_limits<T>::infinity();
    for (Index j = 0; j < v.columns; ++j) {
      const T low = low_[static_cast<std::size_t>(j)], high = high_[static_cast<std::size_t>(j)];
      // Minus infinity and a NaN add up to that NaN.
      for (Index i = 0; i < v.rows; ++i)
        density(i, 0) += v(i, j) >= low && v(i, j) <= high ? T(0) : std::isnan(v(i, j)) ? v(i, j) : kOutside;
    }
    return out;
  }

  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> y = pass.uniform(id_, n, shape_.size());
    const Block<T> v = y.data();
    for (Index j = 0; j < v.columns; ++j) {
      const T low = low_[static_cast<std::size_t>(j)], high = high_[static_cast<std::size_t>(j)];
      // Rounded, the upper end may be passed.
      for (Index i = 0; i < n; ++i) v(i, j) = std::min(high, low + v(i, j) * (high - low));
    }
    return {y, pass.tape.full(n, 1, static_cast<T>(log_density_))};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> mean = pass.tape.make(1, shape_.size()), variance = pass.tape.make(1, shape_.size());
    for (std::size_t j = 0; j < low_.size(); ++j) {
      const T width = high_[j] - low_[j];
      mean.data().data[j] = low_[j] + width / 2;
      variance.data().data[j] = width * width / 12;
    }
    return {mean, variance};
  }

  Shape event_shape() const override { return shape_; }
  Support support() const override {
    return {static_cast<double>(*std::min_element(low_.begin(), low_.end())),
            static_cast<double>(*std::max_element(high_.begin(), high_.end()))};
  }

 private:
  Shape shape_;
  std::vector<T> low_, high_;
  ComponentId id_;
  double log_density_ = 0;
};

constexpr Field kFields[] = {
    integers("shape", kOptional, "shape of an event; left out, that of the data or of the bijectors above").at_least(1),
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
