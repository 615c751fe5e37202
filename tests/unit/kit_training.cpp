// The kit tests itself: optimizers, schedules, datasets and preprocessing; and its report.
#include <atomic>

#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault {
  none,
  drifts,
  ascends,
  forgets,
  ignores_ranges,
  decays_all,
  own_rate,
  decays_at_rest,
  leaves_the_last,
  counts_globally,
  half_a_seed,
  negative,
  not_seeded,
  not_a_number,
  log_det,
  no_undo
};

/// Gradient descent with momentum.
template <class T>
class Descent final : public Optimizer<T> {
 public:
  Descent(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    const std::span<T> gradient = state.room(theta.size());
    const std::span<T> velocity = state.array("velocity", theta.size());
    const double loss = evaluate(theta, gradient);
    ++state.step;
    ++steps_;
    for (const ParameterRange& range : settings.ranges) {
      double factor = settings.learning_rate_factor * range.learning_rate_factor;
      if (fault_ == Fault::own_rate && factor > 0) factor = settings.learning_rate_factor;
      const double rate = 0.001 * factor;
      const double decay = fault_ == Fault::decays_all ? settings.ranges[0].weight_decay : range.weight_decay;
      const bool all = fault_ == Fault::ignores_ranges;
      const Index begin = all ? 0 : range.begin;
      Index end = all ? static_cast<Index>(theta.size()) : range.end;
      if (fault_ == Fault::leaves_the_last && end - begin > 16) end -= (end - begin) % 16;
      for (Index k = begin; k < end; ++k) {
        const auto i = static_cast<std::size_t>(k);
        double momentum = 0.5;
        if (fault_ == Fault::forgets) momentum = steps_ % 2 ? 0.5 : 0.4;  // the object remembers, not the state
        T g = gradient[i] + static_cast<T>(decay) * theta[i];
        if (fault_ == Fault::decays_at_rest) theta[i] *= static_cast<T>(1 - 0.001 * decay);
        if (fault_ == Fault::counts_globally) g *= T(1) + T(1e-3) / static_cast<T>(++counted());
        if (fault_ == Fault::drifts) g += T(1e-3);
        if (fault_ == Fault::ignores_ranges) g += T(1);
        if (fault_ == Fault::ascends) g = -g;
        velocity[i] = static_cast<T>(momentum) * velocity[i] + g;
        theta[i] -= static_cast<T>(rate) * velocity[i];
      }
    }
    return loss;
  }

 private:
  static std::atomic<int>& counted() {
    static std::atomic<int> count = 0;
    return count;
  }
  Fault fault_;
  mutable int steps_ = 0;
};

template <class T>
class Halving final : public Schedule<T> {
 public:
  Halving(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  double factor(std::int64_t step, std::int64_t steps, const ScheduleState&) const override {
    const double part = static_cast<double>(step) / static_cast<double>(steps);
    return fault_ == Fault::negative ? 0.5 - part : std::pow(0.5, part);
  }

 private:
  Fault fault_;
};

template <class T>
class Rows final : public Dataset<T> {
 public:
  Rows(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Table load(std::uint64_t seed) const override {
    static int calls = 0;
    Table table;
    table.rows = 10;
    table.names = {"x", "y"};
    if (fault_ == Fault::half_a_seed) seed &= 0xffffffffu;
    for (int i = 0; i < 20; ++i) table.values.push_back(std::sin(static_cast<double>(seed) + i));
    if (fault_ == Fault::not_seeded) table.values[3] = ++calls;
    if (fault_ == Fault::not_a_number) table.values[3] = NAN;
    return table;
  }

 private:
  Fault fault_;
};

/// x to x^3 + x, column by column, with a shift that is fitted.
template <class T>
class Cubic final : public Preprocess<T> {
 public:
  Cubic(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Index state_size(Index columns) const override { return columns; }
  void fit(const Table& training, std::span<double> state) const override {
    for (Index j = 0; j < training.columns(); ++j) {
      double sum = 0;
      for (const double x : training.column(j)) sum += x;
      state[static_cast<std::size_t>(j)] = sum / static_cast<double>(training.rows);
    }
  }
  void apply(Table& table, std::span<const double> state, std::span<double> log_det) const override {
    for (Index j = 0; j < table.columns(); ++j)
      for (Index i = 0; i < table.rows; ++i) {
        double& x = table.column(j)[static_cast<std::size_t>(i)];
        x -= state[static_cast<std::size_t>(j)];
        const double slope = 3 * x * x + (fault_ == Fault::log_det ? 2 : 1);
        if (!log_det.empty()) log_det[static_cast<std::size_t>(i)] += std::log(slope);
        x = x * x * x + x;
      }
  }
  void undo(Table& table, std::span<const double> state) const override {
    for (Index j = 0; j < table.columns(); ++j)
      for (double& y : table.column(j)) {
        double x = std::cbrt(y);
        for (int k = 0; k < 60; ++k) x -= (x * x * x + x - y) / (3 * x * x + 1);
        y = x + (fault_ == Fault::no_undo ? 0 : state[static_cast<std::size_t>(j)]);
      }
  }

 private:
  Fault fault_;
};

Subject descent(Fault fault) { return subject_of<Descent>("optimizer", "kit_descent", fault, 2); }
Subject halving(Fault fault) { return subject_of<Halving>("schedule", "kit_halving", fault, 2); }
Subject rows(Fault fault) { return subject_of<Rows>("dataset", "kit_rows", fault, 2); }
Subject cubic(Fault fault) { return subject_of<Cubic>("preprocess", "kit_cubic", fault, 2); }

}  // namespace

TEST_CASE("correct optimizers, schedules, datasets and preprocessing pass") {
  for (const Subject& s : {descent(Fault::none), halving(Fault::none), rows(Fault::none), cubic(Fault::none)})
    expect_failures(s, {});
}

TEST_CASE("faults of optimizers fail their checks") {
  SECTION("moves without a gradient") { expect_failures(descent(Fault::drifts), {"fixed_point", "ranges"}); }
  SECTION("goes up") { expect_failures(descent(Fault::ascends), {"descent", "ranges"}); }
  SECTION("keeps memory in the object") { expect_failures(descent(Fault::forgets), {"resume"}); }
  SECTION("decays all by the first range's number") { expect_failures(descent(Fault::decays_all), {"ranges"}); }
  SECTION("ignores the rate of a range") { expect_failures(descent(Fault::own_rate), {"ranges"}); }
  SECTION("decays apart from the learning rate") { expect_failures(descent(Fault::decays_at_rest), {"ranges"}); }
  SECTION("leaves the last elements of a range") { expect_failures(descent(Fault::leaves_the_last), {"ranges"}); }
  SECTION("counts the steps of all objects together") {
    CHECK(failed_checks(testing::check(descent(Fault::counts_globally), {{"fixed_point"}})).count("fixed_point") == 1);
  }
  SECTION("moves what is in no range") {
    const std::set<std::string> failed = failed_checks(testing::check(descent(Fault::ignores_ranges), {{"ranges"}}));
    CHECK(failed == std::set<std::string>{"ranges"});
  }
}

TEST_CASE("faults of schedules, datasets and preprocessing fail their checks") {
  SECTION("a negative factor") { expect_failures(halving(Fault::negative), {"factor"}); }
  SECTION("another table each time") { expect_failures(rows(Fault::not_seeded), {"table"}); }
  SECTION("the lower half of the seed") { expect_failures(rows(Fault::half_a_seed), {"table"}); }
  SECTION("a NaN") { expect_failures(rows(Fault::not_a_number), {"table"}); }
  SECTION("log_det") { expect_failures(cubic(Fault::log_det), {"preprocess"}); }
  SECTION("undo") { expect_failures(cubic(Fault::no_undo), {"preprocess"}); }
}

TEST_CASE("a report names the subject, the worst entries and the command that repeats the check") {
  Subject s = cubic(Fault::log_det);
  const std::vector<CheckResult> results = testing::check(s, {{"preprocess"}});
  REQUIRE(results.size() == 1);
  const CheckResult& r = results[0];
  CHECK(r.status == testing::Status::failed);
  CHECK(r.number == 36);
  REQUIRE(r.worst.size() == 5);
  CHECK(r.worst[0].difference == r.measured);
  CHECK(r.worst[0].difference > r.worst[0].allowed);
  const std::string text = testing::to_text(r);
  CHECK(text.find("FAILED") == 0);
  CHECK(text.find("preprocess/kit_cubic, example own") != std::string::npos);
  CHECK(text.find("where") != std::string::npos);
  CHECK(text.find("log_det") != std::string::npos);
  CHECK(text.find("again: pushforward check --component preprocess/kit_cubic --example own --check preprocess\n") !=
        std::string::npos);
}

TEST_CASE("an example's own tolerance widens what is allowed, and its reason is printed") {
  Subject s = cubic(Fault::log_det);
  s.tolerance_factor = 1e12;
  s.reason = "a test";
  const CheckResult wide = testing::check(cubic(Fault::none), {{"36"}})[0], wider = testing::check(s, {{"36"}})[0];
  CHECK(wider.note.find("a test") != std::string::npos);
  CHECK(wide.note.empty());
}

TEST_CASE("checks are found by name and by number, and an unknown one is an error") {
  REQUIRE(testing::find_check("round_trip") != nullptr);
  CHECK(testing::find_check("1") == testing::find_check("round_trip"));
  CHECK(testing::find_check("no_such_check") == nullptr);
  CHECK_THROWS_AS(testing::check(rows(Fault::none), {{"no_such_check"}}), SpecError);
  CHECK(testing::check(rows(Fault::none), {{"round_trip"}}).empty());
}

TEST_CASE("a maker that throws is a finding") {
  Subject s = descent(Fault::none);
  s.make_double = [](const Surroundings&) -> Built<double> { throw SpecError("cannot be built"); };
  for (const CheckResult& r : testing::check(s)) {
    if (r.precision != "float64") continue;
    CHECK(r.status == testing::Status::failed);
    REQUIRE(!r.findings.empty());
    CHECK(r.findings[0].find("cannot be built") != std::string::npos);
  }
}

TEST_CASE("fields that are not read, and bad values that are accepted, are findings") {
  Subject s = halving(Fault::none);
  const auto make = s.make_double;
  s.make_double = [make](const Surroundings& around) {
    Built<double> built = make(around);
    built.unread_fields = {"half_life"};
    return built;
  };
  s.refusals.push_back({"half_life: -1", "half_life", [] {}});
  s.refusals.push_back({"half_life: 0", "half_life", [] { throw SpecError("half_life must be above 0"); }});
  s.refusals.push_back({"half_life: x", "half_life", [] { throw SpecError("must be a number"); }});
  const std::vector<CheckResult> results = testing::check(s, {{"fields"}, true, false});
  REQUIRE(results.size() == 1);
  const std::vector<std::string>& findings = results[0].findings;
  REQUIRE(findings.size() == 3);
  CHECK(findings[0] == "half_life: -1 was accepted");
  CHECK(findings[1].find("does not mention half_life") != std::string::npos);
  CHECK(findings[2] == "the factory does not read the field 'half_life'");
}
