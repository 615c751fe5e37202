// k-means and what is measured within its clusters.
#include "pushforward/clusters.h"

#include <catch2/catch.hpp>
#include <set>

#include "support/models.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

/// Rows around eight centres on a circle, in turn.
template <class T>
Matrix<T> around_a_circle(Index rows, double deviation) {
  Matrix<T> m = normal_rows<T>(rows, 2, 5, deviation);
  for (Index i = 0; i < rows; ++i) {
    const double angle = 2 * M_PI * static_cast<double>(i % 8) / 8;
    m(i, 0) += static_cast<T>(4 * std::cos(angle));
    m(i, 1) += static_cast<T>(4 * std::sin(angle));
  }
  return m;
}

Draws draws(std::uint64_t seed) { return {{.seed = seed}, {7}, 0, 0}; }

}  // namespace

TEMPLATE_TEST_CASE("k-means finds clusters that lie apart, whatever it draws", "", float, double) {
  const Matrix<TestType> rows = around_a_circle<TestType>(801, 0.3);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Clusters c = k_means<TestType>(rows, 8, draws(seed));
    REQUIRE(c.of_row.size() == 801);
    std::set<Index> used;
    for (Index i = 0; i < 8; ++i) used.insert(c.of_row[static_cast<std::size_t>(i)]);
    REQUIRE(used.size() == 8);
    for (Index i = 8; i < 801; ++i)
      REQUIRE(c.of_row[static_cast<std::size_t>(i)] == c.of_row[static_cast<std::size_t>(i % 8)]);
    const Index first = c.of_row[0];
    CHECK(c.sizes[static_cast<std::size_t>(first)] == 101);
    CHECK(c.share(first) == Approx(102.0 / 809));
    CHECK(c.centres[static_cast<std::size_t>(2 * first)] == Approx(4).margin(0.15));
    CHECK(c.centres[static_cast<std::size_t>(2 * first + 1)] == Approx(0).margin(0.15));
  }
}

TEST_CASE("k-means measures every element in its own unit") {
  // Two clusters that differ in the first element only, beside a second one that is a thousand times wider.
  Matrix<double> rows = normal_rows<double>(400, 2, 3);
  for (Index i = 0; i < 400; ++i) {
    rows(i, 0) = 0.01 * rows(i, 0) + (i % 2 ? 0.1 : -0.1);
    rows(i, 1) *= 100;
  }
  const Clusters c = k_means<double>(rows, 2, draws(1));
  for (Index i = 2; i < 400; ++i)
    CHECK(c.of_row[static_cast<std::size_t>(i)] == c.of_row[static_cast<std::size_t>(i % 2)]);
}

TEST_CASE("many rows are looked at in part and all assigned") {
  const Matrix<float> rows = around_a_circle<float>(30001, 0.3);
  const Clusters c = k_means<float>(rows, 8, draws(2));
  Index all = 0;
  for (const Index n : c.sizes) {
    CHECK(n >= 3750);
    all += n;
  }
  CHECK(all == 30001);
}

TEST_CASE("rows that are not finite belong to no cluster, and too few rows are refused") {
  Matrix<double> rows = normal_rows<double>(5, 2, 1);
  rows(1, 0) = NAN;
  rows(3, 1) = INFINITY;
  const Clusters c = k_means<double>(rows, 3, draws(0));
  CHECK(c.of_row[1] == -1);
  CHECK(c.of_row[3] == -1);
  CHECK(c.sizes == std::vector<Index>{1, 1, 1});
  for (const double v : variances_within<double>(rows, c)) CHECK(v > 0);
  CHECK_THROWS_WITH(k_means<double>(rows, 4, draws(0)),
                    "4 clusters need as many rows or more, but there are 3 finite rows");
  CHECK_THROWS_WITH(random_centres<double>(rows, 4, draws(0)), Contains("3 finite rows"));
}

TEST_CASE("rows that are all alike can be told apart no further, and leave positive variances") {
  Matrix<double> rows(6, 2);
  for (Index i = 0; i < 6; ++i) rows(i, 0) = rows(i, 1) = 3;
  const Clusters c = k_means<double>(rows, 2, draws(0));
  CHECK(c.sizes[0] + c.sizes[1] == 6);
  for (const double v : c.centres) CHECK(v == 3);
  for (const double v : variances_within<double>(rows, c)) CHECK(v == Approx(1e-6));
  const std::vector<double> matrices = covariances_within<double>(rows, c, false);
  REQUIRE(matrices.size() == 8);
  CHECK(matrices[0] > 0);
  CHECK(matrices[1] == 0);
}

TEST_CASE("variances and covariances are those within the clusters") {
  Matrix<double> rows = normal_rows<double>(40000, 2, 4);
  for (Index i = 0; i < 40000; ++i) {
    rows(i, 1) = 0.6 * rows(i, 0) + 0.8 * rows(i, 1);
    if (i % 2) {
      rows(i, 0) = 2 * rows(i, 0) + 100;
      rows(i, 1) *= 3;
    }
  }
  const Clusters c = nearest_centres<double>(rows, std::vector<double>{0, 0, 100, 0}, 2);
  CHECK(c.sizes == std::vector<Index>{20000, 20000});
  CHECK(distance(variances_within<double>(rows, c), {1, 1, 4, 9}) < 0.03);
  CHECK(distance(covariances_within<double>(rows, c, false), {1, 0.6, 0.6, 1, 4, 3.6, 3.6, 9}) < 0.03);
  CHECK(distance(covariances_within<double>(rows, c, true), {2.5, 2.1, 2.1, 5}) < 0.03);
}

TEST_CASE("random centres are rows of the batch, all of them different") {
  const Matrix<double> rows = normal_rows<double>(20, 1, 2);
  const Clusters c = random_centres<double>(rows, 20, draws(3));
  std::set<double> centres(c.centres.begin(), c.centres.end());
  CHECK(centres.size() == 20);
  CHECK(c.sizes == std::vector<Index>(20, 1));
}
