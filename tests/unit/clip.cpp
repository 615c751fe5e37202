#include "../../plugins/preprocess/clip.cpp"

#include <catch2/catch.hpp>

#include "support/fake_build.h"
#include "support/tables.h"

using namespace pushforward::test;  // NOLINT

namespace {

std::unique_ptr<Preprocess<double>> clip(const Fields& fields) {
  return make_component<Preprocess<double>>(kComponents[0], fields);
}

/// 0 to 8 and -10 to 70, in no order: the quartiles are 2 and 6, and 10 and 50.
const Table kTraining = table_of({"a", "b"}, {4, 0, 8, 1, 5, 2, 6, 3, 7, /**/ 30, -10, 70, 0, 40, 10, 50, 20, 60});

}  // namespace

TEST_CASE("clip takes bounds from quantiles of the training rows") {
  const auto map = clip({});
  CHECK(map->state_size(2) == 4);
  CHECK(fitted(*map, kTraining) == std::vector<double>{-10, -110, 18, 170});
  CHECK(fitted(*clip({{"margin", "0"}}), kTraining) == std::vector<double>{2, 10, 6, 50});
  // Between two rows, a quantile is interpolated.
  const std::vector<double> tenths = fitted(*clip({{"quantiles", "[0.1, 0.9]"}, {"margin", "0"}}), kTraining);
  const double expected[] = {0.8, -2, 7.2, 62};
  for (std::size_t k = 0; k < 4; ++k) CHECK(tenths[k] == Approx(expected[k]));
  CHECK(fitted(*clip({{"quantiles", "[0, 1]"}, {"margin", "0"}}), kTraining) == std::vector<double>{0, -10, 8, 70});
}

TEST_CASE("clip moves values to the bounds, changes no log_det and does not come back") {
  const auto map = clip({{"margin", "0"}});
  const std::vector<double> state = fitted(*map, kTraining);
  Table table = table_of({"a", "b"}, {1, 2, 5, 1e9, /**/ -1e9, 30, 50, 50.5});
  std::vector<double> log_det = {1, 2, 3, 4};
  map->apply(table, state, log_det);
  const std::vector<double> moved = {2, 2, 5, 6, /**/ 10, 30, 50, 50};
  CHECK(table.values == moved);
  CHECK(log_det == std::vector<double>{1, 2, 3, 4});
  map->undo(table, state);
  CHECK(table.values == moved);
}

TEST_CASE("clip takes the same bounds for all columns, or one of them") {
  Table table = table_of({"a", "b"}, {-5, 5, /**/ 0, 50});
  const auto both = clip({{"low", "-1"}, {"high", "2.5"}});
  both->apply(table, fitted(*both, kTraining), {});
  CHECK(table.values == std::vector<double>{-1, 2.5, 0, 2.5});
  table = table_of({"a", "b"}, {-5, 5, /**/ 0, 50});
  const auto low = clip({{"low", "1"}});
  low->apply(table, fitted(*low, kTraining), {});
  CHECK(table.values == std::vector<double>{1, 5, 1, 50});
}

TEST_CASE("clip refuses values outside where that is asked for") {
  const auto map = clip({{"margin", "0"}, {"outside", "refuse"}});
  const std::vector<double> state = fitted(*map, kTraining);
  Table inside = table_of({"a", "b"}, {2, 6, /**/ 10, 50});
  const std::vector<double> before = inside.values;
  map->apply(inside, state, {});
  CHECK(inside.values == before);
  Table outside = table_of({"a", "b"}, {2, 6, /**/ 10, 50.5});
  CHECK_THROWS_WITH(map->apply(outside, state, {}),
                    "test: column 'b' holds 50.5 in row 1 of its split, but its bounds are 10 and 50; rows are counted "
                    "from 0. Remove that row, widen the bounds, or set 'outside: move'");
}

TEST_CASE("clip refuses bounds that bound nothing") {
  CHECK_THROWS_WITH(clip({{"low", "2"}, {"high", "2"}}), "low: is 2, but must be below 'high', which is 2");
  for (const char* quantiles : {"[0.5]", "[0.5, 0.5]", "[0.9, 0.1]", "[0, 0.5, 1]"})
    CHECK_THROWS_WITH(clip({{"quantiles", quantiles}}),
                      "quantiles: must be two shares, the smaller one first, such as [0.25, 0.75]");
  CHECK_THROWS_WITH(fitted(*clip({}), table_of({"a"}, {1, 5, 5, 5, 5, 9})),
                    "test: both quantiles of column 'a' are 5, so all other values would be outside; give quantiles "
                    "further apart, or 'low' and 'high'");
  CHECK_THROWS_WITH(fitted(*clip({}), table_of({"a"}, {})), "test: there are no training rows to take quantiles from");
  Table table = kTraining;
  CHECK_THROWS_AS(clip({})->apply(table, std::vector<double>(3), {}), ShapeError);
}
