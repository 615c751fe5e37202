// truncated_normal: independent normal elements, each restricted to its interval.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | mean | 1 x D | if learnable: of the normal before it is truncated |
// | scale | 1 x D | if learnable: the logarithms of its standard deviations |
#include <algorithm>
#include <cmath>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

constexpr const char* kNotLearned = "the support of a density cannot be learned by its gradient";

template <class T>
class TruncatedNormal final : public ElementwiseDistribution<T> {
 public:
  explicit TruncatedNormal(Build<T>& build)
      : ElementwiseDistribution<T>(build, "truncated_normal"),
        mean_(this->field(build, "mean", false)),
        scale_(this->field(build, "scale", true)),
        low_(this->numbers(build, "low", kNotLearned)),
        high_(this->numbers(build, "high", kNotLearned)) {
    for (std::size_t j = 0; j < low_.size(); ++j) {
      if (!(low_[j] < high_[j]))
        build.fail("high", "is " + std::to_string(high_[j]) + " for element " + std::to_string(j) +
                               ", but must be above low, " + std::to_string(low_[j]));
      inner_.push_back(std::isfinite(low_[j]) ? low_[j] : std::isfinite(high_[j]) ? high_[j] : T(0));
    }
    const auto infinite = [](T end) { return std::isinf(end); };
    if (std::all_of(low_.begin(), low_.end(), infinite) && std::all_of(high_.begin(), high_.end(), infinite))
      build.fail("low", "or high must be given: a normal that is not truncated is called normal");
  }

  /// Without a gradient: they are found by quadrature.
  Moments<T> moments(const Pass<T>& pass) const override {
    const typename Tape<T>::Unrecorded unrecorded(pass.tape);
    const Normal normal = before(pass);
    const Ends ends = standardised(normal, pass);
    const Var<T> from_mode = pass.tape.make(ends.low.rows(), this->size());
    const Var<T> variance = pass.tape.make(ends.low.rows(), this->size());
    for (Index j = 0; j < this->size(); ++j)
      for (Index i = 0; i < ends.low.rows(); ++i) {
        const TruncatedNormalMoments m = truncated_normal_moments(static_cast<double>(ends.low.value()(i, j)),
                                                                  static_cast<double>(ends.high.value()(i, j)));
        from_mode.data()(i, j) = static_cast<T>(m.mean_from_mode);
        variance.data()(i, j) = static_cast<T>(m.variance);
      }
    const Var<T> scale = exp(normal.log_scale);
    return {mode(normal, pass) + scale * from_mode, square(scale) * variance};
  }

 private:
  struct Normal {
    Var<T> mean, log_scale;
  };
  struct Ends {
    Var<T> low, high;
  };

  Var<T> row(const std::vector<T>& numbers, const Pass<T>& pass) const {
    return pass.tape.constant(compact(numbers.data(), 1, this->size()));
  }
  Normal before(const Pass<T>& pass) const { return {mean_(pass), scale_.logarithm(pass)}; }
  /// The point of the interval with the largest density.
  Var<T> mode(const Normal& normal, const Pass<T>& pass) const {
    return maximum(row(low_, pass), minimum(row(high_, pass), normal.mean));
  }
  /// (end - mean) / scale, 1 x D or N x D. An infinite end is far away, and has no derivative.
  Ends standardised(const Normal& normal, const Pass<T>& pass) const {
    const Var<T> inverse_scale = exp(-normal.log_scale);
    const auto end = [&](const std::vector<T>& numbers, double far_away) {
      const Var<T> infinite = pass.tape.make(1, this->size()), finite = pass.tape.make(1, this->size());
      for (Index j = 0; j < this->size(); ++j) {
        const T number = numbers[static_cast<std::size_t>(j)];
        infinite.data()(0, j) = std::isinf(number) ? T(1) : T(0);
        finite.data()(0, j) = std::isinf(number) ? T(0) : number;
      }
      const Var<T> z = (finite - normal.mean) * inverse_scale;
      return select(infinite, pass.tape.constant(static_cast<T>(far_away)), z);
    };
    return {end(low_, -kFarAway), end(high_, kFarAway)};
  }

  // The density relative to that of the mode c, -((y - m)^2 - (c - m)^2) / (2 s^2), and that of the mode: where the
  // interval lies in a tail, squares of y - m and logarithms of masses would cancel.
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Normal normal = before(pass);
    const Ends ends = standardised(normal, pass);
    const Var<T> c = mode(normal, pass), inverse_scale = exp(-normal.log_scale);
    const Var<T> difference = ((y - c) * inverse_scale) * (((y - normal.mean) + (c - normal.mean)) * inverse_scale);
    return difference * T(-0.5) + (truncated_normal_log_peak(ends.low, ends.high) - normal.log_scale);
  }
  Var<T> draw(Index n, const Pass<T>& pass) const override {
    const Normal normal = before(pass);
    const Ends ends = standardised(normal, pass);
    const auto for_each_row = [&](Var<T> end) { return end.rows() == n ? end : repeat_rows(end, n); };
    const Var<T> z = truncated_normal_quantile(pass.uniform(this->id(), n, this->size()), for_each_row(ends.low),
                                               for_each_row(ends.high));
    // Rounded, an end may be passed.
    const Var<T> y = z * exp(normal.log_scale) + normal.mean;
    return minimum(maximum(y, row(low_, pass)), row(high_, pass));
  }
  Intervals<T> intervals() const override { return {low_, high_}; }
  Var<T> stand_in(const Pass<T>& pass) const override { return row(inner_, pass); }

  FieldValue<T> mean_, scale_;
  std::vector<T> low_, high_, inner_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("mean", "0",
          "of the normal before it is truncated: number, list of one for each element, `learnable`, or a network of "
          "the context"),
    value("scale", "1", "its standard deviation, likewise; a network gives its logarithm").above(0),
    value("low", "-.inf", "lower end of the interval: a number, or a list of one for each element"),
    value("high", ".inf", "upper end, likewise; above low"),
};

constexpr Example kExamples[] = {
    {"interval", "truncated_normal: {low: -1, high: 2}", 2},
    {"shape", "truncated_normal: {shape: [3], low: 0}", 3},
    {"below", "truncated_normal: {mean: 1.0, high: 0.5}", 2},
    {"tail", "truncated_normal: {low: 8, high: 9}", 2},
    {"other_tail", "truncated_normal: {mean: 3.0, scale: 0.25, low: -.inf, high: -2}", 2},
    {"narrow", "truncated_normal: {mean: -3.0, low: 1.0, high: 1.001}", 2},
    {"numbers", "truncated_normal: {mean: [1.0, -2.0], scale: [0.5, 3.0], low: -1.5, high: 2.5}", 2},
    {"learnable", "truncated_normal: {mean: {learnable: 0.5}, scale: learnable, low: -1.0, high: 2.0}", 2},
    {"conditional",
     "truncated_normal: {mean: {network: {mlp: {hidden: [8], activation: tanh}}}, scale: {network: {mlp: {hidden: [8], "
     "activation: tanh}}}, low: 0}",
     2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j (log N(y_j; m_j, s_j) - log(Phi(b_j) - Phi(a_j)))` on `low <= y <= high`, minus infinity elsewhere;
`a = (low - m)/s`, `b = (high - m)/s`. `mean` and `scale` are those of the normal before it is truncated, as in other
libraries (scipy's truncnorm takes a and b instead of the ends). Values and samples keep their accuracy where the
interval lies far out in a tail, such as [8, 9] for a standard normal, and where it is narrow.

Samples are `m + s z(u)` with the quantile z of a uniform draw u, differentiable with respect to mean and scale. An end
that is left out is infinite.

`learnable` starts at mean 0 and scale 1, or where `{learnable: NUMBERS}` says. A learned scale is stored as its
logarithm; a network of the context gives the logarithm, too.
)";

constexpr ComponentInfo kComponents[] = {
    describe<TruncatedNormal>("distribution", "truncated_normal", "Independent normal elements restricted to intervals",
                              kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("truncated_normal", "0.1.0", "MIT", kComponents);
