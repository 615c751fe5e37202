#include <catch2/catch.hpp>

#include "../../plugins/schedules/constant.cpp"
#include "support/fake_build.h"

TEST_CASE("constant leaves the learning rate as it is") {
  const auto schedule = pushforward::test::make_component<Schedule<float>>(kComponents[0]);
  for (const std::int64_t step : {0, 1, 50, 99}) CHECK(schedule->factor(step, 100, {}) == 1);
}
