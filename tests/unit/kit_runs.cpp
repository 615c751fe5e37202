// The kit tests itself: procedures, trackers, schedules, datasets and preprocessing in mid-run, with a fault each.
#include <filesystem>
#include <fstream>
#include <map>

#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault {
  none,
  goes_up,
  never_stops,
  skips_rows,
  forgets_where,
  not_repeatable,
  throws,
  writes_outside,
  refuses_nan,
  refuses_to_go_on,
  loses_rows,
  ends_early,
  remembers,
  sees_secretly,
  all_zero,
  forgets,
  ignores_seed,
  order,
  unwritten,
  beside,
  constant_column,
  allocates,
};

/// Full-batch steps of the optimizer.
template <class T>
class Loop final : public Procedure<T> {
 public:
  Loop(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}

  TrainingResult run(Training<T>& training) const override {
    if (is(Fault::throws)) throw std::runtime_error("nobody trains here");
    TrainingResult result;
    result.steps = is(Fault::forgets_where) ? 0 : training.first_step;
    std::vector<T>& theta = training.engine->model().store.parameters;
    while (result.steps < training.steps && !result.stopped) {
      One one{*training.engine, training.train, static_cast<std::uint32_t>(result.steps)};
      const double factor = is(Fault::goes_up) ? -0.01 : 1;
      result.loss = training.optimizer->step(one, theta, {factor, training.ranges}, training.optimizer_states[0]);
      if (is(Fault::not_repeatable)) theta[0] += static_cast<T>(1e-3) * static_cast<T>(++calls_ % 3);
      ++result.steps;
      if (is(Fault::skips_rows) && result.steps % 2) continue;
      const bool go_on = training.on_step({result.steps, result.loss, NAN, 0.1, 0}, true);
      result.stopped = !go_on && !is(Fault::never_stops);
    }
    return result;
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  struct One final : Evaluate<T> {
    One(Engine<T>& e, const Rows<T>& r, std::uint32_t s) : engine(e), rows(r), step(s) {}
    double operator()(std::span<const T> theta, std::span<T> gradient) override {
      return engine.loss(0, rows, step, theta, gradient);
    }
    double loss(std::span<const T> theta) override { return engine.loss(0, rows, step, theta, {}); }
    Engine<T>& engine;
    const Rows<T>& rows;
    std::uint32_t step;
  };
  Fault fault_;
  mutable int calls_ = 0;
};

/// A line for each row.
template <class T>
class Lines final : public Tracker<T> {
 public:
  Lines(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  void start(const std::string& run_folder) override {
    const std::filesystem::path folder(run_folder), file = folder / "lines.txt";
    if (is(Fault::refuses_to_go_on) && std::filesystem::exists(file)) throw Error("there is a run in this folder");
    out_.open(is(Fault::writes_outside) ? folder.parent_path() / "lines.txt" : file, std::ios::app);
    if (is(Fault::loses_rows) && std::filesystem::exists(file)) lost_ = file;
  }
  void record(const MetricRow& row) override {
    if (is(Fault::refuses_nan) && std::isnan(row.validation_loss)) throw Error("no validation loss");
    if (is(Fault::ends_early) && row.step > 18) return;
    out_ << row.step << ' ' << row.loss << '\n';
  }
  void finish() override {
    out_.close();
    if (!lost_.empty() && ++runs() > 2) std::filesystem::resize_file(lost_, 0);
  }

 private:
  static int& runs() {
    static int count = 0;
    return count;
  }
  bool is(Fault fault) const { return fault_ == fault; }
  Fault fault_;
  std::ofstream out_;
  std::filesystem::path lost_;
};

/// Halves its factor after each validation loss that is no improvement.
template <class T>
class Halves final : public Schedule<T> {
 public:
  Halves(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  bool watches_validation() const override { return !is(Fault::sees_secretly); }
  double factor(std::int64_t, std::int64_t, const ScheduleState& state) const override {
    if (is(Fault::all_zero)) return 0;
    if (is(Fault::remembers)) return 1.0 / (1 + calls_++);
    if (is(Fault::forgets)) return std::pow(0.5, halved_);
    const auto it = state.numbers.find("halved");
    return it == state.numbers.end() ? 1 : std::pow(0.5, it->second[0]);
  }
  void observe(std::int64_t, double loss, ScheduleState& state) const override {
    std::vector<double>& best = state.numbers["best"];
    if (best.empty()) best = {INFINITY};
    std::vector<double>& halved = state.numbers["halved"];
    if (halved.empty()) halved = {0};
    if (!(loss < best[0]) && halved[0] < 20) {
      ++halved[0];
      ++halved_;
    }
    if (loss < best[0]) best[0] = loss;
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  Fault fault_;
  mutable int calls_ = 0;
  mutable double halved_ = 0;
};

template <class T>
class Waves final : public Dataset<T> {
 public:
  Waves(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Table load(std::uint64_t seed) const override {
    const double shift = fault_ == Fault::ignores_seed ? 0 : static_cast<double>(seed);
    Table table{10, {"x", "y"}, {}};
    for (int i = 0; i < 20; ++i) table.values.push_back(std::sin(shift + i));
    return table;
  }

 private:
  Fault fault_;
};

/// Divides each column by its largest size.
template <class T>
class Shrink final : public Preprocess<T> {
 public:
  Shrink(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Index state_size(Index columns) const override { return columns + 1; }
  void fit(const Table& training, std::span<double> state) const override {
    for (Index j = 0; j < training.columns(); ++j) {
      double& most = state[static_cast<std::size_t>(j)];
      most = 0;
      const std::span<const double> x = training.column(j);
      for (const double v : x) most = std::max(most, std::abs(v));
      if (is(Fault::order)) most += 1e-3 * std::abs(x[0]);
      if (is(Fault::constant_column) && std::all_of(x.begin(), x.end(), [&](double v) { return v == x[0]; })) most = 0;
    }
    if (!is(Fault::unwritten)) state.back() = 1;
  }
  void apply(Table& table, std::span<const double> state, std::span<double> log_det) const override {
    for (Index j = 0; j < table.columns(); ++j) {
      const double beside = is(Fault::beside) && table.rows > 0 ? 1 + 1e-3 * std::abs(table.column(j)[0]) : 1;
      const double most = state[static_cast<std::size_t>(j)] * beside;
      for (double& x : table.column(j)) x /= most;
      for (double& l : log_det) l -= std::log(most);
    }
  }
  void undo(Table& table, std::span<const double> state) const override {
    for (Index j = 0; j < table.columns(); ++j)
      for (double& x : table.column(j)) x *= state[static_cast<std::size_t>(j)];
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  Fault fault_;
};

/// Gradient descent that may ask the heap for its gradient.
template <class T>
class Steps final : public Optimizer<T> {
 public:
  Steps(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    std::vector<T> own(fault_ == Fault::allocates ? theta.size() : 0);
    const std::span<T> gradient = own.empty() ? state.room(theta.size()) : std::span<T>(own);
    const double loss = evaluate(theta, gradient);
    ++state.step;
    for (const ParameterRange& range : settings.ranges)
      for (Index k = range.begin; k < range.end; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const double rate = 1e-3 * settings.learning_rate_factor * range.learning_rate_factor;
        theta[i] -= static_cast<T>(rate) * (gradient[i] + static_cast<T>(range.weight_decay) * theta[i]);
      }
    return loss;
  }

 private:
  Fault fault_;
};

Subject loop(Fault fault) { return subject_of<Loop>("procedure", "kit_loop", fault, 2); }
Subject lines(Fault fault) { return subject_of<Lines>("tracker", "kit_lines", fault, 2); }
Subject halves(Fault fault) { return subject_of<Halves>("schedule", "kit_halves", fault, 2); }
Subject waves(Fault fault) { return subject_of<Waves>("dataset", "kit_waves", fault, 2); }
Subject shrink(Fault fault) { return subject_of<Shrink>("preprocess", "kit_shrink", fault, 2); }
Subject steps(Fault fault) { return subject_of<Steps>("optimizer", "kit_steps", fault, 2); }

/// The findings of one check, one to a line.
std::string findings(const Subject& subject, const std::string& check) {
  std::string text;
  for (const CheckResult& r : testing::check(subject, {{check}}))
    for (const std::string& finding : r.findings) text += finding + '\n';
  return text;
}

}  // namespace

using Catch::Matchers::Contains;

TEST_CASE("correct procedures, trackers, schedules, datasets, preprocessing and optimizers pass") {
  for (const Subject& s : {loop(Fault::none), lines(Fault::none), halves(Fault::none), waves(Fault::none),
                           shrink(Fault::none), steps(Fault::none)})
    expect_failures(s, {});
}

TEST_CASE("faults of procedures fail their checks") {
  SECTION("the loss rises") { expect_failures(loop(Fault::goes_up), {"training"}); }
  SECTION("it does not stop") {
    const std::set<std::string> failed = failed_checks(testing::check(loop(Fault::never_stops)));
    CHECK(failed.count("training") == 1);
    CHECK_THAT(findings(loop(Fault::never_stops), "training"), Contains("told to stop after step 5, it made 40"));
  }
  SECTION("steps are not told of") { CHECK_THAT(findings(loop(Fault::skips_rows), "training"), Contains("20 times")); }
  SECTION("it begins again") { expect_failures(loop(Fault::forgets_where), {"resume"}); }
  SECTION("other bits each time") {
    const std::set<std::string> failed = failed_checks(testing::check(loop(Fault::not_repeatable)));
    CHECK(failed.count("resume") == 1);
  }
  SECTION("it throws") {
    expect_failures(loop(Fault::throws), {"training", "resume"});
    CHECK_THAT(findings(loop(Fault::throws), "training"), Contains("it threw: nobody trains here"));
  }
}

TEST_CASE("faults of trackers fail their check") {
  for (const auto& [fault, message] : std::map<Fault, std::string>{
           {Fault::writes_outside, "it writes 'lines.txt' beside the run's folder"},
           {Fault::refuses_nan, "a run of 20 steps: it threw: no validation loss"},
           {Fault::refuses_to_go_on, "goes on in its folder at step 12: it threw: there is a run in this folder"},
           {Fault::ends_early, "30 steps leave no more in the folder than 20"},
           {Fault::loses_rows, "a run that goes on loses what it had"}}) {
    const std::string found = findings(lines(fault), "tracking");
    CHECK_THAT(found, Contains(message));
  }
}

TEST_CASE("faults of schedules fail their checks") {
  SECTION("the object counts calls") {
    expect_failures(halves(Fault::remembers), {"factor", "resume"});
    CHECK_THAT(findings(halves(Fault::remembers), "factor"), Contains("has two factors"));
  }
  SECTION("it watches in secret") {
    expect_failures(halves(Fault::sees_secretly), {"factor"});
    CHECK_THAT(findings(halves(Fault::sees_secretly), "factor"), Contains("which `watches_validation` denies"));
  }
  SECTION("nothing would move") { expect_failures(halves(Fault::all_zero), {"factor"}); }
  SECTION("what it saw is not in the state") {
    const std::set<std::string> failed = failed_checks(testing::check(halves(Fault::forgets)));
    CHECK(failed.count("resume") == 1);
  }
}

TEST_CASE("a dataset that ignores its seed fails, unless its rows are given or drawn in another example") {
  Subject s = waves(Fault::ignores_seed);
  expect_failures(s, {"table"});
  CHECK_THAT(findings(s, "table"), Contains("another seed gives the same rows"));
  s.given_rows = true;
  expect_failures(s, {});
  s.given_rows = false;
  s.seeded_elsewhere = [] { return true; };
  expect_failures(s, {});
  s.seeded_elsewhere = [] { return false; };
  expect_failures(s, {"table"});
}

TEST_CASE("faults of fitting fail their checks") {
  SECTION("the order of the rows matters") { expect_failures(shrink(Fault::order), {"fit"}); }
  SECTION("a number of the state is not written") { expect_failures(shrink(Fault::unwritten), {"fit"}); }
  SECTION("rows see each other") {
    const std::set<std::string> failed = failed_checks(testing::check(shrink(Fault::beside)));
    CHECK(failed.count("fit") == 1);
  }
  SECTION("a constant column becomes NaN") { expect_failures(shrink(Fault::constant_column), {"preprocess"}); }
}

TEST_CASE("an optimizer that allocates in every step fails its check") {
  expect_failures(steps(Fault::allocates), {"allocations"});
  CHECK_THAT(findings(steps(Fault::allocates), "allocations"), Contains("30 heap allocations in 30 steps"));
}
