// Arithmetic with every form of broadcasting, selection, scaling.
#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

struct Extent {
  Index rows, columns;
};

/// What 1 x 1, 1 x K, N x 1 and N x K operands broadcast to, for one N and K.
std::vector<std::pair<Extent, Extent>> pairs(Index rows, Index columns) {
  const Extent all[] = {{rows, columns}, {1, columns}, {rows, 1}, {1, 1}};
  std::vector<std::pair<Extent, Extent>> result;
  for (const Extent& a : all)
    for (const Extent& b : all) result.push_back({a, b});
  return result;
}

template <class Plain>
Table broadcast(const Table& a, const Table& b, const Plain& plain) {
  const Index rows = a.rows == 1 ? b.rows : a.rows, columns = a.columns == 1 ? b.columns : a.columns;
  const auto at = [](const Table& t, Index i, Index j) { return t(t.rows == 1 ? 0 : i, t.columns == 1 ? 0 : j); };
  return Table::make(rows, columns, [&](Index i, Index j) { return plain(at(a, i, j), at(b, i, j)); });
}

/// Away from zero and from each other, where all operations are smooth.
Table operand(Extent e, unsigned seed) {
  Table t = Table::random(e.rows, e.columns, seed);
  for (double& v : t.numbers) v += v > 0 ? 0.5 : -0.5;
  return t;
}

template <class F, class Plain>
void check_binary(const F& f, const Plain& plain) {
  const auto apply = [&f](auto&, auto x) { return f(x[0], x[1]); };
  for (const Index rows : {1, 17})
    for (const Index columns : {1, 3})
      for (const auto& [a, b] : pairs(rows, columns)) {
        CAPTURE(a.rows, a.columns, b.rows, b.columns);
        const Table left = operand(a, 3), right = operand(b, 4);
        OperationCheck(std::vector<Table>{left, right}, apply).everything(broadcast(left, right, plain));
      }
  for (const auto& [a, b] : pairs(0, 3)) {
    CAPTURE(a.rows, a.columns, b.rows, b.columns);
    const Table left = operand(a, 3), right = operand(b, 4);
    const OperationCheck check(std::vector<Table>{left, right}, apply);
    check.values(broadcast(left, right, plain));
    check.gradients();
  }
  for (const std::size_t k : {0, 1})
    OperationCheck(std::vector<Table>{operand({33, 2}, 5), operand({33, 2}, 6)}, apply).nan_stays_in_its_row(k);
}

}  // namespace

TEST_CASE("sums, differences, products and quotients broadcast") {
  SECTION("add") {
    check_binary([](auto a, auto b) { return a + b; }, [](double a, double b) { return a + b; });
  }
  SECTION("subtract") {
    check_binary([](auto a, auto b) { return a - b; }, [](double a, double b) { return a - b; });
  }
  SECTION("multiply") {
    check_binary([](auto a, auto b) { return a * b; }, [](double a, double b) { return a * b; });
  }
  SECTION("divide") {
    check_binary([](auto a, auto b) { return a / b; }, [](double a, double b) { return a / b; });
  }
}

TEST_CASE("maximum and minimum broadcast") {
  SECTION("maximum") {
    check_binary([](auto a, auto b) { return maximum(a, b); }, [](double a, double b) { return std::max(a, b); });
  }
  SECTION("minimum") {
    check_binary([](auto a, auto b) { return minimum(a, b); }, [](double a, double b) { return std::min(a, b); });
  }
}

TEST_CASE("of equal operands the first is the maximum and the minimum") {
  Tape<double> tape;
  Stored<double> one(Table(3, 1, 2.0)), other(Table(3, 1, 2.0));
  const Var<double> a = tape.leaf(one.block()), b = tape.leaf(other.block());
  tape.backward(maximum(a, b) + minimum(a, b));
  CHECK(Table::of(tape.adjoint(a)).numbers == std::vector<double>{2, 2, 2});
  CHECK(Table::of(tape.adjoint(b)).numbers == std::vector<double>{0, 0, 0});
}

TEST_CASE("an operand may be used twice, and with a view of itself") {
  const auto twice = [](auto&, auto x) { return x[0] * x[0] - x[0] / x[0]; };
  const Table x = operand({17, 4}, 8);
  OperationCheck(std::vector<Table>{x}, twice).everything(Table::make(17, 4, [&](Index i, Index j) {
    return x(i, j) * x(i, j) - 1;
  }));
  const auto with_view = [](auto&, auto v) {
    return v[0] * columns(v[0], 2, 1) + columns(v[0], 1, 1) * columns(v[0], 2, 1);
  };
  OperationCheck(std::vector<Table>{x}, with_view).everything(Table::make(17, 4, [&](Index i, Index j) {
    return x(i, j) * x(i, 2) + x(i, 1) * x(i, 2);
  }));
}

TEST_CASE("select takes a where the condition is positive") {
  const auto apply = [](auto&, auto x) { return select(x[0], x[1], x[2]); };
  for (const Index rows : {1, 17})
    for (const auto& [c, a] : pairs(rows, 3))
      for (const Extent b : {Extent{rows, 3}, Extent{1, 3}, Extent{rows, 1}, Extent{1, 1}}) {
        CAPTURE(c.rows, c.columns, a.rows, a.columns, b.rows, b.columns);
        const Table condition = operand(c, 1), one = operand(a, 2), other = operand(b, 3);
        const auto at = [](const Table& t, Index i, Index j) { return t(t.rows == 1 ? 0 : i, t.columns == 1 ? 0 : j); };
        const Table expected =
            Table::make(std::max({c.rows, a.rows, b.rows}), std::max({c.columns, a.columns, b.columns}),
                        [&](Index i, Index j) { return at(condition, i, j) > 0 ? at(one, i, j) : at(other, i, j); });
        OperationCheck(std::vector<Table>{condition, one, other}, apply).everything(expected);
      }
  const std::vector<Table> tables = {operand({33, 2}, 1), operand({33, 2}, 2), operand({33, 2}, 3)};
  OperationCheck(tables, apply).nan_stays_in_its_row(0);
}

TEST_CASE("a condition alone records nothing") {
  Tape<double> tape;
  Stored<double> numbers(operand({17, 2}, 1));
  const Var<double> y = select(tape.leaf(numbers.block()), tape.constant(1.0), tape.constant(2.0));
  CHECK_FALSE(y.active());
  CHECK(tape.operations() == 0);
}

TEST_CASE("numbers scale and shift") {
  const Table x = operand({17, 3}, 2);
  const auto apply = [](auto&, auto v) { return 3 - (2 * v[0] + 1) / 4 * 5 - 0.25; };
  OperationCheck(std::vector<Table>{x}, apply).everything(Table::make(17, 3, [&](Index i, Index j) {
    return 3 - (2 * x(i, j) + 1) / 4 * 5 - 0.25;
  }));
  OperationCheck(std::vector<Table>{x}, apply).nan_stays_in_its_row(0);
}

TEST_CASE("stop_gradient keeps the value and nothing else") {
  Tape<double> tape;
  Stored<double> numbers(operand({17, 2}, 1));
  const Var<double> x = tape.leaf(numbers.block());
  const Var<double> stopped = stop_gradient(x);
  CHECK(stopped.value().data == x.value().data);
  CHECK_FALSE(stopped.active());
  tape.backward(stopped * x);
  CHECK(largest_difference(Table::of(tape.adjoint(x)), Table::of(x.value())) == 0);
  CHECK_FALSE(tape.tangent(stopped, x, tape.full(17, 2, 1.0)));
}

TEST_CASE("operands that do not broadcast are refused") {
  Tape<float> tape;
  const Var<float> a = tape.full(3, 4, 1), b = tape.full(2, 4, 1), c = tape.full(3, 5, 1);
  const auto used = [&] { return tape.capacity(); };
  const auto before = used();
  CHECK(shape_error_of([&] { add(a, b); }) == "add: 3 x 4 and 2 x 4: extents must be equal or 1");
  CHECK(shape_error_of([&] { subtract(a, c); }) == "subtract: 3 x 4 and 3 x 5: extents must be equal or 1");
  CHECK(shape_error_of([&] { multiply(b, c); }) == "multiply: 2 x 4 and 3 x 5: extents must be equal or 1");
  CHECK(shape_error_of([&] { divide(a, b); }) == "divide: 3 x 4 and 2 x 4: extents must be equal or 1");
  CHECK(shape_error_of([&] { maximum(a, b); }) == "maximum: 3 x 4 and 2 x 4: extents must be equal or 1");
  CHECK(shape_error_of([&] { minimum(a, b); }) == "minimum: 3 x 4 and 2 x 4: extents must be equal or 1");
  CHECK(shape_error_of([&] { select(a, a, b); }) == "select: 3 x 4 and 2 x 4: extents must be equal or 1");
  CHECK(used() == before);
}
