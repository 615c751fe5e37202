#include "../../plugins/preprocess/standardize.cpp"

#include <catch2/catch.hpp>

#include "support/fake_build.h"
#include "support/tables.h"

using namespace pushforward::test;  // NOLINT

namespace {

const Table kTable = table_of({"a", "b"}, {1, 2, 3, 6, /**/ -100, 100, -100, 100});

}  // namespace

TEST_CASE("standardize takes means and population standard deviations") {
  const auto map = make_component<Preprocess<double>>(kComponents[0]);
  CHECK(map->state_size(2) == 4);
  const std::vector<double> state = fitted(*map, kTable);
  CHECK(state[0] == 3);
  CHECK(state[1] == 0);
  CHECK(state[2] == Approx(std::sqrt(3.5)).epsilon(1e-15));
  CHECK(state[3] == 100);
}

TEST_CASE("standardize maps there and back, and adds its log_det") {
  const auto map = make_component<Preprocess<double>>(kComponents[0]);
  const std::vector<double> state = fitted(*map, kTable);
  Table table = kTable;
  std::vector<double> log_det = {1, 2, 3, 4};
  map->apply(table, state, log_det);
  const double sd = std::sqrt(3.5);
  const std::vector<double> expected = {-2 / sd, -1 / sd, 0, 3 / sd, -1, 1, -1, 1};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(table.values[i] == Approx(expected[i]).margin(1e-15));
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(log_det[i] == Approx(static_cast<double>(i + 1) - std::log(sd) - std::log(100.0)));
  map->undo(table, state);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(table.values[i] == Approx(kTable.values[i]).epsilon(1e-14));
}

TEST_CASE("standardize maps other rows by the training rows' numbers") {
  const auto map = make_component<Preprocess<double>>(kComponents[0]);
  const std::vector<double> state = fitted(*map, kTable);
  Table other = table_of({"a", "b"}, {3, 50});
  map->apply(other, state, {});
  CHECK(other.values == std::vector<double>{0, 0.5});
}

TEST_CASE("standardize keeps its accuracy far from zero") {
  const auto map = make_component<Preprocess<double>>(kComponents[0]);
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e8 + (i % 2 ? 0.25 : -0.25));
  const std::vector<double> state = fitted(*map, table_of({"a"}, values));
  CHECK(state[0] == 1e8);
  CHECK(state[1] == 0.25);
}

TEST_CASE("standardize refuses what it cannot divide by") {
  const auto map = make_component<Preprocess<double>>(kComponents[0]);
  // 0.1 a hundred times: the mean is not quite 0.1.
  CHECK_THROWS_WITH(fitted(*map, table_of({"ash"}, std::vector<double>(100, 0.1))),
                    "standardize: column 'ash' is 0.1 in all 100 training rows, so it has no standard deviation to "
                    "divide by; leave the column out of the data");
  CHECK_THROWS_WITH(fitted(*map, table_of({"ash"}, {3})),
                    "standardize: column 'ash' is 3 in the only training row, so it has no standard deviation to "
                    "divide by; give more rows");
  CHECK_THROWS_WITH(fitted(*map, table_of({"a", "ash"}, {1, 2, -1e200, 1e200})),
                    "standardize: column 'ash' has the standard deviation inf over the training rows, but it must be "
                    "finite and above 0; look for values that are not finite, or give the column in other units");
  CHECK_THROWS_WITH(fitted(*map, table_of({"ash"}, {1, NAN})),
                    Catch::StartsWith("standardize: column 'ash' has the standard deviation nan"));
  CHECK_THROWS_WITH(fitted(*map, table_of({"ash"}, {})), "standardize: there are no training rows to take means from");
  Table table = kTable;
  CHECK_THROWS_AS(map->apply(table, std::vector<double>(2), {}), ShapeError);
  CHECK(table.values == kTable.values);
}
