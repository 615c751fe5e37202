// Views, concatenation, permutation, repetition, reshaping, transposition.
#include <array>

#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr Index kRows[] = {0, 1, 17, 300};

template <class F, class Place>
void check(const std::vector<Table>& inputs, const F& f, Index rows, Index columns, const Place& place,
           bool row_wise = true) {
  CAPTURE(inputs[0].rows, inputs[0].columns);
  const OperationCheck check(inputs, f);
  const Table expected = Table::make(rows, columns, place);
  check.values(expected);
  if (inputs[0].rows > 100) return;  // finite differences of so many numbers take long
  check.gradients();
  check.tangents();
  if (row_wise && rows > 1) check.nan_stays_in_its_row(0);
}

}  // namespace

TEST_CASE("columns view the same memory") {
  for (const Index rows : kRows) {
    const Table x = Table::random(rows, 5, 1);
    check(
        {x}, [](auto&, auto v) { return columns(columns(v[0], 1, 3), 1, 2) * 2; }, rows, 2,
        [&](Index i, Index j) { return 2 * x(i, j + 2); }, false);
  }
  Tape<double> tape;
  const Var<double> x = tape.full(4, 5, 1), v = columns(x, 2, 2);
  CHECK(v.value().data == x.value().column(2));
  CHECK(columns(x, 0, 5).node() == x.node());
  CHECK(columns(x, 5, 0).columns() == 0);
  CHECK(shape_error_of([&] { columns(x, 4, 2); }) == "view: columns 4 to 6 of a block of 5 columns");
  CHECK(shape_error_of([&] { columns(x, -1, 2); }) == "view: columns -1 to 1 of a block of 5 columns");
}

TEST_CASE("blocks are joined side by side") {
  for (const Index rows : kRows) {
    const Table a = Table::random(rows, 2, 1), b = Table::random(rows, 1, 2), none(rows, 0);
    const auto apply = [](auto&, auto x) { return concatenate({x[0], x[1], x[2], x[0]}); };
    check(
        {a, none, b}, apply, rows, 5,
        [&](Index i, Index j) { return j < 2    ? a(i, j)
                                       : j == 2 ? b(i, 0)
                                                : a(i, j - 3); }, false);
  }
  Tape<double> tape;
  const Var<double> x = tape.full(4, 2, 1), y = tape.full(3, 2, 1);
  CHECK(concatenate({x}).node() == x.node());
  CHECK(shape_error_of([&] { concatenate({x, y}); }) == "concatenate: 4 x 2 and 3 x 2: rows must be equal");
  CHECK(shape_error_of([&] { concatenate(std::span<const Var<double>>()); }) == "concatenate: no parts");
}

TEST_CASE("columns are permuted, repeated and left out") {
  static constexpr std::array<Index, 4> kOrder = {2, 0, 3, 1}, kRepeating = {1, 1, 3, 1};
  for (const Index rows : kRows) {
    const Table x = Table::random(rows, 4, 1);
    check(
        {x}, [](auto&, auto v) { return permute(v[0], std::span<const Index>(kOrder)); }, rows, 4,
        [&](Index i, Index j) { return x(i, kOrder[static_cast<std::size_t>(j)]); });
    check(
        {x}, [](auto&, auto v) { return permute(v[0], std::span<const Index>(kRepeating)); }, rows, 4,
        [&](Index i, Index j) { return x(i, kRepeating[static_cast<std::size_t>(j)]); }, false);
  }
  Tape<double> tape;
  const Var<double> x = tape.full(4, 3, 1);
  CHECK(shape_error_of([&] { permute(x, std::span<const Index>(kOrder)); }) ==
        "permute: index 3 into a block of 4 x 3: indices must be 0 to 2");
}

TEST_CASE("a row is repeated") {
  const Table x = Table::random(1, 3, 1);
  for (const Index rows : kRows)
    check(
        {x}, [rows](auto&, auto v) { return repeat_rows(v[0], rows); }, rows, 3,
        [&](Index, Index j) { return x(0, j); }, false);
  Tape<double> tape;
  CHECK(shape_error_of([&] { repeat_rows(tape.full(2, 3, 1), 4); }) ==
        "repeat_rows: 2 x 3 to 4 rows: only one row can be");
}

TEST_CASE("numbers keep their order when they are reshaped") {
  const Table row = Table::random(1, 34, 1), block = Table::random(17, 6, 2);
  check(
      {row}, [](auto&, auto v) { return reshape(v[0], 17, 2); }, 17, 2,
      [&](Index i, Index j) { return row(0, i + 17 * j); }, false);
  check(
      {row}, [](auto&, auto v) { return reshape(v[0], 2, 17); }, 2, 17,
      [&](Index i, Index j) { return row(0, i + 2 * j); }, false);
  const auto number = [&](Index n) { return block(n % 17, n / 17); };
  check(
      {block}, [](auto&, auto v) { return reshape(v[0], 34, 3); }, 34, 3,
      [&](Index i, Index j) { return number(i + 34 * j); }, false);
  check(
      {block}, [](auto&, auto v) { return reshape(v[0], 1, 102); }, 1, 102, [&](Index, Index j) { return number(j); },
      false);
  check(
      {Table(0, 3)}, [](auto&, auto v) { return reshape(v[0], 2, 0); }, 2, 0, [](Index, Index) { return 0.0; }, false);
  Tape<double> tape;
  CHECK(shape_error_of([&] { reshape(tape.full(2, 3, 1), 4, 2); }) == "reshape: 2 x 3 to 4 x 2: sizes must be equal");
}

TEST_CASE("rows become columns") {
  for (const Index rows : kRows)
    for (const Index width : {0, 1, 5, 40}) {
      const Table x = Table::random(rows, width, 1);
      check(
          {x}, [](auto&, auto v) { return transpose(v[0]); }, width, rows, [&](Index i, Index j) { return x(j, i); },
          false);
    }
}
