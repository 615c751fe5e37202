// Witness: act_norm, whose start depends on the first batch.
//
// It is the hardest consumer of Mode::initialise: it writes parameters and state in a pass, once, and the layers of a
// chain or a `repeat` each see what the one before, already normalised, gives them; no container has code for it.
//
// Kingma and Dhariwal, "Glow: generative flow with invertible 1x1 convolutions", 2018.
#include <cmath>
#include <numbers>

#include "pushforward/chain.h"
#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// y = exp(log_scale) x + shift.
template <class T>
class ActNorm final : public Bijector<T> {
 public:
  explicit ActNorm(Build<T>& build)
      : size_(build.event_size()),
        log_scale_(build.parameter("log_scale", 1, size_, Initial::constant(0), Role::scale)),
        shift_(build.parameter("shift", 1, size_, Initial::constant(0), Role::bias)),
        initialised_(build.integer_state("initialised", {0})) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    start(x.value(), pass, true);
    return {x * exp(pass(log_scale_)) + pass(shift_), log_det(x, pass(log_scale_))};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    start(y.value(), pass, false);
    return {(y - pass(shift_)) * exp(-pass(log_scale_)), log_det(y, -pass(log_scale_))};
  }
  Traits traits() const override {
    Traits t;
    t.elementwise = t.triangular = t.constant_log_det = t.increasing = true;
    return t;
  }

 private:
  Var<T> log_det(Var<T> x, Var<T> log_scale) const {
    require_columns("act_norm", x.columns(), size_);
    return repeat_rows(row_sum(log_scale), x.rows());
  }
  /// What comes out of the direction that is called first gets mean 0 and deviation 1.
  void start(Block<const T> in, const Pass<T>& pass, bool forward) const {
    if (pass.mode != Mode::initialise || pass.integers(initialised_)[0] || in.columns != size_) return;
    for (Index j = 0; j < size_; ++j) {
      double mean = 0, variance = 0;
      for (Index i = 0; i < in.rows; ++i) mean += static_cast<double>(in(i, j)) / static_cast<double>(in.rows);
      for (Index i = 0; i < in.rows; ++i) variance += std::pow(in(i, j) - mean, 2) / static_cast<double>(in.rows);
      const double deviation = std::sqrt(variance) + 1e-6;  // Glow's, for a feature that does not vary
      pass.writable(log_scale_)(0, j) = static_cast<T>(forward ? -std::log(deviation) : std::log(deviation));
      pass.writable(shift_)(0, j) = static_cast<T>(forward ? -mean / deviation : mean);
    }
    pass.writable_integers(initialised_)[0] = 1;
  }

  Index size_;
  Parameter log_scale_, shift_;
  State initialised_;
};

constexpr Example kExamples[] = {{"default", "witness_act_norm", 3}, {"one_element", "witness_act_norm", 1}};
constexpr ComponentInfo kComponents[] = {
    describe<ActNorm>("bijector", "witness_act_norm", "Scale and shift, from the first batch", nullptr, kExamples)};

const char* const kLayer =
    "witness_act_norm, {elementwise: {transformer: {sinh_arcsinh: {}}, initialisation: random, deviation: 0.5}}";

struct Statistics {
  double mean = 0, deviation = 0;
};
Statistics statistics(const Array& a, Index j) {
  Statistics s;
  const double n = static_cast<double>(a.rows);
  for (Index i = 0; i < a.rows; ++i) s.mean += a(i, j) / n;
  for (Index i = 0; i < a.rows; ++i) s.deviation += std::pow(a(i, j) - s.mean, 2) / n;
  s.deviation = std::sqrt(s.deviation);
  return s;
}

std::vector<double> densities(Engine<double>& engine, const Rows<double>& rows) {
  std::vector<double> out(static_cast<std::size_t>(rows.count));
  engine.log_prob(rows, out);
  return out;
}

}  // namespace

TEST_CASE("act_norm conforms") { check_component(kComponents); }

TEMPLATE_TEST_CASE("the first batch comes out normalised, in the direction that it takes", "", float, double) {
  const auto registry = load_plugins(kComponents);
  for (const char* direction : {"inverse", "forward"}) {
    const auto map = make_runner<TestType>("bijector", "witness_act_norm", around(3), *registry);
    Array batch = scattered(200, 3);
    for (Index i = 0; i < 200; ++i) batch(i, 1) = 40 + 7 * batch(i, 1);
    Request r;
    r.function = function_index(*map, direction);
    r.x = batch;
    map->initialise(r);
    const Array out = run(*map, direction, batch).outputs[0];
    for (Index j = 0; j < 3; ++j) {
      CAPTURE(direction, j);
      CHECK(statistics(out, j).mean == Approx(0).margin(sizeof(TestType) == 4 ? 1e-5 : 1e-12));
      CHECK(statistics(out, j).deviation == Approx(1).epsilon(1e-5));
    }
    CHECK(integers_of(map->layout(), map->numbers().integer_state, "initialised") == std::vector<std::int64_t>{1});
  }
}

TEST_CASE("within repeat each layer is started with what the one before gives, without code for it") {
  const auto registry = load_plugins(kComponents);
  const std::string layer = kLayer;
  const Matrix<double> data = normal_rows<double>(300, 2, 4, 3.0, 5.0);
  const std::string base = "{base: normal, bijectors: [";
  Model<double> repeated =
      make_model<double>(*registry, base + "{repeat: {times: 3, bijectors: [" + layer + "]}}]}", around(2));
  Model<double> listed = make_model<double>(*registry, base + layer + ", " + layer + ", " + layer + "]}", around(2));
  Engine<double> a(repeated, {}), b(listed, {});
  REQUIRE(repeated.store.parameters.size() == listed.store.parameters.size());
  a.initialise(rows_of(data));
  b.initialise(rows_of(data));
  CHECK(integers_of(repeated.layout, repeated.store.integer_state, "initialised") ==
        std::vector<std::int64_t>{1, 1, 1});

  // What the listed layers see, from the data to the base.
  const auto& chain =
      dynamic_cast<const Chain<double>&>(dynamic_cast<const Flow<double>&>(*listed.distribution).bijector());
  Tape<double> tape(false);
  const Pass<double> pass{.tape = tape, .values = listed.store.values(), .context = {}, .stream = {}, .sinks = {}};
  Var<double> y = tape.constant(data);
  for (std::size_t i = chain.parts().size(); i-- > 0;) {
    y = chain.parts()[i]->inverse(y, pass).value;
    if (i % 2 == 1) continue;  // the map between two act_norms
    Array out(300, 2);
    for (Index j = 0; j < 2; ++j) std::copy_n(y.value().column(j), 300, &out(0, j));
    for (Index j = 0; j < 2; ++j) {
      CAPTURE(i, j);
      CHECK(statistics(out, j).mean == Approx(0).margin(1e-12));
      CHECK(statistics(out, j).deviation == Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("a repeat that shares its layer starts it once, with what its first application sees") {
  const auto registry = load_plugins(kComponents);
  const Matrix<double> data = normal_rows<double>(300, 1, 4, 2.0, 1.0);
  Model<double> model = make_model<double>(
      *registry, "{base: normal, bijectors: [{repeat: {times: 3, share: true, bijectors: [witness_act_norm]}}]}",
      around(1));
  Engine<double> engine(model, {});
  engine.initialise(rows_of(data));
  double mean = 0;
  for (Index i = 0; i < 300; ++i) mean += data(i, 0) / 300;
  for (const ParameterInfo& p : model.layout.parameters)
    if (p.path.ends_with("shift"))
      CHECK(model.store.parameters[static_cast<std::size_t>(p.handle.offset)] == Approx(mean));
}

TEST_CASE("what was started is not started again: the flag is part of the saved state") {
  const auto registry = load_plugins(kComponents);
  const char* const spec = "{base: normal, bijectors: [witness_act_norm, affine]}";
  Model<double> first = make_model<double>(*registry, spec, around(2)),
                second = make_model<double>(*registry, spec, around(2));
  const Matrix<double> data = normal_rows<double>(100, 2, 1, 2.0, 3.0),
                       others = normal_rows<double>(100, 2, 2, 5.0, -3.0);
  Engine<double> a(first, {}), b(second, {});
  a.initialise(rows_of(data));
  second.store = first.store;
  b.initialise(rows_of(others));
  CHECK(second.store.parameters == first.store.parameters);
  CHECK(densities(a, rows_of(data)) == densities(b, rows_of(data)));
}

TEST_CASE("training starts from the first batch by itself") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, "{base: normal, bijectors: [witness_act_norm]}", around(1));
  const Matrix<double> data = normal_rows<double>(2000, 1, 1, 9.0, 100.0);
  Engine<double> engine(model, {});
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam");
  const TrainingResult result = train(engine, *adam, rows_of(data), 1);
  // The entropy of N(100, 9^2), of which these rows are a sample.
  CHECK(result.loss == Approx(0.5 * std::log(2 * std::numbers::pi * std::exp(1.0) * 81)).margin(0.05));
}
