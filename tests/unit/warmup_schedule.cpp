#include <catch2/catch.hpp>

#include "../../plugins/schedules/warmup.cpp"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

/// Its factor is the part of its training that lies ahead, until it is told of a loss: then the loss.
template <class T>
class Ahead final : public Schedule<T> {
 public:
  explicit Ahead(Build<T>&) {}
  double factor(std::int64_t step, std::int64_t steps, const ScheduleState& state) const override {
    const auto seen = state.numbers.find("seen");
    if (seen != state.numbers.end()) return seen->second[0];
    return 1 - 0.5 * static_cast<double>(step) / static_cast<double>(steps);
  }
  bool watches_validation() const override { return true; }
  void observe(std::int64_t step, double validation_loss, ScheduleState& state) const override {
    CHECK(step > 0);
    state.numbers["seen"] = {validation_loss};
  }
};
constexpr Example kAheadExamples[] = {{"default", "ahead"}};
constexpr ComponentInfo kAhead = describe<Ahead>("schedule", "ahead", "", nullptr, kAheadExamples);

std::unique_ptr<Schedule<double>> warmup(const char* steps) {
  Part part{&kComponents[0], {{"steps", steps}}, {{"then", {Part{&kAhead}}}}};
  Numbers<double> numbers;
  std::unique_ptr<ComponentBase> made = FakeBuild<double>(part, numbers).make();
  return std::unique_ptr<Schedule<double>>(dynamic_cast<Schedule<double>*>(made.release()));
}

}  // namespace

TEST_CASE("warmup rises evenly to where the other schedule starts, and gives it the steps that are left") {
  const auto schedule = warmup("4");
  for (int step = 0; step < 4; ++step) CHECK(schedule->factor(step, 14, {}) == Approx(0.2 * (step + 1)));
  CHECK(schedule->factor(4, 14, {}) == 1);
  CHECK(schedule->factor(9, 14, {}) == Approx(0.75));
  CHECK(schedule->factor(14, 14, {}) == Approx(0.5));
}

TEST_CASE("warmup hands on what the other schedule watches, after the rise") {
  const auto schedule = warmup("4");
  CHECK(schedule->watches_validation());
  ScheduleState state;
  for (int step = 1; step <= 4; ++step) schedule->observe(step, 0.25, state);
  CHECK(state.numbers.empty());
  schedule->observe(5, 0.25, state);
  CHECK(schedule->factor(6, 14, state) == 0.25);
}

TEST_CASE("warmup refuses a rise as long as the training") {
  const auto schedule = warmup("10");
  CHECK(schedule->factor(10, 11, {}) == 1);
  CHECK_THROWS_WITH(schedule->factor(0, 10, {}),
                    "test (warmup): 'steps' is 10, but the training has 10 steps; give it fewer, or train for more "
                    "steps");
}
