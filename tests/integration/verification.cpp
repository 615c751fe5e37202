// What `verify` finds in models that are right, and in models with one thing wrong.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "pushforward/chain.h"
#include "support/experiments.h"
#include "support/models.h"
#include "verification/fit_checks.h"
#include "verification/numerical_checks.h"

using namespace pushforward;                // NOLINT
using namespace pushforward::test;          // NOLINT
using namespace pushforward::verification;  // NOLINT

namespace {

const std::string kCouplings =
    "{coupling: {transformer: {affine: {scale: soft_clip}}, network: {mlp: {hidden: [8], activation: tanh}}, mask: "
    "halves}}, {permutation: {kind: flip}}, {coupling: {transformer: {rational_quadratic_spline: {bins: 4, bound: "
    "4}}, network: {mlp: {hidden: [8], activation: tanh}}, mask: halves}}";

std::string flow_on(const std::string& base) { return "{flow: {base: " + base + ", bijectors: [" + kCouplings + "]}}"; }

template <class T>
Model<T> scattered(const std::string& yaml, Index size, Index context = 0, double scale = 0.4) {
  Model<T> model = make_model<T>(built_plugins(), yaml, around(size, context));
  scatter(model, scale);
  return model;
}

/// Samples of a model as the rows of a split.
template <class T>
Split<T> samples_of(Engine<T>& engine, Index n, std::uint32_t step, const std::string& name) {
  Split<T> split;
  split.name = name;
  split.data = Matrix<T>(n, engine.model().distribution->event_shape().size());
  if (engine.model().context > 0) split.context = normal_rows<T>(n, engine.model().context, step + 7);
  engine.sample(n, split.context, step, split.data.block());
  return split;
}

struct Outcome {
  std::vector<Finding> findings;
  const Finding& operator[](const std::string& check) const {
    for (const Finding& finding : findings)
      if (finding.check == check) return finding;
    throw std::logic_error("no check " + check);
  }
  std::vector<std::string> with(Verdict verdict) const {
    std::vector<std::string> names;
    for (const Finding& finding : findings)
      if (finding.verdict == verdict) names.push_back(finding.check);
    return names;
  }
};

const std::vector<std::string> kNone;

Outcome verified(Engine<double>& engine, const std::vector<const Split<double>*>& splits, bool fit = true) {
  const GatheredRows<double> rows = gather_rows<double>(splits, 10'000, 0);
  const Subject<double> subject{engine, engine, rows};
  Outcome outcome{numerical_checks(subject)};
  if (fit)
    for (Finding& finding : fit_checks(subject, {})) outcome.findings.push_back(std::move(finding));
  return outcome;
}

/// x to 2 x, with a log_det that is `share` of the right one.
class Doubling final : public Bijector<double> {
 public:
  explicit Doubling(double share) : share_(share) {}
  Mapped<double> forward(Var<double> x, const Pass<double>& pass) const override {
    return {x + x, pass.tape.full(x.rows(), 1, share_ * std::log(2.0) * static_cast<double>(x.columns()))};
  }
  Mapped<double> inverse(Var<double> y, const Pass<double>& pass) const override {
    return {y * 0.5, pass.tape.full(y.rows(), 1, -share_ * std::log(2.0) * static_cast<double>(y.columns()))};
  }

 private:
  double share_;
};

Model<double> doubled_normal(double share) {
  Model<double> model = make_model<double>(built_plugins(), "normal", around(2));
  model.distribution =
      std::make_unique<Flow<double>>(std::move(model.distribution), std::make_unique<Doubling>(share), Shape{2});
  model.components.insert(model.components.end() - 1, model.distribution.get());
  return model;
}

TEST_CASE("A model that is right passes on its own samples, 20 times of 20") {
  int looks = 0;
  for (const char* base :
       {"normal", "{normal: {mean: learnable, scale: learnable}}", "{student_t: {degrees_of_freedom: 5}}"}) {
    Model<double> model = scattered<double>(flow_on(base), 3);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Engine<double> engine(model, {.seed = seed});
      const Split<double> train = samples_of(engine, 300, 1, "train"), test = samples_of(engine, 400, 2, "test");
      const GatheredRows<double> rows = gather_rows<double>({&train, &test}, 10'000, seed);
      const Outcome fit{fit_checks(Subject<double>{engine, engine, rows}, {})};
      CAPTURE(base, seed, fit.with(Verdict::look));
      looks += static_cast<int>(fit.with(Verdict::look).size());
      CHECK(fit.with(Verdict::not_done) == kNone);
      if (seed == 0) CHECK(verified(engine, {&train, &test}, false).with(Verdict::failed) == kNone);
    }
  }
  // 60 models, five checks of level 1e-3: a third of an alarm is expected.
  CHECK(looks <= 1);
}

TEST_CASE("Parameters in the wrong places show in the base points, not in the numerics") {
  Model<double> model = scattered<double>(flow_on("normal"), 3);
  Split<double> rows;
  {
    Engine<double> engine(model, {.seed = 3});
    rows = samples_of(engine, 2000, 1, "test");
    CHECK(verified(engine, {&rows}).with(Verdict::look) == kNone);
  }
  // The weights of one network the other way round.
  for (const ParameterInfo& p : model.layout.parameters)
    if (p.path.find("bijectors[2]") != std::string::npos && p.path.ends_with("weight"))
      std::reverse(model.store.parameters.begin() + p.handle.offset,
                   model.store.parameters.begin() + p.handle.offset + p.handle.size());
  Engine<double> engine(model, {.seed = 3});
  const Outcome outcome = verified(engine, {&rows});
  CHECK(outcome.with(Verdict::failed) == kNone);
  CHECK(outcome["each element"].verdict == Verdict::look);
  CHECK(outcome["each element"].numbers[2].second < 1e-6);
}

TEST_CASE("A log_det that is not the map's fails, and only what it concerns") {
  Model<double> right = doubled_normal(1), wrong = doubled_normal(0.9);
  Engine<double> fine(right, {}), bad(wrong, {});
  const Split<double> rows = samples_of(fine, 500, 1, "test");
  CHECK(verified(fine, {&rows}).with(Verdict::failed) == kNone);
  CHECK(verified(bad, {&rows}).with(Verdict::failed) ==
        std::vector<std::string>{"rows, log_det", "draws, log_det", "density integrates to 1"});
}

TEST_CASE("Parameters that are not finite, or too large to compute with, fail at once") {
  for (const double value : {std::nan(""), -std::numeric_limits<double>::infinity(), 1e30}) {
    Model<double> model = scattered<double>(flow_on("normal"), 3);
    model.store.parameters[static_cast<std::size_t>(model.layout.parameters[1].handle.offset)] = value;
    Engine<double> engine(model, {});
    Split<double> rows;
    rows.name = "test";
    rows.data = normal_rows<double>(50, 3, 1);
    const Outcome outcome = verified(engine, {&rows}, false);
    CHECK(outcome.with(Verdict::failed) == std::vector<std::string>{"parameters"});
    CHECK(outcome["parameters"].where == model.layout.parameters[1].path);
    CHECK(outcome["parameters"].advice.find(model.layout.parameters[1].path) != std::string::npos);
    CHECK(outcome.with(Verdict::not_done) == std::vector<std::string>{"everything else"});
  }
}

TEST_CASE("A map that loses its digits fails the way back") {
  // A shift of 4e15 leaves no digit after the point.
  Model<double> model = make_model<double>(
      built_plugins(), "{flow: {base: normal, bijectors: [{elementwise: {transformer: affine}}]}}", around(2));
  model.store.parameters[static_cast<std::size_t>(model.layout.parameters[0].handle.offset)] = 4e15;
  Engine<double> engine(model, {});
  Split<double> rows;
  rows.name = "test";
  rows.data = normal_rows<double>(200, 2, 1);
  const Outcome outcome = verified(engine, {&rows}, false);
  CHECK(outcome["draws, there and back"].verdict == Verdict::failed);
}

TEMPLATE_TEST_CASE("float32 is compared with the same model in float64", "", float) {
  Model<float> model = scattered<float>(flow_on("normal"), 3);
  Model<double> exact = scattered<double>(flow_on("normal"), 3);
  copy_numbers(model, exact);
  Engine<float> engine(model, {.seed = 1});
  Engine<double> exact_engine(exact, {.seed = 1});
  exact_engine.prepare();
  Split<float> rows = samples_of(engine, 1000, 1, "test");
  const GatheredRows<float> gathered = gather_rows<float>({&rows}, 10'000, 0);
  const Outcome outcome{numerical_checks(Subject<float>{engine, exact_engine, gathered})};
  CHECK(outcome.with(Verdict::failed) == kNone);
  CHECK(outcome["float32 against float64"].verdict == Verdict::ok);
  CHECK(outcome["float32 against float64"].numbers[2].second > 0);
  exact.store.parameters[static_cast<std::size_t>(model.layout.parameters[0].handle.offset)] += 1;
  Engine<double> other(exact, {.seed = 1});
  CHECK(Outcome{numerical_checks(Subject<float>{engine, other, gathered})}["float32 against float64"].verdict ==
        Verdict::failed);
}

TEST_CASE("A conditional model is verified at the contexts of its rows") {
  Model<double> model = scattered<double>(flow_on("normal"), 3, 2, 1.5);
  Engine<double> engine(model, {.seed = 5});
  Split<double> rows = samples_of(engine, 1000, 1, "test");
  const Outcome outcome = verified(engine, {&rows});
  CHECK(outcome.with(Verdict::failed) == kNone);
  CHECK(outcome.with(Verdict::look) == kNone);
  // At the contexts of other rows it is another model.
  std::reverse(rows.context.block().column(0), rows.context.block().column(0) + rows.rows());
  CHECK(verified(engine, {&rows})["each element"].verdict == Verdict::look);
}

TEST_CASE("A model that is no flow gets the checks that make sense") {
  Model<double> model = make_model<double>(built_plugins(), "{gaussian_mixture: {components: 3}}", around(2));
  scatter(model, 0.7);
  Engine<double> engine(model, {.seed = 2});
  Split<double> rows = samples_of(engine, 1000, 1, "test");
  const Outcome outcome = verified(engine, {&rows});
  CHECK(outcome.with(Verdict::failed) == kNone);
  CHECK(outcome.with(Verdict::look) == kNone);
  CHECK(outcome.with(Verdict::not_done) ==
        std::vector<std::string>{"map to the base", "density = base + log_det", "fitted rows against others"});
  CHECK(outcome["density integrates to 1"].verdict == Verdict::ok);
  for (Index i = 0; i < rows.rows(); ++i) rows.data(i, 0) += 0.7;
  CHECK(verified(engine, {&rows})["each element"].verdict == Verdict::look);
}

TEST_CASE("One row, no rows, and rows that are not numbers") {
  Model<double> model = scattered<double>(flow_on("normal"), 3);
  Engine<double> engine(model, {.seed = 2});
  Split<double> one = samples_of(engine, 1, 1, "test");
  const Outcome single = verified(engine, {&one});
  CHECK(single.with(Verdict::failed) == kNone);
  CHECK(single["each element"].verdict == Verdict::not_done);
  CHECK(single["rows in the tails"].verdict == Verdict::ok);

  const Outcome none = verified(engine, {});
  CHECK(none.with(Verdict::failed) == kNone);
  CHECK(none["draws, there and back"].verdict == Verdict::ok);
  CHECK(none["fit"].verdict == Verdict::not_done);

  Split<double> rows = samples_of(engine, 100, 1, "test");
  rows.data(17, 1) = std::nan("");
  const Outcome outcome = verified(engine, {&rows});
  CHECK(outcome.with(Verdict::failed) == std::vector<std::string>{"density of the rows"});
  CHECK(outcome["density of the rows"].measured.find("row 17 of test") != std::string::npos);
}

TEST_CASE("Rows far outside are for a look, and name themselves") {
  Model<double> model = scattered<double>(flow_on("normal"), 3);
  Engine<double> engine(model, {.seed = 2});
  Split<double> rows = samples_of(engine, 500, 1, "test");
  for (Index i = 0; i < 20; ++i) rows.data(i, i % 3) = 1e4;
  const GatheredRows<double> gathered = gather_rows<double>({&rows}, 10'000, 0);
  const Subject<double> subject{engine, engine, gathered};
  const Outcome fit{fit_checks(subject, {.data = SplineInterval{-4, 4}, .base = {}})};
  CHECK(fit["rows in the tails"].verdict == Verdict::look);
  CHECK(std::stoi(fit["rows in the tails"].where.substr(4)) < 20);
  CHECK(fit["beyond the splines, data"].verdict == Verdict::look);
  CHECK(fit["beyond the splines, data"].numbers[0].second >= 6.0 / 500);
  CHECK(Outcome{numerical_checks(subject)}.with(Verdict::failed) == kNone);
}

TEST_CASE("Rows outside of a support are counted apart") {
  Model<double> model = make_model<double>(
      built_plugins(),
      "{flow: {base: {uniform: {low: 0, high: 1}}, bijectors: [{elementwise: {maps: data_to_base, transformer: "
      "{rational_quadratic_spline: {interval: [0, 1], tails: none}}}}]}}",
      around(2));
  scatter(model, 0.5);
  Engine<double> engine(model, {.seed = 2});
  Split<double> rows = samples_of(engine, 500, 1, "test");
  CHECK(verified(engine, {&rows}).with(Verdict::look) == kNone);
  rows.data(3, 1) = 1.5;
  const Outcome outcome = verified(engine, {&rows});
  CHECK(outcome.with(Verdict::failed) == kNone);
  CHECK(outcome.with(Verdict::look) == std::vector<std::string>{"rows outside the support"});
  CHECK(outcome["rows outside the support"].measured.find("row 3 of test") != std::string::npos);
}

TEST_CASE("A model that knows its rows by heart is told from the others") {
  Model<double> model = scattered<double>(flow_on("normal"), 3);
  Engine<double> engine(model, {.seed = 4});
  Split<double> train = samples_of(engine, 500, 1, "train"), test = samples_of(engine, 500, 2, "test");
  for (Index i = 0; i < test.rows(); ++i)
    for (Index j = 0; j < 3; ++j) test.data(i, j) *= 1.5;
  CHECK(verified(engine, {&train, &test})["fitted rows against others"].verdict == Verdict::look);
}

TEST_CASE("The intervals of splines next to data and base are found behind permutations and repetitions") {
  const auto intervals = [](const std::string& bijectors) {
    return spline_intervals(resolve_component(
        built_plugins(), "distribution",
        parse_spec_text("{flow: {base: {normal: {shape: [2]}}, bijectors: [" + bijectors + "]}}", "spec")));
  };
  const std::string spline = "{elementwise: {transformer: {rational_quadratic_spline: {bound: 3}}}}";
  const std::string coupling =
      "{repeat: {times: 2, bijectors: [{coupling: {transformer: {linear_rational_spline: "
      "{bound: 5}}, network: {mlp: {hidden: [4]}}}}, permutation]}}";
  const SplineIntervals both = intervals(spline + ", " + coupling);
  REQUIRE(both.base);
  REQUIRE(both.data);
  CHECK(both.base->high == 3);
  CHECK(both.data->low == -5);
  const SplineIntervals none = intervals(spline + ", {elementwise: {transformer: affine}}");
  CHECK(!none.data);
  CHECK(none.base->high == 3);
}

TEST_CASE("Rows count by their weights, and a file without weights as one each") {
  Model<double> model = scattered<double>(flow_on("normal"), 3);
  Engine<double> engine(model, {.seed = 6});
  Split<double> train = samples_of(engine, 600, 1, "train");
  train.weights = Matrix<double>(600, 1);
  for (Index i = 0; i < 600; ++i) {
    train.weights(i, 0) = i % 3 == 0 ? 0 : 1.0 + static_cast<double>(i % 2);
    if (i % 3 == 0) train.data(i, 0) += 5;  // without weight: they are not there
  }
  CHECK(verified(engine, {&train}).with(Verdict::look) == kNone);
  const Split<double> file = samples_of(engine, 400, 2, "data");
  const GatheredRows<double> both = gather_rows<double>({&train, &file}, 10'000, 0);
  REQUIRE(both.rows.weights.rows() == 1000);
  CHECK(both.rows.weights(999, 0) == 1);
  CHECK(held_out(both.parts).name == "data");
  CHECK(verified(engine, {&train, &file}).with(Verdict::look) == kNone);
  for (Index i = 0; i < 600; ++i) train.weights(i, 0) = 1;
  CHECK(verified(engine, {&train})["each element"].verdict == Verdict::look);
}

TEST_CASE("Rows are picked by the seed and keep their numbers") {
  Split<double> split;
  split.name = "train";
  split.data = Matrix<double>(100, 1);
  for (Index i = 0; i < 100; ++i) split.data(i, 0) = static_cast<double>(i);
  const GatheredRows<double> some = gather_rows<double>({&split}, 10, 1), same = gather_rows<double>({&split}, 10, 1),
                             others = gather_rows<double>({&split}, 10, 2);
  REQUIRE(some.rows.rows() == 10);
  CHECK(some.numbers == same.numbers);
  CHECK(some.numbers != others.numbers);
  CHECK(std::is_sorted(some.numbers.begin(), some.numbers.end()));
  for (Index i = 0; i < 10; ++i) CHECK(some.rows.data(i, 0) == some.numbers[static_cast<std::size_t>(i)]);
  CHECK(some.name_of(0) == "row " + std::to_string(some.numbers[0]) + " of train");
}

}  // namespace
