// Witness: a transformer that owns a network, f(x; theta) = offset + the integral of a positive network from 0 to x.
//
// It is the hardest consumer of Transformer: a scalar map that no kernel's formula can hold, with parameters of its own
// beside the theta that a conditioner gives, and an inverse by root finding. Implicit gradients of the inverse need no
// rule of their own: a last Newton step is recorded, from a root that is a constant.
//
// Wehenkel and Louppe, "Unconstrained monotonic neural networks", 2019.
#include <numbers>

#include "pushforward/operations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

struct Knot {
  double place, weight;
};
/// Gauss and Legendre's rule on [0, 1].
std::vector<Knot> quadrature(int n) {
  std::vector<Knot> nodes;
  for (int i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5)), slope = 1;
    for (int newton = 0; newton < 20; ++newton) {
      double before = 1, p = x;  // Legendre polynomials of degree k - 1 and k
      for (int k = 2; k <= n; ++k) before = std::exchange(p, ((2 * k - 1) * x * p - (k - 1) * before) / k);
      slope = n * (x * p - before) / (x * x - 1);
      x -= p / slope;
    }
    nodes.push_back({(1 + x) / 2, 1 / ((1 - x * x) * slope * slope)});
  }
  return nodes;
}

template <class T>
class MonotoneNetwork final : public Transformer<T> {
 public:
  explicit MonotoneNetwork(Build<T>& build)
      : embedding_(build.integer("embedding")),
        nodes_(quadrature(static_cast<int>(build.integer("nodes")))),
        network_(build.network("network", {1 + embedding_, 1, 0, {std::log(std::expm1(1 - kLeastSlope))}, {}, {}})) {}

  /// The offset, then what the network sees beside x.
  Index parameters() const override { return 1 + embedding_; }
  void identity(std::span<T> theta) const override { std::fill(theta.begin(), theta.end(), T(0)); }

  Mapped<T> evaluate(Var<T> x, const Theta<T>& theta, const Pass<T>& pass) const override {
    const Image m = image(x, theta.values, pass);
    return {m.value, row_sum(log(m.slope))};
  }

  Mapped<T> invert(Var<T> y, const Theta<T>& theta, const Pass<T>& pass) const override {
    const Var<T> root = pass.tape.make(y.rows(), y.columns());
    find(y.value(), theta.values, pass.without_gradient(), root.data());
    const Image m = image(root, theta.values, pass);
    const Var<T> x = root - (m.value - y) / stop_gradient(m.slope);
    return {x, -row_sum(log(image(x, theta.values, pass).slope))};
  }

  Traits traits() const override {
    Traits t;
    t.elementwise = t.increasing = t.triangular = true;
    t.forward = Cost::one_pass;
    t.inverse = Cost::iterative;
    t.tolerance = 1e3 * std::numeric_limits<T>::epsilon();
    return t;
  }

 private:
  struct Image {
    Var<T> value, slope;  // both N x d
  };
  Image image(Var<T> x, Var<T> theta, const Pass<T>& pass) const {
    require_columns("monotone_network: theta", theta.columns(), x.columns() * parameters());
    const typename Tape<T>::Probe probe(pass.tape);
    const auto size = static_cast<std::size_t>(x.columns());
    const std::span<Var<T>> values(pass.tape.template scratch<Var<T>>(x.columns()), size);
    const std::span<Var<T>> slopes(pass.tape.template scratch<Var<T>>(x.columns()), size);
    for (Index j = 0; j < x.columns(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      const Var<T> at = probe(columns(x, j, 1)), own = columns(theta, j * parameters(), parameters());
      const Var<T> all = own.rows() == x.rows() ? own : repeat_rows(own, x.rows());
      Var<T> mean = pass.tape.full(x.rows(), 1, static_cast<T>(kLeastSlope));
      for (const Knot& knot : nodes_) {
        const Var<T> seen = concatenate({static_cast<T>(knot.place) * at, columns(all, 1, embedding_)});
        mean = mean + static_cast<T>(knot.weight) * softplus((*network_)(seen, pass));
      }
      values[k] = columns(all, 0, 1) + at * mean;
      slopes[k] = pass.tape.tangent(values[k], at, pass.tape.full(x.rows(), 1, T(1)));
    }
    return {concatenate<T>(values), concatenate<T>(slopes)};
  }

  /// Newton's method inside a bracket that bisects where it would leave it. Every element stops on its own, so that it
  /// does not depend on others; a NaN stays in its place.
  void find(Block<const T> y, Var<T> theta, const Pass<T>& pass, Block<T> x) const {
    const Block<T> low = pass.tape.full(y.rows, y.columns, -std::numeric_limits<T>::infinity()).data();
    const Block<T> high = pass.tape.full(y.rows, y.columns, std::numeric_limits<T>::infinity()).data();
    const Block<T> done = pass.tape.full(y.rows, y.columns, T(0)).data();
    for (Index j = 0; j < y.columns; ++j) std::copy_n(y.column(j), y.rows, x.column(j));
    bool found = false;
    for (int iteration = 0; iteration < 200 && !found; ++iteration) {
      const typename Tape<T>::Inner inner = pass.tape.inner();
      const Image m = image(pass.tape.constant(x), stop_gradient(theta), pass);
      found = true;
      for (Index j = 0; j < y.columns; ++j)
        for (Index i = 0; i < y.rows; ++i) {
          if (done(i, j) != 0) continue;
          const T excess = m.value.value()(i, j) - y(i, j), before = x(i, j);
          (excess > 0 ? high : low)(i, j) = before;
          T next = before - excess / m.slope.value()(i, j);
          if (next <= low(i, j) || next >= high(i, j)) next = low(i, j) + (high(i, j) - low(i, j)) / 2;
          const bool stays = excess == 0 || !std::isfinite(next);
          if (!stays) x(i, j) = next;
          done(i, j) = stays || std::abs(next - before) <= 4 * std::numeric_limits<T>::epsilon() * (1 + std::abs(next));
          found &= done(i, j) != 0;
        }
    }
  }

  static constexpr double kLeastSlope = 0.1;
  Index embedding_;
  std::vector<Knot> nodes_;
  std::unique_ptr<Network<T>> network_;
};

constexpr Field kFields[] = {
    component("network", "network", "{mlp: {hidden: [8], activation: tanh}}", "its softplus is the slope, above 0.1"),
    integer("embedding", "2", "numbers of theta that the network sees beside x").at_least(1),
    integer("nodes", "20", "of the quadrature").at_least(1),
};
constexpr Example kExamples[] = {
    {"default", "witness_monotone", 2},
    {"small", "witness_monotone: {network: {mlp: {hidden: [4], activation: tanh}}, embedding: 1, nodes: 16}", 1},
};
constexpr ComponentInfo kComponents[] = {describe<MonotoneNetwork>(
    "transformer", "witness_monotone", "The integral of a positive network", kFields, kExamples)};

}  // namespace

TEST_CASE("a transformer that owns a network conforms") { check_component(kComponents); }

TEST_CASE("the quadrature is exact for polynomials of degree 2 n - 1") {
  for (const int n : {1, 2, 5, 20})
    for (int degree = 0; degree < 2 * n; ++degree) {
      double sum = 0;
      for (const Knot& node : quadrature(n)) sum += node.weight * std::pow(node.place, degree);
      CHECK(sum == Approx(1.0 / (degree + 1)).epsilon(1e-13));
    }
}

TEST_CASE("under every conditioner its network is shared and theta is the conditioner's") {
  const auto registry = load_plugins(kComponents);
  const auto constants = make_runner("bijector", "elementwise: {transformer: witness_monotone}", around(3), *registry);
  CHECK(parameter(*constants, "theta").handle.columns == 9);
  CHECK(parameter(*constants, "layers[0].weight").handle.rows == 3);
  CHECK(parameter_paths(*constants).size() == 5);
  const auto coupled = make_runner(
      "bijector", "coupling: {transformer: witness_monotone, network: {mlp: {hidden: [5], activation: tanh}}}",
      around(4, 2), *registry);
  const Array x = scattered(40, 4), context = scattered(40, 2, 3);
  CHECK(distance(run(*coupled, "inverse", x, context).outputs[0], x) < 1e-12);  // it starts as the identity
  scatter_parameters(*coupled, 0.8);
  const Response there = run(*coupled, "forward", x, context);
  const Response back = run(*coupled, "inverse", there.outputs[0], context);
  CHECK(distance(back.outputs[0], x) < 1e-11);
  for (Index i = 0; i < 40; ++i) CHECK(there.outputs[1](i, 0) == Approx(-back.outputs[1](i, 0)).margin(1e-11));
}

TEST_CASE("a flow of it learns what an affine map cannot: two peaks") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(
      *registry, "{base: normal, bijectors: [{elementwise: {transformer: witness_monotone, maps: data_to_base}}]}",
      around(1));
  Engine<double> engine(model, {.seed = 1});
  Matrix<double> data = normal_rows<double>(400, 1, 2, 0.3);
  for (Index i = 0; i < 400; ++i) data(i, 0) += i % 2 ? 1 : -1;
  const auto adam = make_plain<Optimizer<double>>(*registry, "adam: {learning_rate: 0.03}");
  const double loss = train(engine, *adam, rows_of(data), 300).loss;
  // A normal distribution of this variance has 1.46 nats, the two peaks have 0.90.
  CHECK(loss < 1.05);
}
