// Elementary functions against the C library, over the ranges of their arguments.
#include <numbers>

#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

using Plain = double (*)(double);

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
double softplus_of(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

/// Smooth points: none near zero, where some functions bend.
Table smooth(Index rows, Index columns, bool positive, double scale) {
  return Table::make(rows, columns, [&](Index i, Index j) {
    const double x = 0.4 + scale * static_cast<double>((7 * i + 5 * j) % 23) / 23;
    return positive || (i + j) % 2 ? x : -x;
  });
}

template <class F>
void check(const F& f, Plain plain, bool positive = false, double scale = 3) {
  const auto apply = [&f](auto&, auto x) { return f(x[0]); };
  for (const Index rows : {1, 17, 32}) {
    CAPTURE(rows);
    const Table x = smooth(rows, 3, positive, scale);
    Table expected = x;
    for (double& v : expected.numbers) v = plain(v);
    OperationCheck(std::vector<Table>{x}, apply).everything(expected);
  }
  const Table none(0, 3), row = smooth(33, 2, positive, scale);
  OperationCheck(std::vector<Table>{none}, apply).values(none);
  OperationCheck(std::vector<Table>{none}, apply).gradients();
  OperationCheck(std::vector<Table>{row}, apply).nan_stays_in_its_row(0);
}

/// The result of an operation for one number, and the derivative.
template <class T, class F>
std::pair<T, T> at(T x, const F& f) {
  Tape<T> tape;
  const Var<T> leaf = tape.leaf(compact<const T>(&x, 1, 1));
  const Var<T> y = f(leaf);
  if (y.active()) tape.backward(y);
  return {*y.value().data, *tape.adjoint(leaf).data};
}

}  // namespace

TEST_CASE("exponentials and logarithms") {
  SECTION("negate") {
    check([](auto x) { return -x; }, [](double x) { return -x; });
  }
  SECTION("exp") {
    check([](auto x) { return exp(x); }, std::exp);
  }
  SECTION("log") {
    check([](auto x) { return log(x); }, std::log, true);
  }
  SECTION("log1p") {
    check([](auto x) { return log1p(x); }, std::log1p, true);
  }
  SECTION("expm1") {
    check([](auto x) { return expm1(x); }, std::expm1);
  }
}

TEST_CASE("activations") {
  SECTION("tanh") {
    check([](auto x) { return tanh(x); }, std::tanh);
  }
  SECTION("sigmoid") {
    check([](auto x) { return sigmoid(x); }, sigmoid_of);
  }
  SECTION("softplus") {
    check([](auto x) { return softplus(x); }, softplus_of);
  }
  SECTION("log_sigmoid") {
    check([](auto x) { return log_sigmoid(x); }, [](double x) { return -softplus_of(-x); });
  }
  SECTION("relu") {
    check([](auto x) { return relu(x); }, [](double x) { return std::max(x, 0.0); });
  }
  SECTION("silu") {
    check([](auto x) { return silu(x); }, [](double x) { return x * sigmoid_of(x); });
  }
  SECTION("elu") {
    check([](auto x) { return elu(x); }, [](double x) { return x > 0 ? x : std::expm1(x); });
  }
  SECTION("leaky_relu") {
    check([](auto x) { return leaky_relu(x, 0.2f); }, [](double x) { return x > 0 ? x : double{0.2f} * x; });
  }
}

TEST_CASE("powers") {
  SECTION("sqrt") {
    check([](auto x) { return sqrt(x); }, std::sqrt, true);
  }
  SECTION("square") {
    check([](auto x) { return square(x); }, [](double x) { return x * x; });
  }
  SECTION("reciprocal") {
    check([](auto x) { return reciprocal(x); }, [](double x) { return 1 / x; }, true);
  }
  SECTION("abs") {
    check([](auto x) { return abs(x); }, [](double x) { return std::abs(x); });
  }
  SECTION("first") {
    check([](auto x) { return power(x, 1); }, [](double x) { return x; });
  }
  SECTION("second") {
    check([](auto x) { return power(x, 2); }, [](double x) { return x * x; });
  }
  SECTION("third") {
    check([](auto x) { return power(x, 3); }, [](double x) { return x * x * x; });
  }
  SECTION("half") {
    check([](auto x) { return power(x, 0.5f); }, std::sqrt, true);
  }
  SECTION("any") {
    check([](auto x) { return power(x, -1.75f); }, [](double x) { return std::pow(x, -1.75); }, true);
  }
  SECTION("none") {
    check([](auto x) { return power(x, 0); }, [](double) { return 1.0; });
  }
}

TEST_CASE("trigonometric and hyperbolic functions") {
  SECTION("sin") {
    check([](auto x) { return sin(x); }, std::sin, false, 6);
  }
  SECTION("cos") {
    check([](auto x) { return cos(x); }, std::cos, false, 6);
  }
  SECTION("sinh") {
    check([](auto x) { return sinh(x); }, std::sinh);
  }
  SECTION("cosh") {
    check([](auto x) { return cosh(x); }, std::cosh);
  }
  SECTION("asinh") {
    check([](auto x) { return asinh(x); }, std::asinh);
  }
  SECTION("atan") {
    check([](auto x) { return atan(x); }, std::atan);
  }
  SECTION("erf") {
    check([](auto x) { return erf(x); }, std::erf);
  }
}

TEST_CASE("the sign has no derivative") {
  for (const double x : {-2.5, 0.0, 3.0}) {
    const auto [value, derivative] = at(x, [](auto v) { return sign(v); });
    CHECK(value == (x > 0) - (x < 0));
    CHECK(derivative == 0);
  }
  CHECK(std::isnan(at(double{NAN}, [](auto v) { return sign(v); }).first));
}

TEST_CASE("kinks have the derivative of their left side, leaky_relu's of its slope") {
  CHECK(at(0.0, [](auto x) { return relu(x); }).second == 0);
  CHECK(at(0.0, [](auto x) { return abs(x); }).second == 0);
  CHECK(at(0.0, [](auto x) { return elu(x); }).second == 1);
  CHECK(at(0.0, [](auto x) { return leaky_relu(x, 0.1); }).second == 0.1);
}

TEST_CASE("a steep leaky_relu is still the larger of x and slope times x") {
  CHECK(at(2.0, [](auto x) { return leaky_relu(x, 3.0); }) == std::pair(6.0, 3.0));
  CHECK(at(-2.0, [](auto x) { return leaky_relu(x, 3.0); }) == std::pair(-2.0, 1.0));
}

TEST_CASE("far out, values and derivatives are finite or their limits") {
  const float large = 100;
  CHECK(at(large, [](auto x) { return softplus(x); }) == std::pair(large, 1.0f));
  CHECK(at(-large, [](auto x) { return softplus(x); }).first > 0);  // exp(-100) is subnormal
  CHECK(at(-large, [](auto x) { return log_sigmoid(x); }) == std::pair(-large, 1.0f));
  CHECK(at(large, [](auto x) { return sigmoid(x); }) == std::pair(1.0f, 0.0f));
  CHECK(at(large, [](auto x) { return tanh(x); }) == std::pair(1.0f, 0.0f));
  CHECK(at(-large, [](auto x) { return elu(x); }) == std::pair(-1.0f, 0.0f));
  CHECK(at(1000.0f, [](auto x) { return exp(x); }).first == INFINITY);
  CHECK(at(0.0f, [](auto x) { return log(x); }).first == -INFINITY);
  CHECK(std::isnan(at(-1.0f, [](auto x) { return log(x); }).first));
  CHECK(at(1e6, [](auto x) { return asinh(x); }).second == Approx(1e-6));
  CHECK(at(0.0, [](auto x) { return power(x, 1.5); }) == std::pair(0.0, 0.0));
}

TEST_CASE("padding does not choose how a sine is computed") {
  // Columns side by side, the padding of one holding numbers for which the argument is reduced in another way.
  for (const float padding : {0.0f, 1e4f, 1e20f, NAN}) {
    CAPTURE(padding);
    Stored<float> memory(Table::random(17, 2, 1, 20));
    for (Index j = 0; j < 2; ++j)
      for (Index i = 17; i < 32; ++i) memory.block().column(j)[i] = padding;
    Stored<float> alone(Table::of(memory.block()), Layout::compact);
    Tape<float> tape;
    const Var<float> x = tape.leaf(memory.block()), y = tape.leaf(alone.block());
    CHECK(largest_difference(Table::of(sin(x).value()), Table::of(sin(y).value())) == 0);
    CHECK(largest_difference(Table::of(cos(x).value()), Table::of(cos(y).value())) == 0);
  }
}
