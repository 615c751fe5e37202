// Checks 32 and 34 of schedules.
#include <cmath>
#include <optional>

#include "kit.h"

namespace pushforward::testing {

namespace {

/// A schedule with its owner.
struct Made {
  Built<double> built;
  const Schedule<double>* schedule;

  explicit Made(const Subject& subject) : built(subject.make<double>(subject.surroundings)) {
    schedule = dynamic_cast<const Schedule<double>*>(built.component.get());
    if (!schedule) throw std::logic_error("the component of a schedule's subject is no schedule");
  }
};

/// A validation loss that falls, then stays, then is none.
double loss_after(std::int64_t step) {
  return step > 900 ? std::nan("") : 1 / (1.0 + static_cast<double>(std::min<std::int64_t>(step, 50)));
}

std::string place(std::int64_t step, std::int64_t steps) {
  return "step " + std::to_string(step) + " of " + std::to_string(steps);
}

/// Whether it takes so many steps; if not, the tally knows why.
bool fits(const Schedule<double>& schedule, std::int64_t steps, Tally& t) {
  try {
    schedule.factor(0, steps, {});
    return true;
  } catch (const SpecError& e) {
    t.note(std::to_string(steps) + " steps: " + e.what());
    return false;
  }
}

constexpr std::int64_t kLengths[] = {1, 10, 100, 1000};

/// One run: each factor is a number, and a function of the step and of what was seen.
void check_run(const Schedule<double>& schedule, std::int64_t steps, Tally& t) {
  ScheduleState state, second, blind;  // two runs at once: what one has seen is none of the other's business
  double most = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double factor = schedule.factor(step, steps, state);
    most = std::max(most, factor);
    t.require(std::isfinite(factor) && factor >= 0,
              [&] { return place(step, steps) + " has the factor " + std::to_string(factor); });
    t.require(schedule.factor(step, steps, state) == factor, [&] { return place(step, steps) + " has two factors"; });
    t.require(schedule.factor(step, steps, second) == factor,
              [&] { return place(step, steps) + " has another factor for a state of the same history"; });
    t.require(schedule.watches_validation() || schedule.factor(step, steps, blind) == factor, [&] {
      return place(step, steps) + ": the factor depends on validation losses, which `watches_validation` denies";
    });
    for (ScheduleState* seen : {&state, &second}) schedule.observe(step + 1, loss_after(step), *seen);
  }
  t.require(most > 0, [&] { return "all factors of " + std::to_string(steps) + " steps are 0"; });
}

}  // namespace

void check_factor(const Subject& subject, Tally& t) {
  const Made made(subject), other(subject);
  bool any = false;
  for (const std::int64_t steps : kLengths) {
    if (!fits(*made.schedule, steps, t)) continue;
    any = true;
    check_run(*made.schedule, steps, t);
    // Out of order, and of another object: nothing but step, length and state counts.
    for (const std::int64_t step : {steps - 1, std::int64_t{0}, steps / 2})
      t.require(other.schedule->factor(step, steps, {}) == made.schedule->factor(step, steps, {}),
                [&] { return place(step, steps) + " has another factor when asked out of order"; });
  }
  t.require(any, [] { return std::string("it fits none of 1, 10, 100 and 1000 steps"); });
  if (!subject.make_float) return;
  const Built<float> single = subject.make<float>(subject.surroundings);
  const auto* schedule = dynamic_cast<const Schedule<float>*>(single.component.get());
  for (std::int64_t step = 0; schedule && fits(*made.schedule, 1000, t) && step < 1000; step += 111)
    t.require(schedule->factor(step, 1000, {}) == made.schedule->factor(step, 1000, {}),
              [&] { return place(step, 1000) + " has another factor in float32"; });
}

void check_schedule_resume(const Subject& subject, Tally& t) {
  if (!t.in_double()) return t.skip("done in float64");
  constexpr std::int64_t kSteps = 1000;
  const Made whole(subject);
  if (!fits(*whole.schedule, kSteps, t)) return;
  for (const std::int64_t saved : {std::int64_t{1}, std::int64_t{77}, std::int64_t{500}}) {
    ScheduleState state, loaded;
    std::optional<Made> again;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      if (step == saved) {
        again.emplace(subject);
        loaded.numbers = state.numbers;
      }
      if (again)
        t.require(again->schedule->factor(step, kSteps, loaded) == whole.schedule->factor(step, kSteps, state), [&] {
          return place(step, kSteps) + ": saved before step " + std::to_string(saved) +
                 " and loaded into a new object, it has another factor";
        });
      whole.schedule->observe(step + 1, loss_after(step), state);
      if (again) again->schedule->observe(step + 1, loss_after(step), loaded);
    }
  }
}

}  // namespace pushforward::testing
