// The fused dense layer: every activation, with and without bias, against plain loops and its parts.
#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr Activation kActivations[] = {Activation::none,    Activation::relu,      Activation::tanh,
                                       Activation::sigmoid, Activation::silu,      Activation::softplus,
                                       Activation::elu,     Activation::leaky_relu};

double activate(Activation activation, double z) {
  switch (activation) {
    case Activation::none:
      return z;
    case Activation::relu:
      return std::max(z, 0.0);
    case Activation::tanh:
      return std::tanh(z);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::softplus:
      return std::log1p(std::exp(z));
    case Activation::elu:
      return z > 0 ? z : std::expm1(z);
    case Activation::leaky_relu:
      return z > 0 ? z : kLeakyReluSlope * z;
  }
  return NAN;
}
Var<double> activate(Activation activation, Var<double> z) {
  switch (activation) {
    case Activation::none:
      return z;
    case Activation::relu:
      return relu(z);
    case Activation::tanh:
      return tanh(z);
    case Activation::sigmoid:
      return sigmoid(z);
    case Activation::silu:
      return silu(z);
    case Activation::softplus:
      return softplus(z);
    case Activation::elu:
      return elu(z);
    case Activation::leaky_relu:
      return leaky_relu(z, kLeakyReluSlope);
  }
  return {};
}
Table layer(const Table& x, const Table& w, const Table* bias, Activation activation) {
  return Table::make(x.rows, w.columns, [&](Index i, Index j) {
    double z = bias ? (*bias)(0, j) : 0;
    for (Index k = 0; k < x.columns; ++k) z += x(i, k) * w(k, j);
    return activate(activation, z);
  });
}

}  // namespace

TEST_CASE("dense layers of every activation and size") {
  for (const Activation activation : kActivations)
    for (const Index rows : {1, 2, 17})
      for (const Index in : {1, 2, 7})
        for (const Index out : {1, 2, 5}) {
          CAPTURE(static_cast<int>(activation), rows, in, out);
          const Table x = Table::random(rows, in, 1), w = Table::random(in, out, 2, 0.5), b = Table::random(1, out, 3);
          OperationCheck(std::vector<Table>{x, w, b}, [=](auto&, auto v) {
            return dense(v[0], v[1], v[2], activation);
          }).everything(layer(x, w, &b, activation));
          if (rows != 17 || out != 5) continue;
          const OperationCheck without(std::vector<Table>{x, w},
                                       [=](auto&, auto v) { return dense(v[0], v[1], {}, activation); });
          without.everything(layer(x, w, nullptr, activation));
          without.nan_stays_in_its_row(0);
        }
}

TEST_CASE("a dense layer of no rows adds nothing") {
  for (const Activation activation : kActivations) {
    const Table x(0, 3), w = Table::random(3, 4, 2), b = Table::random(1, 4, 3);
    const OperationCheck check(std::vector<Table>{x, w, b},
                               [=](auto&, auto v) { return dense(v[0], v[1], v[2], activation); });
    check.values(Table(0, 4));
    check.gradients();
  }
}

TEST_CASE("a large dense layer equals its parts") {
  const Table x = Table::random(131, 70, 1), w = Table::random(70, 65, 2, 0.1), b = Table::random(1, 65, 3);
  const Table g = Table::random(131, 65, 4);
  for (const Activation activation : kActivations) {
    CAPTURE(static_cast<int>(activation));
    const auto run = [&](auto&& layer_of) {
      Tape<double> tape;
      Stored<double> sx(x), sw(w, Layout::compact), sb(b), seed(g);
      const Var<double> leaves[] = {tape.leaf(sx.block()), tape.leaf(sw.block()), tape.leaf(sb.block())};
      const Var<double> y = layer_of(leaves[0], leaves[1], leaves[2]);
      tape.backward(y, seed.block());
      std::vector<Table> results = {Table::of(y.value())};
      for (const Var<double>& leaf : leaves) results.push_back(Table::of(tape.adjoint(leaf)));
      return results;
    };
    using V = Var<double>;
    const auto fused = run([&](V vx, V vw, V vb) { return dense(vx, vw, vb, activation); });
    const auto parts = run([&](V vx, V vw, V vb) { return activate(activation, matmul(vx, vw) + vb); });
    for (std::size_t k = 0; k < 4; ++k) CHECK(largest_difference(fused[k], parts[k]) < 1e-12);
    CHECK(largest_difference(fused[0], layer(x, w, &b, activation)) < 1e-13);
  }
}

TEST_CASE("constant data and frozen weights get no gradient") {
  Tape<float> tape;
  Stored<float> x(Table::random(17, 3, 1)), w(Table::random(3, 2, 2)), b(Table::random(1, 2, 3)), g(Table(1, 2));
  const Var<float> y =
      dense(tape.constant(x.block()), tape.constant(w.block()), tape.leaf(b.block(), g.block()), Activation::tanh);
  CHECK(tape.operations() == 1);
  tape.backward(y);
  double expected = 0;
  for (Index i = 0; i < 17; ++i)
    expected += 1 - static_cast<double>(y.value()(i, 1)) * static_cast<double>(y.value()(i, 1));
  CHECK(static_cast<double>(g.block()(0, 1)) == Approx(expected));
  CHECK_FALSE(dense(tape.constant(x.block()), tape.constant(w.block()), {}, Activation::silu).active());
  CHECK(tape.operations() == 1);
}

TEST_CASE("layers that do not fit are refused") {
  Tape<float> tape;
  const Var<float> x = tape.full(17, 3, 1), w = tape.full(4, 2, 1), fits = tape.full(3, 2, 1), b = tape.full(1, 3, 1);
  CHECK(shape_error_of([&] { dense(x, w, {}, Activation::none); }) ==
        "dense: 17 x 3 and 4 x 2: x's columns must equal w's rows");
  CHECK(shape_error_of([&] { dense(x, fits, b, Activation::none); }) ==
        "dense: 3 x 2 and 1 x 3: the bias must be one row of w's columns");
}
