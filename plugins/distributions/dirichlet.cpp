// dirichlet: events whose elements are positive and sum to 1.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | concentration | 1 x D | if learnable: their logarithms |
#include <cmath>
#include <limits>

#include "pushforward/build.h"
#include "pushforward/implicit_samplers.h"
#include "pushforward/normal_tails.h"
#include "pushforward/plugin.h"
#include "pushforward/special_functions.h"
#include "pushforward/support.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// How far from 1 the sum of an event may be: events come from files with few digits, and are rounded to float32.
constexpr double kSumTolerance = 1e-3;

/// N x 1: 1 for events on the simplex, 0 for others, NaN where an element is. None if all are on it.
template <class T>
Var<T> rows_on_simplex(Var<T> y) {
  const Block<const T> v = y.value();
  const Var<T> inside = y.tape().make(v.rows, 1);
  bool all = true;
  for (Index i = 0; i < v.rows; ++i) {
    double sum = 0;
    bool positive = true;
    for (Index j = 0; j < v.columns; ++j) {
      sum += static_cast<double>(v(i, j));
      positive &= !(v(i, j) <= 0);
    }
    const bool on = positive && !(std::abs(sum - 1) > kSumTolerance);
    inside.data()(i, 0) = std::isnan(sum) ? static_cast<T>(sum) : on ? T(1) : T(0);
    all &= on;
  }
  return all ? Var<T>() : inside;
}

template <class T>
class Dirichlet final : public Distribution<T> {
 public:
  explicit Dirichlet(Build<T>& build) : shape_(build.own_event_shape("shape")), id_(build.id()) {
    if (shape_.size() < 2)
      build.fail("shape", "is one element, but the elements of an event sum to 1, so there must be at least two");
    concentration_ = build.value("concentration", shape_.size(), true);
  }

  // sum a log(y / m) with the means m, and the density at y = m by Stirling's formula and what it lacks: the plain
  // formula subtracts log Gammas, of which float32 keeps no digit where they are large.
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("dirichlet", y.columns(), shape_.size());
    const auto formula = [&](Var<T> inside) {
      const Var<T> a = concentration_(pass), total = row_sum(a), log_mean = log(a / total);
      const double others = static_cast<double>(shape_.size() - 1);
      const Var<T> corrections = log_gamma_correction(total) - row_sum(log_gamma_correction(a));
      // (sum log a - log total) / 2 = (sum log m + (D - 1) log total) / 2
      const Var<T> logarithms = (row_sum(log_mean) + log(total) * static_cast<T>(others)) * T(0.5);
      const Var<T> constant = corrections + logarithms - static_cast<T>(others * kHalfLogTwoPi);
      const Var<T> log_y = log(inside);
      return constant + row_sum(a * (log_y - log_mean) - log_y);
    };
    const Var<T> inside = rows_on_simplex(y);
    if (!inside) return formula(y);
    const Var<T> stand_in = pass.tape.constant(T(1) / static_cast<T>(shape_.size()));
    return where_inside(inside, formula(select(inside, y, stand_in)));
  }

  // Gamma numbers over their sum, in logarithms. Zero is no element, so what would be rounded to it is the smallest
  // number.
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> shares = softmax(log_gamma_sample(concentration_(pass), n, pass.draws(id_)));
    return {maximum(shares, pass.tape.constant(std::numeric_limits<T>::min())), {}};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> a = concentration_(pass), total = row_sum(a), mean = a / total;
    return {mean, mean * (T(1) - mean) / (total + T(1))};
  }
  Shape event_shape() const override { return shape_; }
  Support support() const override { return {0, 1}; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.needs_context = concentration_.needs_context();
    t.on_simplex = true;
    return t;
  }

 private:
  Shape shape_;
  ComponentId id_;
  FieldValue<T> concentration_;
};

constexpr Field kFields[] = {
    integers("shape", kOptional, "shape of an event; left out, that of the data or of the bijectors above").at_least(1),
    value("concentration", "1",
          "number, list of one for each element, `learnable`, or a network of the context, which gives its logarithm")
        .above(0),
};

constexpr Example kExamples[] = {
    {"standard", "dirichlet", 3},
    {"shape", "dirichlet: {shape: [4], concentration: 2}", 4},
    {"numbers", "dirichlet: {concentration: [0.8, 5.0]}", 2},
    {"concentrated", "dirichlet: {concentration: [2000, 500, 1000]}", 3},
    {"learnable", "dirichlet: {concentration: learnable}", 3},
    {"start", "dirichlet: {concentration: {learnable: [2.5, 9.0]}}", 2},
    {"conditional", "dirichlet: {concentration: {network: {mlp: {hidden: [8], activation: tanh}}}}", 3, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_j ((a_j - 1) log y_j - log Gamma(a_j)) + log Gamma(sum_j a_j)` for events with positive elements that
sum to 1 (to within 0.001); minus infinity elsewhere. It is a density of all elements but the last, as elsewhere:
a flow on top of it would have to keep to the simplex. Mean and variance of element j are `m_j = a_j / sum a` and
`m_j (1 - m_j) / (1 + sum a)`. With all concentrations 1 it is uniform; with two elements, the first has a beta
distribution.

`learnable` starts at 1, or where `{learnable: NUMBERS}` says. What is learned are the logarithms; a network of the
context gives logarithms, too.

Samples are differentiable: Gamma numbers over their sum, whose gradients are implicit (Figurnov, Mohamed and Mnih,
"Implicit reparameterization gradients", 2018). An element that would be rounded to zero is the smallest normal number.
)";

constexpr ComponentInfo kComponents[] = {describe<Dirichlet>(
    "distribution", "dirichlet", "Positive elements that sum to 1", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("dirichlet", "0.1.0", "MIT", kComponents);
