// gemm against plain loops in every shape and layout, and sums in one order.
#include "pushforward/linear_algebra.h"

#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

Table transposed(const Table& x) {
  return Table::make(x.columns, x.rows, [&](Index i, Index j) { return x(j, i); });
}

template <class T>
void check_gemm(Index rows, Index inner, Index columns, double allowed) {
  const Table a = Table::random(rows, inner, 1), b = Table::random(inner, columns, 2),
              c = Table::random(rows, columns, 3);
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const double beta : {0.0, 1.0, -0.5})
        for (const Layout layout : kLayouts) {
          CAPTURE(rows, inner, columns, ta, tb, beta, static_cast<int>(layout));
          const Table expected = Table::make(rows, columns, [&](Index i, Index j) {
            double sum = beta * static_cast<double>(static_cast<T>(c(i, j)));
            for (Index k = 0; k < inner; ++k)
              sum += static_cast<double>(static_cast<T>(a(i, k))) * static_cast<double>(static_cast<T>(b(k, j)));
            return sum;
          });
          Stored<T> sa(ta ? transposed(a) : a, layout), sb(tb ? transposed(b) : b, layout);
          // What beta = 0 overwrites may be anything.
          Stored<T> sc(beta == 0 ? Table(rows, columns, NAN) : c, layout);
          gemm<T>(ta, tb, sa.block(), sb.block(), static_cast<T>(beta), sc.block());
          REQUIRE(largest_difference(Table::of(sc.block()), expected) < allowed);
          REQUIRE(sc.intact());
        }
}

/// Bit for bit the same for every alignment, and close to the truth.
template <class T>
void check_sums() {
  std::vector<T> x(1100), y(1100), moved_x(1200), moved_y(1200);
  const Table numbers = Table::random(1100, 2, 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(numbers(static_cast<Index>(i), 0));
    y[i] = static_cast<T>(numbers(static_cast<Index>(i), 1));
  }
  for (const Index n : {0, 1, 7, 8, 31, 32, 33, 100, 1000, 1100}) {
    const double sum = sum_in_order(x.data(), n), dot = dot_in_order(x.data(), y.data(), n);
    double plain = 0, product = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      plain += static_cast<double>(x[i]);
      product += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    }
    CHECK(sum == Approx(plain).margin(1e-12));
    CHECK(dot == Approx(product).margin(1e-12));
    for (std::size_t offset = 0; offset < 17; ++offset) {
      std::copy(x.begin(), x.end(), moved_x.begin() + static_cast<std::ptrdiff_t>(offset));
      std::copy(y.begin(), y.end(), moved_y.begin() + static_cast<std::ptrdiff_t>(offset * 3));
      CHECK(sum_in_order(moved_x.data() + offset, n) == sum);
      CHECK(dot_in_order(moved_x.data() + offset, moved_y.data() + offset * 3, n) == dot);
    }
  }
}

}  // namespace

TEST_CASE("gemm equals plain loops for every shape") {
  for (const Index rows : {0, 1, 2, 3, 17, 64})
    for (const Index inner : {0, 1, 2, 3, 5, 64})
      for (const Index columns : {0, 1, 2, 3, 5, 33}) {
        check_gemm<double>(rows, inner, columns, 1e-13);
        check_gemm<float>(rows, inner, columns, 3e-5);
      }
}

TEST_CASE("gemm of large matrices") {
  check_gemm<double>(131, 257, 70, 1e-12);
  check_gemm<float>(131, 257, 70, 1e-4);
  for (const Index small : {1, 2, 3, 4, 8}) {
    check_gemm<float>(300, small, 130, 1e-4);
    check_gemm<float>(300, 130, small, 1e-4);
    check_gemm<float>(small, 300, 130, 1e-4);
    check_gemm<double>(small, 130, small, 1e-12);
  }
}

TEST_CASE("a NaN in a row of a factor stays in that row of the product") {
  for (const Index inner : {1, 2, 3, 70})
    for (const Index columns : {1, 2, 3, 40}) {
      Table a = Table::random(50, inner, 1);
      a(20, inner - 1) = NAN;
      Stored<float> sa(a), sb(Table::random(inner, columns, 2)), sc(Table(50, columns));
      gemm<float>(false, false, sa.block(), sb.block(), 0, sc.block());
      for (Index j = 0; j < columns; ++j)
        for (Index i = 0; i < 50; ++i) CHECK(std::isnan(sc.block()(i, j)) == (i == 20));
    }
}

#ifdef __AVX512F__
TEST_CASE("core's own products of some rows have the bits of the whole") {
  const Index inner = 300, columns = 37;
  Stored<float> a(Table::random(131, inner, 1)), b(Table::random(inner, columns, 2)), whole(Table(131, columns));
  gemm<float>(false, false, a.block(), b.block(), 0, whole.block());
  for (const auto& [first, rows] : {std::pair<Index, Index>{0, 2}, {5, 7}, {3, 17}, {16, 64}, {60, 71}}) {
    Stored<float> some(Table(rows, columns));
    gemm<float>(false, false, a.block().middle_rows(first, rows), b.block(), 0, some.block());
    CHECK(largest_difference(Table::of(some.block()), Table::of(whole.block().middle_rows(first, rows))) == 0);
  }
}
#endif

TEST_CASE("sums do not depend on alignment") {
  SECTION("float32") { check_sums<float>(); }
  SECTION("float64") { check_sums<double>(); }
}

TEST_CASE("sums are taken in double") {
  std::vector<float> x(101, 1.0f);
  x[0] = 16777216.0f;  // 2^24: the next float is 2 away
  CHECK(sum_in_order(x.data(), 101) == 16777316.0);
  CHECK(dot_in_order(x.data(), std::vector<float>(101, 1.0f).data(), 101) == 16777316.0);
  CHECK(std::isnan(sum_in_order(std::vector<float>(40, NAN).data(), 40)));
}
