// Witness: a continuous flow, dx/dt = network(x, t, context), solved with adaptive steps.
//
// It is the hardest consumer of the tape's memory and of `inner`: an unknown number of steps, some of them rejected,
// each dropped as soon as its numbers are known; the trace of the Jacobian by forward mode; and a gradient that is the
// solution of another differential equation, solved inside a vjp. Every row takes its own steps, so rows stay
// independent.
//
// Chen, Rubanova, Bettencourt and Duvenaud, "Neural ordinary differential equations", 2018; Dormand and Prince, "A
// family of embedded Runge-Kutta formulae", 1980.
#include <atomic>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

std::atomic<long> attempted_steps{0}, rejected_rows{0};

/// Nodes and stages of the pair of orders 5 and 4, whose last stage is the result, and the difference between the two.
constexpr int kStages = 7;
constexpr double kNodes[kStages] = {0, 1 / 5., 3 / 10., 4 / 5., 8 / 9., 1, 1};
constexpr double kWeights[kStages][kStages] = {{},
                                               {1 / 5.},
                                               {3 / 40., 9 / 40.},
                                               {44 / 45., -56 / 15., 32 / 9.},
                                               {19372 / 6561., -25360 / 2187., 64448 / 6561., -212 / 729.},
                                               {9017 / 3168., -355 / 33., 46732 / 5247., 49 / 176., -5103 / 18656.},
                                               {35 / 384., 0, 500 / 1113., 125 / 192., -2187 / 6784., 11 / 84.}};
constexpr double kError[kStages] = {71 / 57600., 0, -71 / 16695., 71 / 1920., -17253 / 339200., 22 / 525., -1 / 40.};

template <class T, class F>
void fill(Block<T> out, F&& f) {
  for (Index j = 0; j < out.columns; ++j)
    for (Index i = 0; i < out.rows; ++i) out(i, j) = f(i, j);
}
template <class T>
void copy(Block<const T> from, Block<T> to) {
  fill(to, [&](Index i, Index j) { return from(i, j); });
}

template <class T>
class NeuralOde final : public Bijector<T> {
 public:
  explicit NeuralOde(Build<T>& build)
      : size_(build.event_size()),
        tolerance_(build.given("tolerance") ? build.real("tolerance")
                   : sizeof(T) == 4         ? 1e-5
                                            : 1e-10),
        network_(build.network("network", {size_ + 1, size_, build.context_size(), {}, {}, {}})) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return solve(x, pass, 0, 1); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return solve(y, pass, 1, 0); }
  Traits traits() const override {
    Traits t;
    t.forward = t.inverse = Cost::iterative;
    t.tolerance = tolerance_;
    return t;
  }

 private:
  struct Motion {
    Var<T> velocity, trace;  // N x D, N x 1
  };
  Motion motion(Var<T> x, Block<const T> time, const Pass<T>& pass) const {
    Tape<T>& tape = pass.tape;
    Motion m{(*network_)(concatenate({x, tape.constant(time)}), pass), tape.full(x.rows(), 1, T(0))};
    for (Index j = 0; j < size_; ++j) {
      const Var<T> direction = tape.full(x.rows(), size_, T(0));
      std::fill_n(direction.data().column(j), x.rows(), T(1));
      if (const Var<T> column = tape.tangent(m.velocity, x, direction)) m.trace = m.trace + columns(column, j, 1);
    }
    return m;
  }

  Mapped<T> solve(Var<T> x, const Pass<T>& pass, double from, double to) const {
    require_columns("neural_ode", x.columns(), size_);
    const Var<T> y = pass.tape.make(x.rows(), size_), log_det = pass.tape.make(x.rows(), 1);
    const Block<T> state = pass.tape.block(x.rows(), size_ + 1);
    copy<T>(x.value(), state.middle_columns(0, size_));
    fill(state.middle_columns(size_, 1), [](Index, Index) { return T(0); });
    integrate(
        pass.tape, state, from, to,
        [&](Block<const T> time, Block<const T> at, Block<T> slope) {
          const typename Tape<T>::Inner inner = pass.tape.inner();
          const Motion m = motion(pass.tape.leaf(at.middle_columns(0, size_)), time, pass);
          copy(m.velocity.value(), slope.middle_columns(0, size_));
          copy(m.trace.value(), slope.middle_columns(size_, 1));
        },
        [](Block<const T>, Block<const T>, Block<const T>) {});
    copy<T>(state.middle_columns(0, size_), y.data());
    copy<T>(state.middle_columns(size_, 1), log_det.data());
    const Pass<T>* again = &pass;
    pass.tape.primitive(
        "neural_ode", {x, pass.anchor(), pass.context}, {y, log_det},
        [this, again, from, to](Vjp<T>& v) { adjoint(v, *again, from, to); }, no_tangent);
    return {y, log_det};
  }

  /// With a the cotangent of x(t) and b that of log_det: da/dt = -d(a . velocity + b trace)/dx, backwards along the
  /// same curve; the parameters (and the context) receive the integral of d(a . velocity + b trace)/dtheta.
  void adjoint(Vjp<T>& v, const Pass<T>& pass, double from, double to) const {
    Tape<T>& tape = v.tape();
    const Index n = v.result(0).rows;
    const Block<const T> b = v.adjoint(1);
    const Block<T> state = tape.block(n, 2 * size_), seeds = tape.block(n, size_ + 1), unused = tape.block(n, size_);
    copy(v.result(0), state.middle_columns(0, size_));
    copy(v.adjoint(0), state.middle_columns(size_, size_));
    const Pass<T>& alone =
        pass.without_gradient().with_context(pass.context ? stop_gradient(pass.context) : pass.context);
    const auto back = [&](typename Tape<T>::Inner& inner, const Motion& m, Block<const T> a, Block<const T> trace) {
      const typename Tape<T>::Seed all[] = {{m.velocity, a}, {m.trace, trace}};
      inner.backward(all);
    };
    integrate(
        tape, state, to, from,
        [&](Block<const T> time, Block<const T> at, Block<T> slope) {
          typename Tape<T>::Inner inner = tape.inner();
          const Block<T> pull = slope.middle_columns(size_, size_);
          fill(pull, [](Index, Index) { return T(0); });
          const Motion m = motion(tape.leaf(at.middle_columns(0, size_), pull), time, alone);
          copy(m.velocity.value(), slope.middle_columns(0, size_));
          back(inner, m, at.middle_columns(size_, size_), b);
          fill(pull, [&](Index i, Index j) { return -pull(i, j); });
        },
        [&](Block<const T> time, Block<const T> at, Block<const T> weight) {
          typename Tape<T>::Inner inner = tape.inner();
          fill(seeds, [&](Index i, Index j) { return -weight(i, 0) * (j < size_ ? at(i, size_ + j) : b(i, 0)); });
          const Motion m = motion(tape.leaf(at.middle_columns(0, size_), unused), time, pass);
          back(inner, m, seeds.middle_columns(0, size_), seeds.middle_columns(size_, 1));
        });
    if (!v.wants(0)) return;
    const Block<T> gradient = v.gradient(0);
    fill(gradient, [&](Index i, Index j) { return gradient(i, j) + state(i, size_ + j); });
  }

  /// Moves every row of `state` from one time to another with `slope(time, at, out)`. For each stage of a step,
  /// `taken(time, at, weight)`: a row's weight in integrals along its curve, 0 if it rejected the step.
  template <class Slope, class Taken>
  void integrate(Tape<T>& tape, Block<T> state, double from, double to, Slope&& slope, Taken&& taken) const {
    const Index n = state.rows, width = state.columns;
    const Block<T> t = tape.block(n, 1), h = tape.block(n, 1), good = tape.block(n, 1), factor = tape.block(n, 1);
    const Block<T> time = tape.block(n, 1), weight = tape.block(n, 1), at = tape.block(n, width);
    Block<T> k[kStages];
    for (Block<T>& stage : k) stage = tape.block(n, width);
    fill(t, [&](Index, Index) { return static_cast<T>(from); });
    fill(h, [&](Index, Index) { return static_cast<T>((to - from) / 16); });
    const auto sum = [&](const double* weights, int stages, Index i, Index j) {
      double total = 0;
      for (int s = 0; s < stages; ++s) total += weights[s] * static_cast<double>(k[s](i, j));
      return static_cast<double>(h(i, 0)) * total;
    };
    const auto stand_at = [&](int s) {
      fill(time, [&](Index i, Index) { return t(i, 0) + static_cast<T>(kNodes[s]) * h(i, 0); });
      fill(at, [&](Index i, Index j) { return state(i, j) + static_cast<T>(sum(kWeights[s], s, i, j)); });
    };

    for (int attempts = 0; attempts < kMostSteps; ++attempts) {
      bool arrived = true;
      for (Index i = 0; i < n; ++i) {
        const T rest = static_cast<T>(to) - t(i, 0);
        if (!(std::abs(h(i, 0)) < std::abs(rest))) h(i, 0) = rest;
        arrived &= rest == 0;
      }
      if (arrived) return;
      ++attempted_steps;
      for (int s = 0; s < kStages; ++s) {
        stand_at(s);
        slope(time, at, k[s]);
      }
      for (Index i = 0; i < n; ++i) {
        double squares = 0;
        for (Index j = 0; j < width; ++j)
          squares += std::pow(sum(kError, kStages, i, j) / (tolerance_ * (1 + std::abs(state(i, j)))), 2);
        const double error = std::sqrt(squares / static_cast<double>(width));
        good(i, 0) = error > 1 ? T(0) : T(1);  // a NaN goes through, in its own row
        rejected_rows += error > 1;
        factor(i, 0) = static_cast<T>(std::clamp(0.9 * std::pow(error, -0.2), 0.2, 5.0));
      }
      for (int s = 0; s + 1 < kStages; ++s) {
        if (kWeights[kStages - 1][s] == 0) continue;
        stand_at(s);
        fill(weight, [&](Index i, Index) { return good(i, 0) * h(i, 0) * static_cast<T>(kWeights[kStages - 1][s]); });
        taken(time, at, weight);
      }
      stand_at(kStages - 1);
      fill(state, [&](Index i, Index j) { return good(i, 0) == 0 ? state(i, j) : at(i, j); });
      fill(t, [&](Index i, Index) {
        const bool last = h(i, 0) == static_cast<T>(to) - t(i, 0);
        return good(i, 0) == 0 ? t(i, 0) : last ? static_cast<T>(to) : t(i, 0) + h(i, 0);
      });
      fill(h, [&](Index i, Index) { return h(i, 0) * factor(i, 0); });
    }
    throw NumericalError(this->path() + ": the motion takes more than " + std::to_string(kMostSteps) + " steps");
  }

  static constexpr int kMostSteps = 100000;
  Index size_;
  double tolerance_;
  std::unique_ptr<Network<T>> network_;
};

constexpr Field kFields[] = {
    component("network", "network", "{mlp: {hidden: [16], activation: tanh}}", "the velocity, of x, t and the context"),
    real("tolerance", kOptional, "error of a step; 1e-5 in float32 and 1e-10 in float64, if left out").above(0)};
constexpr Example kExamples[] = {
    {"default", "witness_neural_ode: {network: {mlp: {hidden: [4], activation: tanh}}}", 2},
    {"conditional", "witness_neural_ode: {network: {mlp: {hidden: [3], activation: tanh}}}", 1, 2},
};
constexpr ComponentInfo kComponents[] = {
    describe<NeuralOde>("bijector", "witness_neural_ode", "A continuous flow", kFields, kExamples)};

}  // namespace

TEST_CASE("a continuous flow conforms") { check_component(kComponents); }

TEST_CASE("a linear velocity gives the solution in closed form") {
  const auto registry = load_plugins(kComponents);
  const auto map = make_runner("bijector", "witness_neural_ode: {network: {mlp: {hidden: []}}}", around(1), *registry);
  set_parameter(*map, "weight", {0.8, 0});  // dx/dt = 0.8 x + 0.5
  set_parameter(*map, "bias", {0.5});
  const Response r = run(*map, "forward", rows({{-1}, {0}, {2}}));
  const double grown = std::exp(0.8), pushed = 0.5 * (grown - 1) / 0.8;
  CHECK(distance(r.outputs[0], rows({{-grown + pushed}, {pushed}, {2 * grown + pushed}})) < 1e-10);
  CHECK(distance(r.outputs[1], Array(3, 1, 0.8)) < 1e-10);
}

TEST_CASE("steps are rejected where the motion is fast, and a row's neighbours do not matter") {
  const auto registry = load_plugins(kComponents);
  const auto map = make_runner("bijector", "witness_neural_ode", around(2), *registry);
  scatter_parameters(*map, 6);
  const Array x = scattered(20, 2);
  rejected_rows = 0;
  const Response all = run(*map, "forward", x);
  CHECK(rejected_rows > 0);
  const Index alone[] = {7};
  CHECK(distance(run(*map, "forward", x.select(alone)).outputs[0], all.outputs[0].select(alone)) < 1e-9);
}

TEST_CASE("memory does not grow with the number of steps") {
  const auto registry = load_plugins(kComponents);
  std::size_t memory[2];
  long steps[2];
  for (const int fine : {0, 1}) {
    Model<double> model =
        make_model<double>(*registry,
                           std::string("{base: normal, bijectors: [{witness_neural_ode: {tolerance: ") +
                               (fine ? "1e-12" : "1e-3") + "}}]}",
                           around(2));
    scatter(model, 2);
    Engine<double> engine(model, {.seed = 1});
    const Matrix<double> data = normal_rows<double>(64, 2, 2);
    std::vector<double> gradient(model.store.parameters.size());
    attempted_steps = 0;
    for (int i = 0; i < 3; ++i) engine.loss(0, rows_of(data), 0, model.store.parameters, gradient);
    steps[fine] = attempted_steps;
    memory[fine] = engine.memory();
  }
  CHECK(steps[1] > 5 * steps[0]);
  CHECK(memory[1] == memory[0]);
}

TEST_CASE("a continuous flow is trained on data, which are constants") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(
      *registry, "{base: normal, bijectors: [{witness_neural_ode: {network: {mlp: {hidden: [4], activation: tanh}}}}]}",
      around(2));
  scatter(model);
  Engine<double> engine(model, {.seed = 1});
  const Matrix<double> data = normal_rows<double>(32, 2, 2, 0.5, 1);
  CHECK(gradient_error(engine, rows_of(data)) < 1e-7);
  const double before = engine.loss(0, rows_of(data), 0, model.store.parameters, {});
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 0.05}");
  CHECK(train(engine, *adam, rows_of(data), 60).loss < before - 0.3);
}
