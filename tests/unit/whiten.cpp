#include "../../plugins/preprocess/whiten.cpp"

#include <catch2/catch.hpp>
#include <eigen3/Eigen/LU>

#include "support/fake_build.h"
#include "support/tables.h"

using namespace pushforward::test;  // NOLINT

namespace {

std::unique_ptr<Preprocess<double>> whiten(const char* kind) {
  return make_component<Preprocess<double>>(kComponents[0], {{"kind", kind}});
}

/// Three dependent columns of a few thousand rows, in units of their own; more rows than one block of them.
Table training() {
  constexpr Index kRows = 2500;
  Matrix<double> z(kRows, 3);
  Draws({.seed = 5}, ComponentId{1}, 0, 0).normal(z.block());
  std::vector<double> values;
  for (Index i = 0; i < kRows; ++i) values.push_back(100 + 2 * z(i, 0));
  for (Index i = 0; i < kRows; ++i) values.push_back(-3 + z(i, 0) - 0.5 * z(i, 1));
  for (Index i = 0; i < kRows; ++i) values.push_back(0.01 * (z(i, 1) + z(i, 2) * z(i, 2)));
  return table_of({"a", "b", "c"}, values);
}

Eigen::Map<const MatrixXd> matrix_of(const std::vector<double>& state) { return {state.data() + 3, 3, 3}; }

}  // namespace

TEST_CASE("whiten makes uncorrelated columns of variance 1, and comes back") {
  const Table table = training();
  for (const char* kind : {"cholesky", "pca", "zca"}) {
    CAPTURE(kind);
    const auto map = whiten(kind);
    CHECK(map->state_size(3) == 22);
    const std::vector<double> state = fitted(*map, table);
    Table white = table;
    std::vector<double> log_det(static_cast<std::size_t>(table.rows), 1.5);
    map->apply(white, state, log_det);
    std::vector<double> mean(3);
    const MatrixXd covariance = covariance_of(white, mean);
    for (Index j = 0; j < 3; ++j) {
      CHECK(std::abs(mean[static_cast<std::size_t>(j)]) < 1e-10);
      for (Index k = 0; k < 3; ++k) CHECK(covariance(j, k) == Approx(j == k).margin(1e-9));
    }
    const double expected = std::log(std::abs(MatrixXd(matrix_of(state)).determinant()));
    for (const double row : log_det) CHECK(row == Approx(1.5 + expected));
    map->undo(white, state);
    for (std::size_t i = 0; i < white.values.size(); ++i)
      CHECK(white.values[i] == Approx(table.values[i]).margin(1e-11));
  }
}

TEST_CASE("whiten's matrices are triangular, principal components and symmetric") {
  const Table table = training();
  std::vector<double> mean(3);
  const MatrixXd covariance = covariance_of(table, mean);
  const std::vector<double> cholesky = fitted(*whiten("cholesky"), table), pca = fitted(*whiten("pca"), table),
                            zca = fitted(*whiten("zca"), table);
  for (Index i = 0; i < 3; ++i)
    for (Index j = i + 1; j < 3; ++j) {
      CHECK(matrix_of(cholesky)(i, j) == 0);
      CHECK(matrix_of(zca)(i, j) == Approx(matrix_of(zca)(j, i)));
    }
  for (Index i = 0; i < 3; ++i) CHECK(matrix_of(cholesky)(i, i) > 0);
  // Rows of principal components are eigenvectors over root of eigenvalues, which decrease.
  double before = INFINITY;
  for (Index i = 0; i < 3; ++i) {
    const VectorXd w = matrix_of(pca).row(i);
    const double eigenvalue = 1 / w.squaredNorm();
    CHECK(eigenvalue < before);
    before = eigenvalue;
    CHECK((covariance * w - eigenvalue * w).norm() < 1e-9 * covariance.norm() * w.norm());
    CHECK(w.maxCoeff() == w.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("whiten maps other rows by the training rows' numbers") {
  const auto map = whiten("cholesky");
  const std::vector<double> state = fitted(*map, table_of({"a", "b"}, {1, 3, 1, 3, /**/ 5, 5, 9, 9}));
  Table other = table_of({"a", "b"}, {4, /**/ 11});
  map->apply(other, state, {});
  CHECK(other.values == std::vector<double>{2, 2});
}

TEST_CASE("whiten keeps its accuracy far from zero and in any units") {
  Table table = training();
  for (double& x : table.column(0)) x = 1e8 + 1e-3 * x;
  for (double& x : table.column(2)) x *= 1e-9;
  const auto map = whiten("cholesky");
  const std::vector<double> state = fitted(*map, table);
  map->apply(table, state, {});
  std::vector<double> mean(3);
  const MatrixXd covariance = covariance_of(table, mean);
  CHECK((covariance - MatrixXd::Identity(3, 3)).norm() < 1e-6);
}

TEST_CASE("whiten says which columns depend on each other") {
  Table table = training();
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.rows); ++i)
    table.column(2)[i] = 3 - 2 * table.column(0)[i];
  for (const char* kind : {"cholesky", "pca", "zca"})
    CHECK_THROWS_WITH(fitted(*whiten(kind), table),
                      "whiten: over the training rows, the columns 'a', 'c' depend on each other linearly, so there is "
                      "no density; leave one of them out of the data");
  for (double& x : table.column(1)) x = 0.1;
  CHECK_THROWS_WITH(fitted(*whiten("zca"), table),
                    "whiten: column 'b' is 0.1 in all 2500 training rows; leave the column out of the data");
  CHECK_THROWS_WITH(fitted(*whiten("pca"), table_of({"a", "b", "c"}, {1, 2, 3, 4, 5, 7, 8, 6, 9})),
                    "whiten: there are 3 training rows for 3 columns, but more rows than columns are needed");
  table = training();
  table.column(1)[7] = NAN;
  CHECK_THROWS_WITH(fitted(*whiten("pca"), table), Catch::StartsWith("whiten: column 'b' has the variance nan over"));
  CHECK_THROWS_AS(whiten("pca")->apply(table, std::vector<double>(5), {}), ShapeError);
}
