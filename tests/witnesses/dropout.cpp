// Witness: a network with dropout.
//
// It is the hardest consumer of keyed draws: what is dropped depends on the row, the step, the component and the layer,
// never on the shard or the thread; both directions of a map see the same network; evaluation drops nothing.
//
// Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout", 2014.
#include <algorithm>
#include <cmath>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// Two hidden tanh layers; in training each of their units is dropped with probability `rate`, the rest scaled up.
template <class T>
class Dropout final : public Network<T> {
 public:
  explicit Dropout(Build<T>& build)
      : inputs_(build.network_shape().inputs),
        context_(build.network_shape().context),
        rate_(static_cast<T>(build.real("rate"))),
        id_(build.id()) {
    const NetworkShape& shape = build.network_shape();
    const Index hidden = build.integer("hidden"), widths[] = {inputs_ + context_, hidden, hidden, shape.outputs};
    for (std::size_t l = 0; l < 3; ++l) {
      const std::string name = "layers[" + std::to_string(l) + "].";
      const bool given = l == 2 && !shape.output_start.empty();
      weights_[l] = build.parameter(
          name + "weight", widths[l], widths[l + 1],
          given ? Initial::constant(0) : Initial::normal(1 / std::sqrt(static_cast<double>(widths[l]))), Role::weight);
      biases_[l] = build.parameter(name + "bias", 1, widths[l + 1],
                                   given ? Initial::values(shape.output_start) : Initial::constant(0), Role::bias);
    }
  }
  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("dropout", x ? x.columns() : 0, inputs_);
    Var<T> h = beside_context("dropout", x, context_, pass);
    for (std::size_t l = 0; l < 2; ++l)
      h = drop(dense(h, pass(weights_[l]), pass(biases_[l]), Activation::tanh), pass, static_cast<Index>(l));
    return dense(h, pass(weights_[2]), pass(biases_[2]), Activation::none);
  }
  Traits traits() const override {
    Traits t;
    t.uses_draws = true;
    return t;
  }

 private:
  Var<T> drop(Var<T> h, const Pass<T>& pass, Index layer) const {
    if (!pass.training()) return h;
    const Var<T> keep = pass.uniform(id_, h.rows(), h.columns(), layer) - rate_;
    return select(keep, h / (T(1) - rate_), pass.tape.full(h.rows(), h.columns(), T(0)));
  }

  Index inputs_, context_;
  T rate_;
  ComponentId id_;
  Parameter weights_[3], biases_[3];
};

constexpr Field kFields[] = {integer("hidden", "16", "units of both hidden layers").at_least(1),
                             real("rate", "0.25", "probability that a unit is dropped").at_least(0).below(1)};
constexpr Example kExamples[] = {{"default", "witness_dropout", 3},
                                 {"conditional", "witness_dropout: {hidden: 8}", 2, 2}};
constexpr ComponentInfo kComponents[] = {
    describe<Dropout>("network", "witness_dropout", "Two hidden layers with dropout", kFields, kExamples)};

std::unique_ptr<Runner> runner(const Registry& registry) {
  return make_runner("network", "witness_dropout: {hidden: 8}", around({2, 8, 0, {}, {}, {}}), registry);
}
Response evaluate(Runner& network, Mode mode, Stream stream = {1}, Index first_row = 0) {
  Request r;
  r.x = scattered(64, 2);
  r.rows = 64;
  r.mode = mode;
  r.stream = stream;
  r.first_row = first_row;
  return network.run(r);
}
/// 8 x 8, column-major: `value` on the diagonal.
std::vector<double> diagonal(double value) {
  std::vector<double> m(64);
  for (std::size_t k = 0; k < 8; ++k) m[9 * k] = value;
  return m;
}

const char* const kFlow =
    "{base: normal, bijectors: [{coupling: {transformer: affine, network: witness_dropout}}, {coupling: {transformer: "
    "affine, mask: "
    "alternating, network: witness_dropout}}]}";

/// Every row's log_prob in training mode.
std::vector<double> trained_densities(const EngineSettings& settings, const Matrix<double>& data, std::uint32_t step) {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  scatter(model);
  Engine<double> engine(model, settings);
  std::vector<double> all(static_cast<std::size_t>(data.rows()));
  engine.for_each_shard(data.rows(), step, Mode::train, [&](const Pass<double>& pass, Index first, Index count) {
    const Var<double> y = pass.tape.constant(data.block().middle_rows(first, count));
    const Var<double> density = model.distribution->log_prob(y, pass);
    std::copy_n(density.value().data, count, all.begin() + first);
  });
  return all;
}

}  // namespace

TEST_CASE("dropout conforms") { check_component(kComponents); }

TEST_CASE("the same pass drops the same units; another step, row or seed others; evaluation none") {
  const auto registry = load_plugins(kComponents);
  const auto network = runner(*registry);
  const Array plain = evaluate(*network, Mode::evaluate).outputs[0];
  const Array dropped = evaluate(*network, Mode::train, {1, 5}).outputs[0];
  CHECK(distance(plain, dropped) > 0.1);
  CHECK(evaluate(*network, Mode::train, {1, 5}).outputs[0].values == dropped.values);
  CHECK(distance(evaluate(*network, Mode::train, {1, 6}).outputs[0], dropped) > 0.1);
  CHECK(distance(evaluate(*network, Mode::train, {2, 5}).outputs[0], dropped) > 0.1);
  CHECK(distance(evaluate(*network, Mode::train, {1, 5}, 64).outputs[0], dropped) > 0.1);
  CHECK(evaluate(*network, Mode::evaluate, {9, 9}, 64).outputs[0].values == plain.values);
}

TEST_CASE("two layers of one network, and two networks of one model, draw differently") {
  const auto registry = load_plugins(kComponents);
  const auto network = runner(*registry);
  // Hidden units that are 1 until they are dropped, shown by the output: those of the second layer alone, then both.
  const std::vector<double> saturated(8, 20.0), zero(8, 0.0);
  set_parameter(*network, "layers[0].bias", saturated);
  set_parameter(*network, "layers[1].weight", diagonal(0));
  set_parameter(*network, "layers[1].bias", saturated);
  set_parameter(*network, "layers[2].weight", diagonal(1));
  const Array second = evaluate(*network, Mode::train).outputs[0];
  set_parameter(*network, "layers[1].weight", diagonal(30));
  set_parameter(*network, "layers[1].bias", zero);
  const Array both = evaluate(*network, Mode::train).outputs[0];
  Index kept = 0, dropped_before = 0;
  for (std::size_t i = 0; i < second.values.size(); ++i) {
    REQUIRE((second.values[i] == 0 || second.values[i] == Approx(1 / 0.75)));
    if (second.values[i] == 0) continue;
    ++kept;
    dropped_before += both.values[i] == 0;
  }
  // Independent draws: three quarters are kept, of which the first layer drops a quarter (five standard errors).
  CHECK(kept == Approx(0.75 * 512).margin(5 * std::sqrt(512 * 0.75 * 0.25)));
  CHECK(dropped_before ==
        Approx(0.25 * static_cast<double>(kept)).margin(5 * std::sqrt(static_cast<double>(kept) * 0.75 * 0.25)));
}

TEST_CASE("other shards, lanes and threads see the same numbers in each row") {
  const Matrix<double> data = normal_rows<double>(333, 2, 3);
  const std::vector<double> reference = trained_densities({.seed = 1, .lanes = 1, .shard_rows = 512}, data, 4);
  CHECK(distance(trained_densities({.seed = 1, .lanes = 8, .shard_rows = 16, .threads = 2}, data, 4), reference) <
        1e-12);
  CHECK(distance(trained_densities({.seed = 1, .lanes = 4, .shard_rows = 48, .threads = 3}, data, 4), reference) <
        1e-12);
  CHECK(distance(trained_densities({.seed = 1}, data, 5), reference) > 0.1);
}

TEST_CASE("one pass sees one network: a coupling is inverted in training, and the gradient is that of what was drawn") {
  const auto registry = load_plugins(kComponents);
  const auto map =
      make_runner("bijector", "coupling: {transformer: affine, network: witness_dropout}", around(3), *registry);
  scatter_parameters(*map);
  Request r;
  r.function = function_index(*map, "inverse");
  r.x = scattered(40, 3);
  r.mode = Mode::train;
  Request back = r;
  back.function = function_index(*map, "forward");
  back.x = map->run(r).outputs[0];
  CHECK(distance(map->run(back).outputs[0], r.x) < 1e-12);

  Model<double> model = make_model<double>(*registry, kFlow, around(2));
  scatter(model, 0.1);
  Engine<double> engine(model, {.seed = 1});
  CHECK(gradient_error(engine, rows_of(normal_rows<double>(50, 2, 3))) < 1e-7);
}
