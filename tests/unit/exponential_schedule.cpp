#include <catch2/catch.hpp>

#include "../../plugins/schedules/exponential.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

std::unique_ptr<Schedule<double>> exponential(const Fields& fields) {
  return make_component<Schedule<double>>(kComponents[0], fields);
}

}  // namespace

TEST_CASE("exponential reaches its final factor when the training ends") {
  const auto schedule = exponential({{"final", "0.01"}});
  CHECK(schedule->factor(0, 100, {}) == 1);
  CHECK(schedule->factor(50, 100, {}) == Approx(0.1));
  CHECK(schedule->factor(100, 100, {}) == Approx(0.01));
  CHECK(schedule->factor(5, 10, {}) == Approx(0.1));
}

TEST_CASE("exponential falls by a factor from step to step") {
  const auto schedule = exponential({{"per_step", "0.9"}});
  for (int step = 0; step < 20; ++step) CHECK(schedule->factor(step, 100, {}) == Approx(std::pow(0.9, step)));
  CHECK(schedule->factor(7, 10, {}) == schedule->factor(7, 1000, {}));
}

TEST_CASE("exponential needs one of its fields") {
  CHECK_THROWS_WITH(exponential({}), "final: or `per_step` must be given, such as 0.01 for a hundredth at the end");
  CHECK_THROWS_WITH(exponential({{"final", "0.1"}, {"per_step", "0.9"}}),
                    "per_step: and `final` exclude each other; remove one of them");
}
