#include <catch2/catch.hpp>

#include "../../plugins/schedules/cosine.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

std::unique_ptr<Schedule<double>> cosine(const Fields& fields = {}) {
  return make_component<Schedule<double>>(kComponents[0], fields);
}

}  // namespace

TEST_CASE("cosine falls from 1 to 0 along half a cosine") {
  const auto schedule = cosine();
  CHECK(schedule->factor(0, 1000, {}) == 1);
  CHECK(schedule->factor(250, 1000, {}) == Approx((2 + std::sqrt(2)) / 4));
  CHECK(schedule->factor(500, 1000, {}) == Approx(0.5));
  CHECK(schedule->factor(750, 1000, {}) == Approx((2 - std::sqrt(2)) / 4));
  CHECK(schedule->factor(999, 1000, {}) == Approx(2.4674e-6).epsilon(1e-4));  // (pi / 2000)^2
  CHECK(schedule->factor(1000, 1000, {}) == Approx(0).margin(1e-15));
  for (int step = 1; step < 1000; ++step)
    CHECK(schedule->factor(step, 1000, {}) < schedule->factor(step - 1, 1000, {}));
}

TEST_CASE("cosine ends at its final factor") {
  const auto schedule = cosine({{"final", "0.1"}});
  CHECK(schedule->factor(0, 100, {}) == Approx(1));
  CHECK(schedule->factor(50, 100, {}) == Approx(0.55));
  CHECK(schedule->factor(100, 100, {}) == Approx(0.1));
}

TEST_CASE("cosine warms up evenly and then takes the steps that are left") {
  const auto schedule = cosine({{"warm_up", "4"}, {"final", "0.2"}});
  for (int step = 0; step < 4; ++step) CHECK(schedule->factor(step, 24, {}) == Approx(0.2 * (step + 1)));
  CHECK(schedule->factor(4, 24, {}) == 1);
  CHECK(schedule->factor(14, 24, {}) == Approx(0.6));
  CHECK(schedule->factor(24, 24, {}) == Approx(0.2));
}

TEST_CASE("cosine refuses a warm-up as long as the training") {
  const auto schedule = cosine({{"warm_up", "10"}});
  CHECK(schedule->factor(10, 11, {}) == 1);
  CHECK_THROWS_WITH(schedule->factor(0, 10, {}),
                    "test (cosine): 'warm_up' is 10 steps, but the training has 10; give it fewer, or train for more "
                    "steps");
}
