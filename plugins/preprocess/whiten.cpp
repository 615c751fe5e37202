// whiten: columns with the mean 0, the variance 1 and no correlations over the training rows.
//
// Kessy, Lewin, Strimmer, "Optimal whitening and decorrelation", The American Statistician 72 (2018).
//
// | state | meaning |
// | --- | --- |
// | D | means |
// | D x D | W, column-major: raw less mean to white |
// | D x D | the inverse of W |
// | 1 | log abs det W |
#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/Cholesky>
#include <eigen3/Eigen/Eigenvalues>

#include "pushforward/linear_algebra.h"
#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file
using Eigen::MatrixXd;
using Eigen::VectorXd;

enum class Kind : std::uint8_t { pca, zca, cholesky };

/// The numbers of the state as what they are.
struct State {
  std::span<double> mean;
  Eigen::Map<MatrixXd> forward, backward;
  double& log_det;

  State(std::span<double> s, Index d)
      : mean(s.first(static_cast<std::size_t>(d))),
        forward(s.data() + d, d, d),
        backward(s.data() + d + d * d, d, d),
        log_det(s.back()) {}
};

Index size_of_state(Index columns) { return columns + 2 * columns * columns + 1; }

void require_state(const Table& table, std::size_t size) {
  if (static_cast<Index>(size) != size_of_state(table.columns()))
    throw ShapeError("whiten: a table of " + std::to_string(table.columns()) + " columns needs " +
                     std::to_string(size_of_state(table.columns())) + " numbers of state, not " + std::to_string(size));
}

/// Means to `mean`, and the covariance over n rows (not n - 1).
MatrixXd covariance_of(const Table& table, std::span<double> mean) {
  const Index d = table.columns();
  std::vector<double> centred(table.values);
  for (Index j = 0; j < d; ++j) {
    mean[static_cast<std::size_t>(j)] =
        sum_in_order(table.column(j).data(), table.rows) / static_cast<double>(table.rows);
    for (Index i = 0; i < table.rows; ++i)
      centred[static_cast<std::size_t>(i + j * table.rows)] -= mean[static_cast<std::size_t>(j)];
  }
  MatrixXd covariance(d, d);
  for (Index j = 0; j < d; ++j)
    for (Index k = 0; k <= j; ++k)
      covariance(j, k) = covariance(k, j) =
          dot_in_order(centred.data() + j * table.rows, centred.data() + k * table.rows, table.rows) /
          static_cast<double>(table.rows);
  return covariance;
}

/// Names the columns that a combination of others follows, if there are some.
void require_independent(const Table& table, const MatrixXd& covariance) {
  const Index d = table.columns();
  for (Index j = 0; j < d; ++j) {
    const auto [low, high] = std::minmax_element(table.column(j).begin(), table.column(j).end());
    const std::string& name = table.names[static_cast<std::size_t>(j)];
    if (*low == *high)
      throw DataError("whiten: column '" + name + "' is " + number_text(*low) + " in all " +
                      std::to_string(table.rows) + " training rows; leave the column out of the data");
    if (!std::isfinite(covariance(j, j)) || covariance(j, j) == 0)
      throw DataError(
          "whiten: column '" + name + "' has the variance " + number_text(covariance(j, j)) +
          " over the training rows, but it must be finite and above 0; look for values that are not finite, "
          "or give the column in other units");
  }
  const VectorXd scale = covariance.diagonal().cwiseSqrt().cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> correlation(scale.asDiagonal() * covariance * scale.asDiagonal());
  constexpr double kSmallest = 1e-12;  // of the eigenvalues, whose mean is 1
  if (correlation.eigenvalues()(0) > kSmallest) return;
  const VectorXd weights = correlation.eigenvectors().col(0).cwiseAbs();
  std::string names;
  for (Index j = 0; j < d; ++j)
    if (weights(j) > 1e-3 * weights.maxCoeff())
      names += (names.empty() ? "'" : ", '") + table.names[static_cast<std::size_t>(j)] + "'";
  throw DataError("whiten: over the training rows, the columns " + names +
                  " depend on each other linearly, so there is no density; leave one of them out of the data");
}

/// An eigenvector's sign is arbitrary: its largest element shall be positive.
void fix_signs(MatrixXd& vectors) {
  for (Index j = 0; j < vectors.cols(); ++j) {
    Index largest = 0;
    vectors.col(j).cwiseAbs().maxCoeff(&largest);
    if (vectors(largest, j) < 0) vectors.col(j) *= -1;
  }
}

void decompose(const Table& table, Kind kind, State& state) {
  const Index d = table.columns();
  const MatrixXd covariance = covariance_of(table, state.mean);
  require_independent(table, covariance);
  if (kind == Kind::cholesky) {
    const MatrixXd lower = covariance.llt().matrixL();
    state.forward = lower.triangularView<Eigen::Lower>().solve(MatrixXd::Identity(d, d));
    state.backward = lower;
    state.log_det = -lower.diagonal().array().log().sum();
    return;
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance);
  if (solver.eigenvalues()(0) <= 0)
    throw DataError("whiten: the columns' variances are too far apart, from " +
                    number_text(covariance.diagonal().minCoeff()) + " to " +
                    number_text(covariance.diagonal().maxCoeff()) + "; put standardize before it");
  MatrixXd vectors = solver.eigenvectors().rowwise().reverse();  // the largest variance first
  const VectorXd deviations = solver.eigenvalues().reverse().cwiseSqrt();
  fix_signs(vectors);
  state.forward = deviations.cwiseInverse().asDiagonal() * vectors.transpose();
  state.backward = vectors * deviations.asDiagonal();
  if (kind == Kind::zca) {
    state.forward = (vectors * state.forward).eval();
    state.backward = (state.backward * vectors.transpose()).eval();
  }
  state.log_det = -deviations.array().log().sum();
}

/// Every row r to matrix r, in place, by blocks of rows.
void multiply_rows(Table& table, const double* matrix) {
  constexpr Index kRows = 1024;
  const Index d = table.columns();
  Matrix<double> rows(kRows, d), products(kRows, d), factor(d, d);
  for (Index j = 0; j < d; ++j) std::copy_n(matrix + j * d, d, factor.block().column(j));
  for (Index first = 0; first < table.rows; first += kRows) {
    const Index n = std::min(kRows, table.rows - first);
    for (Index j = 0; j < d; ++j) std::copy_n(table.column(j).data() + first, n, rows.block().column(j));
    gemm<double>(false, true, rows.block(), factor.block(), 0.0, products.block());
    for (Index j = 0; j < d; ++j) std::copy_n(products.block().column(j), n, table.column(j).data() + first);
  }
}

template <class T>
class Whiten final : public Preprocess<T> {
 public:
  explicit Whiten(Build<T>& build) {
    const std::string kind = build.text("kind");
    kind_ = kind == "pca" ? Kind::pca : kind == "zca" ? Kind::zca : Kind::cholesky;
  }

  Index state_size(Index columns) const override { return size_of_state(columns); }

  void fit(const Table& training, std::span<double> numbers) const override {
    require_state(training, numbers.size());
    if (training.rows <= training.columns())
      throw DataError("whiten: there are " + std::to_string(training.rows) + " training rows for " +
                      std::to_string(training.columns()) + " columns, but more rows than columns are needed");
    State state(numbers, training.columns());
    decompose(training, kind_, state);
  }

  void apply(Table& table, std::span<const double> numbers, std::span<double> log_det) const override {
    require_state(table, numbers.size());
    const Index d = table.columns();
    for (Index j = 0; j < d; ++j)
      for (double& x : table.column(j)) x -= numbers[static_cast<std::size_t>(j)];
    multiply_rows(table, numbers.data() + d);
    for (double& row : log_det) row += numbers.back();
  }

  void undo(Table& table, std::span<const double> numbers) const override {
    require_state(table, numbers.size());
    const Index d = table.columns();
    multiply_rows(table, numbers.data() + d + d * d);
    for (Index j = 0; j < d; ++j)
      for (double& x : table.column(j)) x += numbers[static_cast<std::size_t>(j)];
  }

 private:
  Kind kind_;
};

constexpr Field kFields[] = {
    choice("kind", "cholesky", "cholesky|pca|zca", "which of the matrices W with `W C W' = I`"),
};

constexpr Example kExamples[] = {
    {"default", "whiten"},
    {"pca", "whiten: {kind: pca}"},
    {"zca", "whiten: {kind: zca}"},
};

constexpr const char kDocumentation[] = R"(
`x = W (y - m)` with the mean m and the covariance `C = sum_i (y_i - m)(y_i - m)' / n` of the n training rows, and a W
such that `W C W' = I`; log_det `log |det W| = -1/2 log det C`, the same for every row. A normal base alone then is a
normal distribution with full covariance, and what the bijectors add is measured against it.

| kind | W | |
| --- | --- | --- |
| `cholesky` | the inverse of the lower triangular L with `L L' = C` | column j depends on columns 0 to j; whatever the units |
| `pca` | `D^-1/2 U'` with `C = U D U'` | principal components, the largest variance first |
| `zca` | `U D^-1/2 U'` | as near to `y - m` as such x can be: columns keep their meaning |

`pca` and `zca` depend on the columns' units: put `standardize` before them. There must be more training rows than
columns, and no column that is constant or a linear combination of others.

Other libraries: scikit-learn's `PCA(whiten=True)`, which divides by n - 1.

A. Kessy, A. Lewin, K. Strimmer, Optimal whitening and decorrelation, The American Statistician 72 (2018).
)";

constexpr ComponentInfo kComponents[] = {
    describe<Whiten>("preprocess", "whiten", "Mean 0, variance 1 and no correlations over the training rows", kFields,
                     kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("whiten", "0.1.0", "MIT", kComponents);
