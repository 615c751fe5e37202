// Sums over rows and columns, log_sum_exp, softmax, running sums.
#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr Index kRows[] = {0, 1, 17, 300};
constexpr Index kColumns[] = {1, 6};

template <class F, class Plain>
void check(const F& f, const Plain& plain, bool row_wise) {
  const auto apply = [&f](auto&, auto x) { return f(x[0]); };
  for (const Index rows : kRows)
    for (const Index columns : kColumns) {
      CAPTURE(rows, columns);
      const Table x = Table::random(rows, columns, 4);
      const OperationCheck check(std::vector<Table>{x}, apply);
      check.values(plain(x));
      if (rows > 100) continue;  // finite differences of so many numbers take long
      check.gradients();
      check.tangents();
      if (row_wise && rows > 1) check.nan_stays_in_its_row(0);
    }
}

double log_sum_exp_of(const Table& x, Index i) {
  double sum = 0;
  for (Index j = 0; j < x.columns; ++j) sum += std::exp(x(i, j));
  return std::log(sum);
}
Table softmax_of(const Table& x, Index group) {
  return Table::make(x.rows, x.columns, [&](Index i, Index j) {
    double sum = 0;
    for (Index k = j / group * group; k < (j / group + 1) * group; ++k) sum += std::exp(x(i, k));
    return std::exp(x(i, j)) / sum;
  });
}
Table running_sum_of(const Table& x, Index group) {
  return Table::make(x.rows, x.columns, [&](Index i, Index j) {
    double sum = 0;
    for (Index k = j / group * group; k <= j; ++k) sum += x(i, k);
    return sum;
  });
}

}  // namespace

TEST_CASE("sums over columns, over rows and over both") {
  SECTION("row_sum") {
    check([](auto x) { return row_sum(x); },
          [](const Table& x) {
            return Table::make(x.rows, 1, [&](Index i, Index) {
              double s = 0;
              for (Index j = 0; j < x.columns; ++j) s += x(i, j);
              return s;
            });
          },
          true);
  }
  SECTION("column_sum") {
    check([](auto x) { return column_sum(x); },
          [](const Table& x) {
            return Table::make(1, x.columns, [&](Index, Index j) {
              double s = 0;
              for (Index i = 0; i < x.rows; ++i) s += x(i, j);
              return s;
            });
          },
          false);
  }
  SECTION("sum") {
    check([](auto x) { return sum(x); },
          [](const Table& x) {
            double s = 0;
            for (const double v : x.numbers) s += v;
            return Table(1, 1, s);
          },
          false);
  }
}

TEST_CASE("sums are taken in double") {
  // 2^24 is where float32 no longer counts.
  Tape<float> tape;
  const Var<float> row = tape.make(1, 101), column = tape.make(101, 1);
  for (Index i = 0; i < 101; ++i) row.data().data[i] = column.data().data[i] = i == 0 ? 16777216.0f : 1.0f;
  CHECK(*row_sum(row).value().data == 16777316.0f);
  CHECK(*column_sum(column).value().data == 16777316.0f);
  CHECK(*sum(row).value().data == 16777316.0f);
  CHECK(cumulative_sum(row).value().data[100] == 16777316.0f);
  // The gradient of an operand that was repeated is such a sum.
  const float one = 1;
  const Var<float> number = tape.leaf(compact<const float>(&one, 1, 1));
  tape.backward(number * column);
  CHECK(*tape.adjoint(number).data == 16777316.0f);
  tape.backward(number * row);
  CHECK(*tape.adjoint(number).data == 16777316.0f);
}

TEST_CASE("log_sum_exp") {
  check([](auto x) { return log_sum_exp(x); },
        [](const Table& x) { return Table::make(x.rows, 1, [&](Index i, Index) { return log_sum_exp_of(x, i); }); },
        true);
}

TEST_CASE("log_sum_exp of large and of infinite numbers") {
  const double inf = INFINITY;
  const double rows[][3] = {{1000, 1000, 1000}, {-1000, -1001, -2000}, {-inf, 2, -inf}, {-inf, -inf, -inf},
                            {1, inf, 2},        {NAN, 1, 2},           {1, NAN, inf},   {1, 2, NAN}};
  const double expected[] = {1000 + std::log(3.0), -1000 + std::log1p(std::exp(-1.0)), 2, -inf, inf, NAN, NAN, NAN};
  const Table x = Table::make(8, 3, [&](Index i, Index j) { return rows[i][j]; });
  Tape<double> tape;
  Stored<double> memory(x);
  const Var<double> leaf = tape.leaf(memory.block()), y = log_sum_exp(leaf);
  CHECK(largest_difference(Table::of(y.value()), Table::make(8, 1, [&](Index i, Index) { return expected[i]; })) <
        1e-15);
  tape.backward(y);
  const Table g = Table::of(tape.adjoint(leaf));
  for (Index j = 0; j < 3; ++j) {
    CHECK(g(0, j) == Approx(1.0 / 3));
    CHECK(g(2, j) == (j == 1 ? 1 : 0));
    CHECK(g(3, j) == 0);
    CHECK(std::isnan(g(5, j)));
  }
  CHECK(*log_sum_exp(tape.full(1, 0, 0)).value().data == -inf);
}

TEST_CASE("softmax over groups of columns") {
  for (const Index group : {0, 1, 2, 3, 6}) {
    CAPTURE(group);
    check([group](auto x) { return softmax(x, x.columns() == 6 ? group : 0); },
          [group](const Table& x) { return softmax_of(x, x.columns == 6 && group ? group : x.columns); }, true);
  }
  Tape<double> tape;
  const Table large = Table::of(softmax(tape.full(2, 4, 1e300), 2).value());
  CHECK(large.numbers == std::vector<double>(8, 0.5));
}

TEST_CASE("running sums over groups of columns") {
  for (const Index group : {0, 1, 2, 3, 6}) {
    CAPTURE(group);
    check([group](auto x) { return cumulative_sum(x, x.columns() == 6 ? group : 0); },
          [group](const Table& x) { return running_sum_of(x, x.columns == 6 && group ? group : x.columns); }, false);
  }
}

TEST_CASE("groups that do not divide the columns are refused") {
  Tape<double> tape;
  const Var<double> x = tape.full(2, 6, 1);
  CHECK(shape_error_of([&] { softmax(x, 4); }) ==
        "softmax: 6 columns in groups of 4: the columns must be a multiple of the group");
  CHECK(shape_error_of([&] { cumulative_sum(x, -2); }) ==
        "cumulative_sum: 6 columns in groups of -2: the columns must be a multiple of the group");
}
