// multivariate_normal: the normal distribution with a full covariance matrix, by its Cholesky factor.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | mean | 1 x D | if learnable |
// | scale | 1 x D | if learnable: the logarithms of the factor's diagonal |
// | lower | 1 x D(D-1)/2 | if learnable: the factor below its diagonal, row by row |
#include <algorithm>
#include <cmath>

#include "pushforward/elementwise_distribution.h"
#include "pushforward/normal_tails.h"
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Entries below the diagonal in the rows before row i.
constexpr Index entries_before(Index i) { return i * (i - 1) / 2; }

/// The factor L of a matrix L L', whose diagonal is positive: fixed, learned, or of each row's own.
template <class T>
struct Factor {
  FieldValue<T> diagonal, lower;
};

template <class T>
FieldValue<T> fixed_value(std::vector<T> numbers, bool positive) {
  FieldValue<T> value;
  value.columns = static_cast<Index>(numbers.size());
  value.positive = positive;
  value.fixed = std::move(numbers);
  return value;
}

/// Cholesky's factorisation of the field `covariance`, in double.
template <class T>
Factor<T> factorised(Build<T>& build, Index size) {
  const std::vector<double> matrix = build.reals("covariance");
  if (static_cast<Index>(matrix.size()) != size * size)
    build.fail("covariance", "has " + std::to_string(matrix.size()) + " numbers, but the matrix of an event with " +
                                 std::to_string(size) + " elements has " + std::to_string(size * size));
  const auto at = [size](Index i, Index j) { return static_cast<std::size_t>(i * size + j); };
  const auto named = [](Index i, Index j) { return "[" + std::to_string(i) + ", " + std::to_string(j) + "]"; };
  std::vector<double> factor(matrix.size(), 0.0);
  for (Index i = 0; i < size; ++i)
    for (Index j = 0; j <= i; ++j) {
      if (matrix[at(i, j)] != matrix[at(j, i)])
        build.fail("covariance", "is " + std::to_string(matrix[at(i, j)]) + " at " + named(i, j) + " and " +
                                     std::to_string(matrix[at(j, i)]) + " at " + named(j, i) +
                                     ", but a covariance matrix is symmetric");
      double rest = matrix[at(i, j)];
      for (Index k = 0; k < j; ++k) rest -= factor[at(i, k)] * factor[at(j, k)];
      if (i == j && !(rest > 1e-14 * matrix[at(i, i)]))
        build.fail("covariance", "is not positive definite: given the elements before it, element " +
                                     std::to_string(i) + " has the variance " + std::to_string(rest));
      factor[at(i, j)] = i == j ? std::sqrt(rest) : rest / factor[at(j, j)];
    }
  std::vector<T> diagonal, lower;
  for (Index i = 0; i < size; ++i) {
    for (Index j = 0; j < i; ++j) lower.push_back(static_cast<T>(factor[at(i, j)]));
    diagonal.push_back(static_cast<T>(factor[at(i, i)]));
  }
  return {fixed_value(std::move(diagonal), true), fixed_value(std::move(lower), false)};
}

template <class T>
class MultivariateNormal final : public Distribution<T> {
 public:
  explicit MultivariateNormal(Build<T>& build)
      : shape_(build.own_event_shape("shape")),
        size_(shape_.size()),
        id_(build.id()),
        mean_(build.value("mean", size_, false)),
        factor_(read_factor(build)),
        own_of_rows_(factor_.diagonal.needs_context() || factor_.lower.needs_context()) {
    if (own_of_rows_) return;
    matrix_ = build.derived("factor", size_, size_);
    inverse_ = build.derived("inverse_factor", size_, size_);
    for (Index j = 0; j < size_; ++j)
      for (Index i = 0; i < size_; ++i) {
        // In (0, below the diagonal, diagonal).
        places_.push_back(i < j ? 0 : i == j ? 1 + entries_before(size_) + i : 1 + entries_before(i) + j);
        identity_.push_back(i == j ? T(1) : T(0));
      }
  }

  /// The factor that all rows share, and its inverse: a row then costs a product, not a solve.
  void prepare(StepPass<T>& step) const override {
    if (own_of_rows_) return;
    const Var<T> zero = step.tape.constant(T(0)), diagonal = factor_.diagonal(step.pass);
    const Var<T> entries =
        size_ > 1 ? concatenate({zero, factor_.lower(step.pass), diagonal}) : concatenate({zero, diagonal});
    const Var<T> matrix = reshape(permute(entries, std::span<const Index>(places_)), size_, size_);
    const Var<T> identity = step.tape.constant(compact(identity_.data(), size_, size_));
    step.set(matrix_, matrix);
    step.set(inverse_, triangular_solve(matrix, identity, Triangle::lower));
  }

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("multivariate_normal", y.columns(), size_);
    const Var<T> centred = y - mean_(pass);
    return standard_log_prob(own_of_rows_ ? solved(centred, pass) : matmul(centred, pass(inverse_), false, true), pass);
  }

  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> z = pass.normal(id_, n, size_);
    const Var<T> moved = own_of_rows_ ? multiplied(z, pass) : matmul(z, pass(matrix_), false, true);
    return {moved + mean_(pass), standard_log_prob(z, pass)};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    if (!own_of_rows_) return {mean_(pass), reshape(row_sum(square(pass(matrix_))), 1, size_)};
    const Var<T> own = square(factor_.diagonal(pass));
    const Var<T> below = size_ > 1 ? square(factor_.lower(pass)) : Var<T>();
    const Index rows = size_ > 1 ? std::max(own.rows(), below.rows()) : own.rows();
    Var<T>* variances = pass.tape.template scratch<Var<T>>(size_);
    for (Index i = 0; i < size_; ++i) {
      variances[i] = columns(own, i, 1);
      if (i > 0) variances[i] = variances[i] + row_sum(columns(below, entries_before(i), i));
      if (variances[i].rows() != rows) variances[i] = repeat_rows(variances[i], rows);
    }
    return {mean_(pass), side_by_side(variances, size_)};
  }

  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.needs_context = own_of_rows_ || mean_.needs_context();
    return t;
  }

 private:
  Factor<T> read_factor(Build<T>& build) const {
    if (build.given("covariance")) {
      for (const char* other : {"scale", "lower"})
        if (build.given(other))
          build.fail(other,
                     "is a part of the factor of the covariance matrix, which is given; "
                     "leave one of them out");
      return factorised(build, size_);
    }
    Factor<T> factor;
    const auto read = [&](const char* field, Index entries, T fallback, bool positive) {
      if (build.given(field)) return build.value(field, entries, positive);
      return fixed_value(std::vector<T>(static_cast<std::size_t>(entries), fallback), positive);
    };
    factor.diagonal = read("scale", size_, T(1), true);
    if (size_ == 1 && build.given("lower")) build.fail("lower", "has no entry to give: an event has one element");
    factor.lower = read("lower", entries_before(size_), T(0), false);
    return factor;
  }

  /// log N(z; 0, 1) - log det L.
  Var<T> standard_log_prob(Var<T> z, const Pass<T>& pass) const {
    const T constant = static_cast<T>(kHalfLogTwoPi * static_cast<double>(size_));
    return row_sum(square(z)) * T(-0.5) - (row_sum(factor_.diagonal.logarithm(pass)) + constant);
  }

  static Var<T> side_by_side(const Var<T>* parts, Index count) {
    return concatenate(std::span<const Var<T>>(parts, static_cast<std::size_t>(count)));
  }

  /// The z with L z = x, row by row of the factor; each row of x has its own.
  Var<T> solved(Var<T> x, const Pass<T>& pass) const {
    const Var<T> inverse_diagonal = exp(-factor_.diagonal.logarithm(pass));
    const Var<T> lower = size_ > 1 ? factor_.lower(pass) : Var<T>();
    Var<T>* z = pass.tape.template scratch<Var<T>>(size_);
    for (Index i = 0; i < size_; ++i) {
      Var<T> rest = columns(x, i, 1);
      if (i > 0) rest = rest - row_sum(columns(lower, entries_before(i), i) * side_by_side(z, i));
      z[i] = rest * columns(inverse_diagonal, i, 1);
    }
    return side_by_side(z, size_);
  }
  /// L z.
  Var<T> multiplied(Var<T> z, const Pass<T>& pass) const {
    const Var<T> diagonal = factor_.diagonal(pass);
    const Var<T> lower = size_ > 1 ? factor_.lower(pass) : Var<T>();
    Var<T>* x = pass.tape.template scratch<Var<T>>(size_);
    for (Index i = 0; i < size_; ++i) {
      x[i] = columns(z, i, 1) * columns(diagonal, i, 1);
      if (i > 0) x[i] = x[i] + row_sum(columns(lower, entries_before(i), i) * columns(z, 0, i));
    }
    return side_by_side(x, size_);
  }

  Shape shape_;
  Index size_;
  ComponentId id_;
  FieldValue<T> mean_;
  Factor<T> factor_;
  bool own_of_rows_;  // the factor comes from a network of the context
  Parameter matrix_{}, inverse_{};
  std::vector<Index> places_;
  std::vector<T> identity_;
};

constexpr Field kFields[] = {
    kShapeField,
    value("mean", "0", "number, list of one for each element, `learnable`, or a network of the context"),
    reals("covariance", kOptional, "the covariance matrix, D x D numbers row by row; instead of scale and lower"),
    value("scale", kOptional,
          "diagonal of the Cholesky factor: number, list, `learnable`, or a network, which gives its logarithm; left "
          "out, 1")
        .above(0),
    value("lower", kOptional,
          "entries of the Cholesky factor below its diagonal, row by row, D (D - 1) / 2 of them: number, list, "
          "`learnable`, or a network; left out, 0"),
};

#define NETWORK "{network: {mlp: {hidden: [8], activation: tanh}}}"
constexpr Example kExamples[] = {
    {"covariance", "multivariate_normal: {mean: [1.0, -2.0], covariance: [2.0, -0.6, -0.6, 0.5]}", 2},
    {"shape", "multivariate_normal: {shape: [3], covariance: [2, 0.5, 0.2, 0.5, 1, -0.3, 0.2, -0.3, 0.4]}", 3},
    {"factor", "multivariate_normal: {scale: [0.5, 1.5, 1.0], lower: [0.5, -0.25, 1.0]}", 3},
    {"learnable", "multivariate_normal: {mean: learnable, scale: learnable, lower: learnable}", 3},
    {"learnable_two", "multivariate_normal: {mean: 0.5, scale: {learnable: [0.5, 2.0]}, lower: {learnable: 0.75}}", 2},
    {"conditional", "multivariate_normal: {mean: " NETWORK ", scale: " NETWORK ", lower: " NETWORK "}", 2, 2},
    {"conditional_scale", "multivariate_normal: {scale: " NETWORK ", lower: [0.5, -0.5, 0.25]}", 3, 2},
    {"conditional_lower", "multivariate_normal: {scale: 0.5, lower: " NETWORK "}", 2, 2},
    {"conditional_mean", "multivariate_normal: {mean: " NETWORK ", lower: 0.5}", 2, 2},
};
#undef NETWORK

constexpr const char kDocumentation[] = R"(
`log p(y) = - |z|^2/2 - log det L - D/2 log(2 pi)` with `L z = y - m`; the covariance matrix is `L L'`. The factor L is
lower triangular: `scale` is its positive diagonal, `lower` what is below, row by row, `L_10, L_20, L_21, L_30, ...`
(together the `scale_tril` of other libraries). Or `covariance` gives the matrix as numbers. Samples are `m + L z` with
standard normal z: differentiable with respect to mean and factor.

`multivariate_normal: {mean: learnable, scale: learnable, lower: learnable}` learns all of it. It starts at the standard
normal, or where `{learnable: NUMBERS}` says; a learned diagonal is stored as its logarithm. A network of the context
gives each row a factor of its own, the diagonal as its logarithm.

With independent elements it is `normal`, which is faster.
)";

constexpr ComponentInfo kComponents[] = {describe<MultivariateNormal>("distribution", "multivariate_normal",
                                                                      "Normal elements with a full covariance matrix",
                                                                      kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("multivariate_normal", "0.1.0", "MIT", kComponents);
