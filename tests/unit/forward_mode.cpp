// Forward mode on the tape: what it follows, what it refuses, and that it nests.
#include <catch2/catch.hpp>
#include <vector>

#include "pushforward/operations.h"

using namespace pushforward;  // NOLINT

namespace {

Var<double> ones(Tape<double>& tape, const Var<double>& like) { return tape.full(like.rows(), like.columns(), 1.0); }

double number(const Var<double>& v) { return v.value()(0, 0); }

/// y = x^3 as a primitive whose forward rule differentiates something that it records itself.
Var<double> cube(Var<double> x) {
  const Var<double> y = x.tape().make(x.rows(), x.columns());
  const double v = number(x);
  y.data()(0, 0) = v * v * v;
  x.tape().primitive(
      "cube", {x}, {y}, [](Vjp<double>&) {},
      [](Jvp<double>& j) {
        const Tape<double>::Probe probe(j.tape());
        const Var<double> again = probe(j.tape().constant(j.input(0).value()));
        j.set(0, j.tape().tangent(power(again, 3), again, j.tangent(0)));
      });
  return y;
}

}  // namespace

TEST_CASE("a tangent follows what lies between its input and its output, and nothing else") {
  Tape<double> tape;
  const double at[] = {0.7};
  const Var<double> w = tape.leaf(compact(at, 1, 1));
  const Var<double> before = square(w), x = sin(before);
  const Var<double> y = exp(x);
  const Var<double> after = log(y);  // no part of it
  const std::size_t recorded = tape.operations();
  const Var<double> slope = tape.tangent(y, x, ones(tape, x));
  CHECK(number(slope) == Approx(number(y)));
  CHECK(tape.operations() == recorded + 1);
  CHECK(!tape.tangent(before, x, ones(tape, x)));
  CHECK(number(tape.tangent(after, w, ones(tape, w))) == Approx(2 * 0.7 * std::cos(0.49)));
}

TEST_CASE("tangents of tangents, and the gradient through them") {
  Tape<double> tape;
  const double at[] = {0.7};
  double gradient[] = {0};
  const Var<double> x = tape.leaf(compact(at, 1, 1), compact(gradient, 1, 1));
  const Var<double> y = sin(x) * square(x), e = ones(tape, x);
  const Var<double> second = tape.tangent(tape.tangent(y, x, e), x, e);
  const double s = std::sin(0.7), c = std::cos(0.7);
  CHECK(number(second) == Approx(2 * s + 4 * 0.7 * c - 0.49 * s));
  tape.backward(second);
  CHECK(gradient[0] == Approx(6 * c - 6 * 0.7 * s - 0.49 * c));
}

TEST_CASE("a forward rule may ask for tangents itself") {
  Tape<double> tape;
  const double at[] = {1.5};
  const Var<double> x = tape.leaf(compact(at, 1, 1));
  const Var<double> y = cube(sin(x)) + square(x);
  CHECK(number(tape.tangent(y, x, ones(tape, x))) == Approx(3 * std::pow(std::sin(1.5), 2) * std::cos(1.5) + 2 * 1.5));
}

TEST_CASE("an input of a tangent must be active") {
  Tape<double> tape;
  const double at[] = {1.5};
  const Var<double> x = tape.constant(compact(at, 1, 1));
  const Var<double> y = square(x);
  CHECK_THROWS_AS(tape.tangent(y, x, ones(tape, x)), std::logic_error);
}

TEST_CASE("a probe makes tangents possible in an evaluation that records nothing") {
  const double at[] = {1.5};
  double slopes[2] = {0, 0};
  for (const bool recording : {false, true}) {
    Tape<double> tape(recording);
    const Var<double> data = tape.constant(compact(at, 1, 1));
    {
      const Tape<double>::Probe probe(tape);
      const Var<double> x = probe(data);
      slopes[recording] = number(tape.tangent(sin(x), x, ones(tape, x)));
    }
    CHECK(tape.recording() == recording);
  }
  CHECK(slopes[0] == std::cos(1.5));
  CHECK(slopes[1] == slopes[0]);
}
