// Witness: a network of bounded slope, its weights divided by their spectral norms.
//
// It is the hardest consumer of state beside `prepare` and `update`: the norm comes from a power iteration whose vector
// is state, moved once a step, started by the first batch's pass, and saved with the model.
//
// Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative adversarial networks", 2018.
#include <algorithm>
#include <cmath>
#include <eigen3/Eigen/SVD>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// One hidden tanh layer; the network's Lipschitz constant approaches coefficient^2 from above as u settles. With a
/// fixed u the estimate |u W| has the gradient u' dW v of the singular value.
template <class T>
class Spectral final : public Network<T> {
 public:
  explicit Spectral(Build<T>& build)
      : inputs_(build.network_shape().inputs),
        context_(build.network_shape().context),
        iterations_(build.integer("iterations")),
        coefficient_(static_cast<T>(build.real("coefficient"))) {
    const std::vector<double>& start = build.network_shape().output_start;
    const Index widths[] = {inputs_ + context_, build.integer("hidden"), build.network_shape().outputs};
    for (std::size_t l = 0; l < 2; ++l) {
      const Index rows = widths[l], columns = widths[l + 1];
      const std::string name = "layers[" + std::to_string(l) + "].";
      layers_[l] = {
          build.parameter(name + "weight", rows, columns, Initial::normal(0.5), Role::weight),
          build.parameter(name + "bias", 1, columns,
                          l == 1 && !start.empty() ? Initial::values(start) : Initial::constant(0), Role::bias),
          build.derived(name + "normalised", rows, columns),
          build.state(name + "u",
                      std::vector<double>(static_cast<std::size_t>(rows), 1 / std::sqrt(static_cast<double>(rows))))};
    }
  }
  void prepare(StepPass<T>& step) const override {
    for (const Layer& l : layers_) {
      const Var<T> w = step.pass(l.weight), v = matmul(step.pass(l.u), w);
      step.set(l.normalised, w * (reciprocal(sqrt(row_sum(square(v)))) * coefficient_));
    }
  }
  void update(StepPass<T>& step) const override {
    for (const Layer& l : layers_) advance(l, iterations_, step.pass, step.state(l.u));
  }
  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("spectral", x.columns(), inputs_);
    constexpr Index kSettled = 50;
    for (const Layer& l : layers_)
      if (pass.mode == Mode::initialise) advance(l, kSettled, pass, pass.writable(l.u));
    const Var<T> h = beside_context("spectral", x, context_, pass);
    return dense(dense(h, pass(layers_[0].normalised), pass(layers_[0].bias), Activation::tanh),
                 pass(layers_[1].normalised), pass(layers_[1].bias), Activation::none);
  }

 private:
  struct Layer {
    Parameter weight, bias, normalised;
    State u;  // 1 x rows: the left singular vector, nearly
  };
  static Var<T> unit(Var<T> v) { return v / sqrt(row_sum(square(v))); }
  static void advance(const Layer& l, Index iterations, const Pass<T>& pass, std::span<T> state) {
    Var<T> u = pass(l.u);
    const Var<T> w = pass.without_gradient()(l.weight);
    for (Index i = 0; i < iterations; ++i) u = unit(matmul(unit(matmul(u, w)), w, false, true));
    for (std::size_t k = 0; k < state.size(); ++k) state[k] = u.value()(0, static_cast<Index>(k));
  }

  Index inputs_, context_, iterations_;
  T coefficient_;
  Layer layers_[2];
};

constexpr Field kFields[] = {integer("hidden", "16", "units of the hidden layer").at_least(1),
                             integer("iterations", "1", "of the power iteration, in every step").at_least(1),
                             real("coefficient", "0.9", "spectral norm of each layer").above(0)};
constexpr Example kExamples[] = {{"default", "witness_spectral", 3},
                                 {"conditional", "witness_spectral: {hidden: 8}", 2, 1}};
constexpr ComponentInfo kComponents[] = {
    describe<Spectral>("network", "witness_spectral", "A network of bounded slope", kFields, kExamples)};

const char* const kFlow =
    "{base: normal, bijectors: [{coupling: {transformer: affine, network: {witness_spectral: {hidden: 10}}}}, affine]}";

/// True spectral norm of the parameter whose path ends so, over the estimate at the saved vector.
double norm_over_estimate(const Model<double>& model, std::size_t layer) {
  const std::string name = "layers[" + std::to_string(layer) + "].";
  const auto named = [&](const auto& infos, const std::string& ending) {
    return std::find_if(infos.begin(), infos.end(), [&](const auto& i) { return i.path.ends_with(name + ending); })
        ->handle;
  };
  const Parameter p = named(model.layout.parameters, "weight");
  const State u = named(model.layout.states, "u");
  const Eigen::MatrixXd w =
      Eigen::Map<const Eigen::MatrixXd>(model.store.parameters.data() + p.offset, p.rows, p.columns);
  const Eigen::RowVectorXd left =
      Eigen::Map<const Eigen::RowVectorXd>(model.store.real_state.data() + u.offset, u.size);
  return w.jacobiSvd().singularValues()(0) / (left * w).norm();
}

}  // namespace

TEST_CASE("a network of bounded slope conforms") { check_component(kComponents); }

TEST_CASE("after the first batch the weights have the spectral norm that was asked for") {
  const auto registry = load_plugins(kComponents);
  const auto network =
      make_runner("network", "witness_spectral: {coefficient: 0.8}", around({3, 5, 0, {}, {}, {}}), *registry);
  Request r;
  r.x = scattered(30, 3);
  network->initialise(r);
  // So no two inputs move apart by more than 0.8^2.
  const Array other = scattered(30, 3, 7), a = network->run(r).outputs[0];
  r.x = other;
  const Array b = network->run(r).outputs[0], x = scattered(30, 3);
  for (Index i = 0; i < 30; ++i) {
    double moved = 0, apart = 0;
    for (Index j = 0; j < 5; ++j) moved += std::pow(a(i, j) - b(i, j), 2);
    for (Index j = 0; j < 3; ++j) apart += std::pow(x(i, j) - other(i, j), 2);
    CHECK(std::sqrt(moved) <= 0.64 * (1 + 1e-9) * std::sqrt(apart));
  }
}

TEST_CASE("the vectors follow the weights, once an accepted step, and not while a loss is evaluated") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(4));
  scatter(model, 1.0);
  Engine<double> engine(model, {});
  const Matrix<double> data = normal_rows<double>(200, 4, 1);
  const std::vector<double> start = model.store.real_state;
  for (int i = 0; i < 3; ++i) engine.loss(0, rows_of(data), 0, model.store.parameters, {});
  CHECK(model.store.real_state == start);
  CHECK(norm_over_estimate(model, 0) > 1.01);
  for (std::uint32_t step = 0; step < 300; ++step) {
    engine.loss(0, rows_of(data), step, model.store.parameters, {});
    engine.update(step, model.store.parameters);
  }
  for (const std::size_t layer : {0u, 1u}) CHECK(norm_over_estimate(model, layer) == Approx(1).epsilon(1e-9));
}

TEST_CASE("gradients run through the division by the norm; training keeps the vectors settled") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry, kFlow, around(4));
  scatter(model);
  Engine<double> engine(model, {.seed = 2, .lanes = 4, .shard_rows = 16, .threads = 2});
  const Matrix<double> data = normal_rows<double>(150, 4, 1, 2.0, 1.0);
  CHECK(gradient_error(engine, rows_of(data)) < 1e-7);
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 2e-3}");
  train(engine, *adam, rows_of(data), 300);
  for (const std::size_t layer : {0u, 1u}) {
    CHECK(norm_over_estimate(model, layer) >= 1 - 1e-12);
    CHECK(norm_over_estimate(model, layer) < 1.01);
  }
}
