// Products, triangular systems and determinants against plain loops.
#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

Table transposed(const Table& x) {
  return Table::make(x.columns, x.rows, [&](Index i, Index j) { return x(j, i); });
}
Table product(const Table& a, const Table& b) {
  return Table::make(a.rows, b.columns, [&](Index i, Index j) {
    double sum = 0;
    for (Index k = 0; k < a.columns; ++k) sum += a(i, k) * b(k, j);
    return sum;
  });
}
/// Well-conditioned: dominated by its diagonal.
Table well_conditioned(Index size, unsigned seed) {
  Table a = Table::random(size, size, seed, 0.3);
  for (Index i = 0; i < size; ++i) a(i, i) += i % 2 ? -2 : 2;
  return a;
}
Table triangle_of(const Table& t, Triangle triangle, bool unit) {
  return Table::make(t.rows, t.columns, [&](Index i, Index j) {
    if (i == j) return unit ? 1.0 : t(i, j);
    return (triangle == Triangle::lower) == (i > j) ? t(i, j) : 0.0;
  });
}
/// log |det| by elimination with complete pivoting.
double log_abs_det_of(Table a) {
  double result = 0;
  for (Index n = 0; n < a.rows; ++n) {
    Index row = n, column = n;
    for (Index j = n; j < a.rows; ++j)
      for (Index i = n; i < a.rows; ++i)
        if (std::abs(a(i, j)) > std::abs(a(row, column))) row = i, column = j;
    for (Index j = 0; j < a.rows; ++j) std::swap(a(n, j), a(row, j));
    for (Index i = 0; i < a.rows; ++i) std::swap(a(i, n), a(i, column));
    result += std::log(std::abs(a(n, n)));
    for (Index i = n + 1; i < a.rows; ++i)
      for (Index j = a.rows; j-- > n;) a(i, j) -= a(i, n) / a(n, n) * a(n, j);
  }
  return result;
}

}  // namespace

TEST_CASE("products of matrices and of their transposes") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const Index rows : {1, 2, 17})
        for (const Index inner : {1, 2, 9})
          for (const Index columns : {1, 2, 5}) {
            CAPTURE(ta, tb, rows, inner, columns);
            const Table a = Table::random(rows, inner, 1), b = Table::random(inner, columns, 2);
            const auto apply = [ta, tb](auto&, auto x) { return matmul(x[0], x[1], ta, tb); };
            OperationCheck(std::vector<Table>{ta ? transposed(a) : a, tb ? transposed(b) : b}, apply)
                .everything(product(a, b));
          }
}

TEST_CASE("products with empty matrices") {
  const auto apply = [](auto&, auto x) { return matmul(x[0], x[1]); };
  for (const auto& [rows, inner, columns] : {std::array<Index, 3>{0, 3, 2}, {4, 0, 2}, {4, 3, 0}, {1, 0, 1}}) {
    CAPTURE(rows, inner, columns);
    const OperationCheck check(std::vector<Table>{Table(rows, inner, 1), Table(inner, columns, 1)}, apply);
    check.values(Table(rows, columns, 0));
    check.gradients();
  }
}

TEST_CASE("a matrix times itself") {
  const Table a = Table::random(7, 7, 1);
  const auto apply = [](auto&, auto x) { return matmul(x[0], x[0], false, true); };
  OperationCheck(std::vector<Table>{a}, apply).everything(product(a, transposed(a)));
}

TEST_CASE("a NaN stays in its row of a product") {
  for (const Index inner : {1, 2, 9})
    for (const Index columns : {1, 2, 5}) {
      const auto apply = [](auto&, auto x) { return matmul(x[0], x[1]); };
      OperationCheck(std::vector<Table>{Table::random(33, inner, 1), Table::random(inner, columns, 2)}, apply)
          .nan_stays_in_its_row(0);
    }
}

TEST_CASE("triangular systems") {
  for (const Triangle triangle : {Triangle::lower, Triangle::upper})
    for (const bool unit : {false, true})
      for (const bool transpose : {false, true})
        for (const Index size : {1, 2, 6})
          for (const Index columns : {1, 4}) {
            CAPTURE(static_cast<int>(triangle), unit, transpose, size, columns);
            const Table t = well_conditioned(size, 3), x = Table::random(size, columns, 4);
            const Table used = triangle_of(t, triangle, unit);
            const auto solve = [=](auto&, auto v) { return triangular_solve(v[0], v[1], triangle, unit, transpose); };
            OperationCheck(std::vector<Table>{t, product(transpose ? transposed(used) : used, x)}, solve).everything(x);
          }
}

TEST_CASE("the other triangle is not read") {
  Table t = well_conditioned(5, 3);
  for (Index j = 0; j < 5; ++j)
    for (Index i = 0; i <= j; ++i) t(i, j) = NAN;
  Tape<double> tape;
  Stored<double> matrix(t), right(Table::random(5, 2, 1)), adjoint(Table(5, 5));
  const Var<double> x =
      triangular_solve(tape.leaf(matrix.block(), adjoint.block()), tape.leaf(right.block()), Triangle::lower, true);
  tape.backward(x);
  for (const double v : Table::of(x.value()).numbers) CHECK(std::isfinite(v));
  const Table g = Table::of(adjoint.block());
  for (Index j = 0; j < 5; ++j)
    for (Index i = 0; i < 5; ++i) {
      CHECK(std::isfinite(g(i, j)));
      if (i <= j) CHECK(g(i, j) == 0);
    }
}

TEST_CASE("logarithms of determinants") {
  const auto apply = [](auto&, auto x) { return log_abs_det(x[0]); };
  for (const Index size : {1, 2, 3, 6, 17}) {
    CAPTURE(size);
    const Table a = size == 17 ? well_conditioned(17, 4) : Table::random(size, size, 11);
    OperationCheck(std::vector<Table>{a}, apply).everything(Table(1, 1, log_abs_det_of(a)));
  }
  // Pivots: zeros on the diagonal.
  const Table swapped = Table::make(4, 4, [](Index i, Index j) { return i == (j + 1) % 4 ? 2.0 + double(i) : 0.0; });
  OperationCheck(std::vector<Table>{swapped}, apply).everything(Table(1, 1, std::log(2.0 * 3 * 4 * 5)));
  OperationCheck(std::vector<Table>{Table(0, 0)}, apply).values(Table(1, 1, 0));
}

TEST_CASE("a large determinant") {
  const Table a = Table::random(150, 150, 5);
  Tape<double> tape;
  Stored<double> memory(a);
  const Var<double> leaf = tape.leaf(memory.block()), y = log_abs_det(leaf);
  CHECK(*y.value().data == Approx(log_abs_det_of(a)).epsilon(1e-12));
  tape.backward(y);  // a^-T: its product with a' is the identity
  const Table identity = product(transposed(Table::of(tape.adjoint(leaf))), a);
  for (Index j = 0; j < 150; ++j)
    for (Index i = 0; i < 150; ++i) CHECK(identity(i, j) == Approx(i == j ? 1 : 0).margin(1e-10));
}

TEST_CASE("a singular matrix has the logarithm of zero") {
  Tape<double> tape;
  CHECK(*log_abs_det(tape.full(3, 3, 0)).value().data == -INFINITY);
  CHECK(*log_abs_det(tape.full(3, 3, 1)).value().data == -INFINITY);
  CHECK(std::isnan(*log_abs_det(tape.full(3, 3, NAN)).value().data));
}

TEST_CASE("matrices that do not fit are refused") {
  Tape<float> tape;
  const Var<float> a = tape.full(3, 4, 1), b = tape.full(3, 5, 1), square = tape.full(4, 4, 1);
  CHECK(shape_error_of([&] { matmul(a, b); }) ==
        "matmul: 3 x 4 and 3 x 5: the first's columns must equal the second's rows");
  CHECK(shape_error_of([&] { matmul(a, b, true, true); }) ==
        "matmul: 3 x 4 transposed and 3 x 5 transposed: the first's columns must equal the second's rows");
  CHECK(shape_error_of([&] { triangular_solve(a, b, Triangle::lower); }) ==
        "triangular_solve: 3 x 4: the matrix must be square");
  CHECK(shape_error_of([&] { triangular_solve(square, b, Triangle::lower); }) ==
        "triangular_solve: 4 x 4 and 3 x 5: rows must be equal");
  CHECK(shape_error_of([&] { log_abs_det(b); }) == "log_abs_det: 3 x 5: the matrix must be square");
}
