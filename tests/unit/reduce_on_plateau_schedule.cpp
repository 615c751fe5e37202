#include <catch2/catch.hpp>
#include <cmath>

#include "../../plugins/schedules/reduce_on_plateau.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

/// The factors after each of the losses.
std::vector<double> factors(const Fields& fields, const std::vector<double>& losses) {
  const auto schedule = make_component<Schedule<double>>(kComponents[0], fields);
  CHECK(schedule->watches_validation());
  ScheduleState state;
  CHECK(schedule->factor(0, 100, state) == 1);
  std::vector<double> out;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    schedule->observe(static_cast<std::int64_t>(10 * (i + 1)), losses[i], state);
    out.push_back(schedule->factor(static_cast<std::int64_t>(10 * (i + 1)), 100, state));
  }
  return out;
}

}  // namespace

TEST_CASE("reduce_on_plateau falls when more looks than its patience bring nothing") {
  const Fields fields = {{"factor", "0.5"}, {"patience", "1"}, {"threshold", "0"}};
  CHECK(factors(fields, {3, 2, 2, 1, 1, 1, 1, 1}) == std::vector<double>{1, 1, 1, 1, 1, 0.5, 0.5, 0.25});
  CHECK(factors({{"factor", "0.5"}, {"patience", "0"}}, {1, 1, 1}) == std::vector<double>{1, 0.5, 0.25});
}

TEST_CASE("an improvement is one by more than the threshold, whatever the loss's sign") {
  const Fields fields = {{"factor", "0.5"}, {"patience", "0"}, {"threshold", "0.1"}};
  CHECK(factors(fields, {1, 0.95, 0.8}) == std::vector<double>{1, 0.5, 0.5});
  CHECK(factors(fields, {-1, -1.05, -1.2}) == std::vector<double>{1, 0.5, 0.5});
}

TEST_CASE("a loss that is not finite is no improvement") {
  const Fields fields = {{"factor", "0.5"}, {"patience", "0"}};
  CHECK(factors(fields, {NAN, INFINITY, 1, 0.5}) == std::vector<double>{0.5, 0.25, 0.25, 0.25});
}

TEST_CASE("the factor falls no lower than the minimum") {
  const Fields fields = {{"factor", "0.1"}, {"patience", "0"}, {"minimum", "0.05"}};
  CHECK(factors(fields, {1, 1, 1, 1}) == std::vector<double>{1, 0.1, 0.05, 0.05});
}

TEST_CASE("what one run has seen is none of another's business") {
  const auto schedule = make_component<Schedule<float>>(kComponents[0], {{"patience", "0"}});
  ScheduleState one, other;
  schedule->observe(1, 1, one);
  schedule->observe(2, 1, one);
  CHECK(schedule->factor(3, 10, one) == Approx(0.1));
  CHECK(schedule->factor(3, 10, other) == 1);
  const ScheduleState saved{one.numbers};
  CHECK(schedule->factor(3, 10, saved) == Approx(0.1));
}
