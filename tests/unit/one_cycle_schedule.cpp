#include <catch2/catch.hpp>

#include "../../plugins/schedules/one_cycle.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

std::unique_ptr<Schedule<double>> one_cycle(const Fields& fields = {}) {
  return make_component<Schedule<double>>(kComponents[0], fields);
}

}  // namespace

TEST_CASE("one_cycle rises to 1 and falls to its final factor along half cosines") {
  const auto schedule = one_cycle({{"rise", "0.25"}, {"start", "0.1"}, {"final", "0.01"}});
  CHECK(schedule->factor(0, 100, {}) == Approx(0.1));
  CHECK(schedule->factor(12, 100, {}) == Approx(0.55));
  CHECK(schedule->factor(24, 100, {}) == 1);
  CHECK(schedule->factor(99, 100, {}) == Approx(0.01).epsilon(1e-14));
  for (int step = 1; step < 100; ++step)
    CHECK((schedule->factor(step, 100, {}) > schedule->factor(step - 1, 100, {})) == (step <= 24));
}

TEST_CASE("one_cycle along straight lines") {
  const auto schedule = one_cycle({{"rise", "0.5"}, {"start", "0.2"}, {"final", "0"}, {"shape", "linear"}});
  CHECK(schedule->factor(2, 10, {}) == Approx(0.6));
  CHECK(schedule->factor(4, 10, {}) == 1);
  CHECK(schedule->factor(7, 10, {}) == Approx(0.4));
  CHECK(schedule->factor(9, 10, {}) == 0);
}

TEST_CASE("one_cycle of a few steps is finite") {
  const auto schedule = one_cycle();
  CHECK(schedule->factor(0, 1, {}) == Approx(4e-6));
  CHECK(schedule->factor(0, 2, {}) < 1);
  CHECK(schedule->factor(1, 2, {}) == Approx(4e-6));
  CHECK(one_cycle({{"rise", "0.5"}})->factor(0, 2, {}) == 1);  // a rise of no step
}
