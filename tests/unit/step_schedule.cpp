#include <catch2/catch.hpp>

#include "../../plugins/schedules/step.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

TEST_CASE("step falls by its factor every so many steps") {
  const auto schedule = make_component<Schedule<double>>(kComponents[0], {{"every", "3"}, {"factor", "0.5"}});
  const std::vector<double> expected = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(schedule->factor(static_cast<std::int64_t>(i), 10, {}) == expected[i]);
  CHECK_FALSE(schedule->watches_validation());
}

TEST_CASE("step leaves a tenth by default") {
  const auto schedule = make_component<Schedule<float>>(kComponents[0], {{"every", "1"}});
  CHECK(schedule->factor(2, 3, {}) == Approx(0.01));
}
