// normal: independent normal elements.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | mean | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the standard deviations |
#include <algorithm>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/kernel_loops.h"
#include "pushforward/normal_tails.h"
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// out_i = sum_j log N(z_ij; 0, 1), in one pass over memory.
template <class T>
void add_up(Block<const T> z, Block<T> out) {
  const double constant = kHalfLogTwoPi * static_cast<double>(z.columns);
  alignas(64) double squares[kRowChunk];
  for (Index first = 0; first < z.rows; first += kRowChunk) {
    const Index rows = std::min(kRowChunk, z.rows - first);
    std::fill_n(squares, kRowChunk, 0.0);
    for (Index j = 0; j < z.columns; ++j)
      for (Index i = 0; i < rows; i += simd::kLanes<T>) {
        const simd::Batch<T> v = simd::load(z.column(j) + first + i, rows - i);
        simd::accumulate(squares + i, v * v);
      }
    for (Index i = 0; i < rows; ++i) out(first + i, 0) = static_cast<T>(-0.5 * squares[i] - constant);
  }
}

/// gradient -= g z
template <class T>
void add_gradient(Block<const T> z, Block<const T> g, const Gradient<T>& gradient) {
  for (Index j = 0; j < z.columns; ++j)
    for (Index i = 0; i < z.rows; i += simd::kLanes<T>) {
      const Index rows = z.rows - i;
      gradient.add(-(simd::load(g.data + i, rows) * simd::load(z.column(j) + i, rows)), j, i, rows);
    }
}

/// The base of most flows: one node of the tape.
template <class T>
Var<T> standard_log_prob(Var<T> z) {
  const Var<T> out = z.tape().make(z.rows(), 1);
  add_up(z.value(), out.data());
  z.tape().primitive(
      "normal.log_prob", {z}, {out},
      [](Vjp<T>& v) {
        if (v.wants(0)) add_gradient(v.value(0), v.adjoint(0), Gradient<T>(v, 0, true));
      },
      [](Jvp<T>& j) { j.set(0, negate(row_sum(multiply(j.input(0), j.tangent(0))))); });
  return out;
}

template <class T>
class Normal final : public Distribution<T> {
 public:
  explicit Normal(Build<T>& build)
      : shape_(build.own_event_shape("shape")),
        mean_(build.value("mean", shape_.size(), false)),
        scale_(build.value("scale", shape_.size(), true)),
        id_(build.id()) {
    const auto all = [](const FieldValue<T>& field, T number) {
      return field.source == FieldValue<T>::Source::fixed &&
             std::all_of(field.fixed.begin(), field.fixed.end(), [&](T v) { return v == number; });
    };
    standard_ = all(mean_, T(0)) && all(scale_, T(1));
  }

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("normal", y.columns(), shape_.size());
    if (standard_) return standard_log_prob(y);
    const Var<T> log_scale = scale_.logarithm(pass);
    return standard_log_prob((y - mean_(pass)) * exp(-log_scale)) - row_sum(log_scale);
  }

  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> z = pass.normal(id_, n, shape_.size());
    if (standard_) return {z, standard_log_prob(z)};
    const Var<T> log_scale = scale_.logarithm(pass);
    return {z * exp(log_scale) + mean_(pass), standard_log_prob(z) - row_sum(log_scale)};
  }

  Moments<T> moments(const Pass<T>& pass) const override { return {mean_(pass), square(scale_(pass))}; }
  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.needs_context = mean_.needs_context() || scale_.needs_context();
    return t;
  }

 private:
  Shape shape_;
  FieldValue<T> mean_, scale_;
  ComponentId id_;
  bool standard_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("mean", "0", "number, list of one for each element, `learnable`, or a network of the context"),
    value("scale", "1", "standard deviation, likewise; a network gives its logarithm").above(0),
};

constexpr Example kExamples[] = {
    {"standard", "normal", 2},
    {"shape", "normal: {shape: [3]}", 3},
    {"numbers", "normal: {mean: [1.0, -2.0], scale: [0.5, 3.0]}", 2},
    {"learnable", "normal: {mean: learnable, scale: learnable}", 2},
    {"learnable_from", "normal: {mean: {learnable: [1.0, -1.0]}, scale: {learnable: 0.5}}", 2},
    {"conditional",
     "normal: {mean: {network: {mlp: {hidden: [8], activation: tanh}}}, scale: {network: {mlp: {hidden: [8], "
     "activation: "
     "tanh}}}}",
     2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = - sum_j ((y_j - m_j)^2 / (2 s_j^2) + log s_j) - D/2 log(2 pi)`, samples `y = m + s z` with standard normal
z: differentiable with respect to mean and scale. Mean and variance of element j are `m_j` and `s_j^2`.

`learnable` starts at mean 0 and scale 1, or where `{learnable: NUMBERS}` says. A learned scale is stored as its
logarithm; a network of the context gives the logarithm, too.

A full covariance matrix is `multivariate_normal`.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Normal>("distribution", "normal", "Independent normal elements", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("normal", "0.1.0", "MIT", kComponents);
