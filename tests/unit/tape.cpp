// The tape: recording, views, gradients that are added, inner segments, tangents of any order, memory.
#include "pushforward/tape.h"

#include "pushforward/pass.h"
#include "support/allocations.h"
#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

using V = Var<double>;

/// y = x^3 elementwise, recorded by hand.
template <class J>
V cube(V x, J jvp) {
  const V y = x.tape().make(x.rows(), x.columns());
  for (Index j = 0; j < x.columns(); ++j)
    for (Index i = 0; i < x.rows(); ++i) y.data()(i, j) = std::pow(x.value()(i, j), 3);
  x.tape().primitive(
      "cube", {x}, {y},
      [](Vjp<double>& v) {
        const Block<double> g = v.gradient(0);
        for (Index j = 0; j < g.columns; ++j)
          for (Index i = 0; i < g.rows; ++i) g(i, j) += 3 * v.value(0)(i, j) * v.value(0)(i, j) * v.adjoint(0)(i, j);
      },
      jvp);
  return y;
}

/// sin(x), whose vjp is found by recording x -> sin(x) anew and reversing that.
V recomputed_sine(V x, V weight) {
  Tape<double>& tape = x.tape();
  const V y = tape.make(x.rows(), x.columns());
  for (Index j = 0; j < x.columns(); ++j)
    for (Index i = 0; i < x.rows(); ++i) y.data()(i, j) = std::sin(x.value()(i, j) * *weight.value().data);
  tape.primitive(
      "recomputed_sine", {x, weight}, {y},
      [](Vjp<double>& v) {
        auto inner = v.tape().inner();
        inner.backward(sin(v.input(0) * v.input(1)), v.adjoint(0));
      },
      no_tangent);
  return y;
}

Table number(double x) { return Table(1, 1, x); }
double value_of(V v) { return *v.value().data; }

}  // namespace

// --- recording -------------------------------------------------------------------------------------------------------

TEST_CASE("nothing is recorded while recording is off, or from constants") {
  Stored<double> memory(Table::random(17, 2, 1));
  Tape<double> tape(false);
  const V x = tape.leaf(memory.block());
  const V y = exp(x) * 2.0;
  CHECK(tape.operations() == 0);
  CHECK_FALSE(y.active());
  tape.set_recording(true);
  CHECK_FALSE((exp(tape.constant(memory.block())) * 2.0).active());
  CHECK(tape.operations() == 0);
  const V z = exp(x) * 2.0;
  CHECK(tape.operations() == 2);
  CHECK(z.active());
  CHECK(largest_difference(Table::of(y.value()), Table::of(z.value())) == 0);
}

TEST_CASE("blocks lie as the toolkit says") {
  Tape<float> tape;
  for (const Index rows : {0, 1, 16, 17}) {
    const Block<const float> b = tape.make(rows, 3).value();
    CHECK(b.stride == (rows == 1 ? 1 : round_up(rows, kPadding)));
    CHECK(reinterpret_cast<std::uintptr_t>(b.data) % 64 == 0);
  }
}

TEST_CASE("an output belongs to one operation and comes from make") {
  Tape<double> tape;
  Stored<double> memory(Table::random(3, 2, 1));
  const V x = tape.leaf(memory.block()), y = tape.make(3, 2);
  const auto nothing = [](Vjp<double>&) {};
  tape.primitive("first", {x}, {y}, nothing, no_tangent);
  CHECK_THROWS_AS(tape.primitive("second", {x}, {y}, nothing, no_tangent), std::logic_error);
  CHECK_THROWS_AS(tape.primitive("third", {x}, {tape.view(tape.make(3, 3), 0, 1)}, nothing, no_tangent),
                  std::logic_error);
}

// --- reverse mode ----------------------------------------------------------------------------------------------------

TEST_CASE("gradients are added to the caller's memory and to no other") {
  Stored<double> x(Table(17, 2, 3)), g(Table(17, 2, 100));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block(), g.block());
  const V y = leaf * leaf;
  tape.backward(y);
  CHECK(g.block()(4, 1) == 106);
  tape.backward(y);
  CHECK(g.block()(16, 0) == 112);
  CHECK(g.intact());
}

TEST_CASE("two leaves may share one adjoint") {
  Stored<double> x(number(3)), g(number(0));
  Tape<double> tape;
  tape.backward(tape.leaf(x.block(), g.block()) * tape.leaf(x.block(), g.block()));
  CHECK(g.block()(0, 0) == 6);
}

TEST_CASE("adjoints of other leaves start anew with every backward") {
  Stored<double> x(number(3)), other(number(4));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), unused = tape.leaf(other.block());
  const V y = leaf * leaf;
  for (int k = 0; k < 3; ++k) {
    tape.backward(y);
    CHECK(*tape.adjoint(leaf).data == 6);
    CHECK(*tape.adjoint(unused).data == 0);
  }
}

TEST_CASE("several seeds add up, and those of constants are skipped") {
  Stored<double> x(Table(17, 3, 2)), seed(Table(17, 1, 5));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block());
  const V y = leaf * leaf;
  const Tape<double>::Seed seeds[] = {{columns(y, 1, 1), seed.block()}, {y, {}}, {tape.constant(1.0), {}}, {y, {}}};
  tape.backward(seeds);
  const Table g = Table::of(tape.adjoint(leaf));
  CHECK(g(3, 0) == 4 * 2);
  CHECK(g(3, 1) == 4 * (2 + 5));
  CHECK(shape_error_of([&] { tape.backward(y, seed.block()); }) ==
        "backward: a seed of 17 x 1 for an output of 17 x 3");
}

TEST_CASE("views share value and adjoint") {
  Stored<double> x(Table::random(17, 6, 1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block());
  const V middle = columns(leaf, 1, 4), inside = columns(middle, 1, 2);
  CHECK(inside.value().data == leaf.value().column(2));
  tape.backward(inside * 2.0 + columns(middle, 2, 2));
  const Table g = Table::of(tape.adjoint(leaf));
  for (Index i = 0; i < 17; ++i)
    CHECK(std::vector<double>{g(i, 0), g(i, 1), g(i, 2), g(i, 3), g(i, 4), g(i, 5)} ==
          std::vector<double>{0, 0, 2, 3, 1, 0});
  CHECK(Table::of(tape.adjoint(inside)).columns == 2);
}

TEST_CASE("a vjp may use its cotangent as scratch, and adjoints' memory serves again") {
  // A chain of different widths; each adjoint is dropped as soon as it was used.
  Stored<double> x(Table::random(17, 2, 1));
  const auto run = [&](Tape<double>& tape) {
    V y = tape.leaf(x.block());
    const V leaf = y;
    for (int k = 0; k < 20; ++k) y = tanh(concatenate({y, columns(y, 0, 1)}) + 0.1);
    for (int k = 0; k < 200; ++k) y = y * 1.01;
    tape.backward(y);
    return Table::of(tape.adjoint(leaf));
  };
  Tape<double> tape;
  const Table first = run(tape);
  tape.reset();
  CHECK(largest_difference(run(tape), first) == 0);
  for (const double v : first.numbers) CHECK(std::isfinite(v));
}

// --- inner segments --------------------------------------------------------------------------------------------------

TEST_CASE("a vjp may record and reverse a segment of its own") {
  Stored<double> x(Table::random(17, 2, 1)), w(number(0.7)), gx(Table(17, 2, 10)), gw(number(20));
  Tape<double> tape, plain;
  // What stands before and after makes adjoints come and go around the segment.
  const auto run = [&](Tape<double>& t, auto&& sine, Stored<double>& g, Stored<double>& h) {
    const V leaf = t.leaf(x.block(), g.block()), weight = t.leaf(w.block(), h.block());
    const V before = leaf * leaf + leaf;
    return exp(sine(before, weight)) * leaf + sine(before, weight) * before;
  };
  Stored<double> px(Table(17, 2, 10)), pw(number(20));
  const V y = run(tape, recomputed_sine, gx, gw);
  const V z = run(
      plain, [](V v, V weight) { return sin(v * weight); }, px, pw);
  const std::size_t operations = tape.operations();
  tape.backward(y);
  plain.backward(z);
  CHECK(largest_difference(Table::of(gx.block()), Table::of(px.block())) < 1e-14);
  CHECK(largest_difference(Table::of(gw.block()), Table::of(pw.block())) < 1e-14);
  CHECK(tape.operations() == operations);
  CHECK(tape.recording());
}

TEST_CASE("inner segments nest") {
  // The segment's own vjp records a segment.
  Stored<double> x(Table::random(17, 1, 1)), one(number(1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block());
  const V y = tape.make(17, 1);
  for (Index i = 0; i < 17; ++i) y.data()(i, 0) = std::sin(2 * std::sin(x.block()(i, 0)));
  const V weight = tape.constant(one.block());
  tape.primitive(
      "twice", {leaf}, {y},
      [weight](Vjp<double>& v) {
        auto inner = v.tape().inner();
        inner.backward(recomputed_sine(recomputed_sine(v.input(0), weight) * 2.0, weight), v.adjoint(0));
      },
      no_tangent);
  tape.backward(y);
  for (Index i = 0; i < 17; ++i) {
    const double at = x.block()(i, 0);
    CHECK(tape.adjoint(leaf)(i, 0) == Approx(std::cos(2 * std::sin(at)) * 2 * std::cos(at)));
  }
}

TEST_CASE("a segment's own leaves: adjoints in the tape's memory or in the caller's") {
  // The vjp of x -> w x^2 by hand, with the gradient of a copy of x read from the segment.
  Stored<double> x(Table::random(17, 3, 1)), w(number(2)), gw(number(0));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), weight = tape.leaf(w.block(), gw.block());
  const V y = tape.make(17, 3);
  tape.primitive(
      "square_by_parts", {leaf, weight}, {y},
      [](Vjp<double>& v) {
        auto inner = v.tape().inner();
        const V copy = v.tape().leaf(v.value(0));
        const V second = v.tape().leaf(v.value(0), v.gradient(0));
        inner.backward(copy * second * v.input(1), v.adjoint(0));
        const Block<const double> g = v.tape().adjoint(copy);
        const Block<double> target = v.gradient(0);
        for (Index j = 0; j < g.columns; ++j)
          for (Index i = 0; i < g.rows; ++i) target(i, j) += g(i, j);
      },
      no_tangent);
  tape.backward(y);
  double sum = 0;
  for (Index j = 0; j < 3; ++j)
    for (Index i = 0; i < 17; ++i) {
      CHECK(tape.adjoint(leaf)(i, j) == Approx(4 * x.block()(i, j)));
      sum += x.block()(i, j) * x.block()(i, j);
    }
  CHECK(gw.block()(0, 0) == Approx(sum));
}

TEST_CASE("parameters read inside a segment get their gradient through the pass") {
  std::vector<double> parameters(16, 0.0), gradient(16, 0.0);
  parameters[0] = 1.5;
  const Parameter p{.offset = 0, .rows = 1, .columns = 1};
  Tape<double> tape;
  const Pass<double> pass{.tape = tape,
                          .values = {.parameters = parameters.data()},
                          .context = {},
                          .stream = {},
                          .sinks = {.gradient = gradient.data()}};
  Stored<double> x(Table::random(17, 1, 1));
  const V leaf = tape.leaf(x.block()), outside = pass(p), y = tape.make(17, 1);
  for (Index i = 0; i < 17; ++i) y.data()(i, 0) = 1.5 * x.block()(i, 0);
  const Pass<double>* kept = &pass;
  tape.primitive(
      "by_parameter", {leaf, outside}, {y},
      [kept, p](Vjp<double>& v) {
        auto inner = v.tape().inner();
        inner.backward(v.input(0) * (*kept)(p), v.adjoint(0));
      },
      no_tangent);
  tape.backward(y * outside);
  double sum = 0;
  for (Index i = 0; i < 17; ++i) {
    CHECK(tape.adjoint(leaf)(i, 0) == Approx(1.5 * 1.5));
    sum += x.block()(i, 0);
  }
  CHECK(gradient[0] == Approx(2 * 1.5 * sum));
}

TEST_CASE("a thousand segments need the memory of one") {
  Stored<double> x(Table::random(64, 32, 1));
  const auto capacity = [&](int segments) {
    Tape<double> tape;
    const V leaf = tape.leaf(x.block()), y = tape.make(64, 32);
    std::fill_n(y.data().data, 64 * 32, 0.0);
    tape.primitive(
        "segments", {leaf}, {y},
        [segments](Vjp<double>& v) {
          const Block<double> g = v.gradient(0);
          for (int k = 0; k < segments; ++k) {
            auto inner = v.tape().inner();
            const V copy = v.tape().leaf(v.value(0));
            inner.backward(tanh(copy * 2.0) * copy, v.adjoint(0));
            const Block<const double> part = v.tape().adjoint(copy);
            for (Index j = 0; j < g.columns; ++j)
              for (Index i = 0; i < g.rows; ++i) g(i, j) += part(i, j);
          }
        },
        no_tangent);
    tape.backward(y);
    const double at = x.block()(3, 5), t = std::tanh(2 * at);
    CHECK(tape.adjoint(leaf)(3, 5) == Approx(segments * (t + 2 * at * (1 - t * t))));
    return tape.capacity();
  };
  CHECK(capacity(1000) == capacity(2));
}

TEST_CASE("a segment outside of backward drops what it recorded, and turns recording on for itself") {
  Stored<double> x(number(2));
  Tape<double> tape(false);
  {
    auto inner = tape.inner();
    const V leaf = tape.leaf(x.block());
    inner.backward(leaf * leaf * leaf);
    CHECK(*tape.adjoint(leaf).data == 12);
    CHECK(tape.operations() == 2);
  }
  CHECK(tape.operations() == 0);
  CHECK_FALSE(tape.recording());
}

// --- forward mode ----------------------------------------------------------------------------------------------------

TEST_CASE("derivatives of a number to the fourth order") {
  Stored<double> x(number(0.7)), one(number(1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), along = tape.constant(one.block());
  V derivative = sin(2.0 * leaf);
  for (int order = 1; order <= 4; ++order) {
    derivative = tape.tangent(derivative, leaf, along);
    CHECK(value_of(derivative) == Approx(std::pow(2, order) * std::sin(1.4 + order * std::acos(0.0))));
  }
  tape.backward(derivative);
  CHECK(*tape.adjoint(leaf).data == Approx(32 * std::cos(1.4)));
}

TEST_CASE("tangents through views, of views and along several inputs") {
  const Table x = Table::random(17, 4, 1), v = Table::random(17, 4, 2);
  Stored<double> memory(x), along(v);
  Tape<double> tape;
  const V leaf = tape.leaf(memory.block()), direction = tape.constant(along.block());
  const V left = columns(leaf, 0, 2), right = columns(leaf, 2, 2);
  const V y = concatenate({left * right, right});
  // The whole, and two views of it one by one, of which one is given twice.
  V whole[3], parts[3];
  const V outputs[] = {y, columns(y, 1, 2), left};
  tape.tangent(outputs, std::vector<V>{leaf}, std::vector<V>{direction}, whole);
  const V half = columns(direction, 0, 2) * 0.5;
  tape.tangent(outputs, std::vector<V>{left, right, left}, std::vector<V>{half, columns(direction, 2, 2), half}, parts);
  for (int o = 0; o < 3; ++o)
    CHECK(largest_difference(Table::of(whole[o].value()), Table::of(parts[o].value())) < 1e-15);
  CHECK(largest_difference(Table::of(whole[0].value()), Table::make(17, 4, [&](Index i, Index j) {
                             return j < 2 ? v(i, j) * x(i, j + 2) + x(i, j) * v(i, j + 2) : v(i, j);
                           })) < 1e-15);
  CHECK(whole[1].columns() == 2);
  // A direction that is left out is zero; an output that does not depend on the input has none.
  V none[2];
  tape.tangent(std::vector<V>{left * 2.0, right * 2.0}, std::vector<V>{left, right},
               std::vector<V>{V(), columns(direction, 2, 2)}, none);
  CHECK(largest_difference(Table::of(none[0].value()), Table(17, 2)) == 0);
  CHECK_FALSE(tape.tangent(tape.full(17, 1, 2), leaf, direction));
}

TEST_CASE("a Hessian times a vector, by reverse mode through a tangent") {
  // f = sum of a log_sum_exp of a small network.
  const Table x = Table::random(5, 3, 1), w = Table::random(3, 4, 2), v = Table::random(5, 3, 3);
  const auto gradient = [&](const Table& at) {
    Stored<double> memory(at), weight(w);
    Tape<double> tape;
    const V leaf = tape.leaf(memory.block());
    tape.backward(sum(log_sum_exp(dense(leaf, tape.constant(weight.block()), {}, Activation::tanh))));
    return Table::of(tape.adjoint(leaf));
  };
  Stored<double> memory(x), weight(w), along(v);
  Tape<double> tape;
  const V leaf = tape.leaf(memory.block());
  const V f = sum(log_sum_exp(dense(leaf, tape.constant(weight.block()), {}, Activation::tanh)));
  tape.backward(tape.tangent(f, leaf, tape.constant(along.block())));
  const Table product = Table::of(tape.adjoint(leaf));
  Table above = x, below = x;
  for (std::size_t i = 0; i < v.numbers.size(); ++i) {
    above.numbers[i] += 6e-6 * v.numbers[i];
    below.numbers[i] -= 6e-6 * v.numbers[i];
  }
  Table numeric = gradient(above);
  const Table low = gradient(below);
  for (std::size_t i = 0; i < numeric.numbers.size(); ++i)
    numeric.numbers[i] = (numeric.numbers[i] - low.numbers[i]) / 1.2e-5;
  CHECK(largest_difference(product, numeric) < 1e-9);
}

TEST_CASE("a primitive without a rule is an error that names it") {
  Stored<double> x(Table::random(3, 2, 1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block());
  const V y = cube(leaf * 2.0, no_tangent);
  CHECK_THROWS_WITH(tape.tangent(y, leaf, leaf), "tangent: the operation cube has no forward-mode rule");
  // It may stand where no tangent passes.
  const V z = leaf * 3.0;
  CHECK(largest_difference(Table::of(tape.tangent(z, leaf, leaf).value()), Table::of(z.value())) == 0);
}

TEST_CASE("a primitive's rule is made of operations") {
  Stored<double> x(Table::random(17, 2, 1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), ones = tape.full(17, 2, 1);
  const auto rule = [](Jvp<double>& j) { j.set(0, 3.0 * square(j.input(0)) * j.tangent(0)); };
  const V second = tape.tangent(tape.tangent(cube(leaf, rule), leaf, ones), leaf, ones);
  for (Index i = 0; i < 17; ++i) CHECK(second.value()(i, 1) == Approx(6 * x.block()(i, 1)));
  tape.backward(second);
  CHECK(tape.adjoint(leaf)(16, 0) == Approx(6));
}

TEST_CASE("a jvp may ask for tangents of what it records") {
  // y = x^3, its rule by recording x * x * x on a leaf of its own.
  Stored<double> x(number(2)), one(number(1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), along = tape.constant(one.block());
  const auto rule = [](Jvp<double>& j) {
    const V t = j.tangent(0), again = j.input(0);
    j.set(0, j.tape().tangent(again * again * again, again, t));
  };
  const V y = cube(leaf * 2.0, rule);  // 8 x^3
  CHECK(value_of(tape.tangent(y + leaf, leaf, along)) == Approx(24 * 4 + 1));
}

TEST_CASE("directions that do not fit, or constants as inputs, are refused") {
  Stored<double> x(Table::random(3, 2, 1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), constant = tape.constant(x.block());
  CHECK(shape_error_of([&] { tape.tangent(leaf * 2.0, leaf, tape.full(3, 1, 1)); }) ==
        "tangent: a direction of 3 x 1 for an input of 3 x 2");
  CHECK_THROWS_AS(tape.tangent(constant * leaf, constant, leaf), std::logic_error);
}

TEST_CASE("a probe records where nothing else would") {
  Stored<double> x(number(2)), one(number(1));
  Tape<double> tape(false);
  const V data = tape.constant(x.block());
  {
    const Tape<double>::Probe probe(tape);
    const V at = probe(data);
    CHECK(value_of(tape.tangent(at * at * at, at, tape.constant(one.block()))) == 12);
  }
  CHECK_FALSE(tape.recording());
}

// --- memory ----------------------------------------------------------------------------------------------------------

TEST_CASE("rewinding drops what was made since the mark") {
  Stored<double> x(Table::random(17, 2, 1));
  Tape<double> tape;
  const V leaf = tape.leaf(x.block()), kept = exp(leaf);
  const auto mark = tape.mark();
  void* const place = tape.scratch<double>(1);
  tape.rewind(mark);
  for (int k = 0; k < 5; ++k) {
    tape.tangent(sin(kept) * tape.leaf(x.block()), leaf, kept);
    CHECK(tape.operations() > 1);
    tape.rewind(mark);
    CHECK(tape.operations() == 1);
  }
  CHECK(tape.scratch<double>(1) == place);
  tape.backward(kept);
  CHECK(largest_difference(Table::of(tape.adjoint(leaf)), Table::of(kept.value())) == 0);
}

TEST_CASE("arenas hand out aligned memory in order and take it back") {
  Arena arena;
  std::vector<void*> first;
  for (const std::size_t bytes : {1, 64, 65, 100000, 1 << 20, 3}) first.push_back(arena.allocate(bytes));
  for (void* p : first) CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
  const std::size_t capacity = arena.capacity();
  arena.reset();
  CHECK(arena.capacity() == capacity);
  const auto before = allocations();
  for (const std::size_t bytes : {1, 64, 65, 100000, 1 << 20, 3}) arena.allocate(bytes);
  CHECK(allocations() == before);
  const Arena::Mark mark = arena.mark();
  void* const next = arena.allocate(10);
  arena.allocate(10 * capacity);
  arena.rewind(mark);
  CHECK(arena.allocate(10) == next);
}

TEST_CASE("a step in steady state allocates nothing") {
  Stored<float> x(Table::random(128, 3, 1)), w1(Table::random(3, 40, 2)), b1(Table::random(1, 40, 3));
  Stored<float> w2(Table::random(40, 6, 4)), g(Table(3, 40)), gb(Table(1, 40)), g2(Table(40, 6));
  const Index order[] = {2, 0, 1};
  Tape<float> tape;
  const auto step = [&] {
    tape.reset();
    const Var<float> data = tape.leaf(x.block());
    const Var<float> hidden =
        dense(data, tape.leaf(w1.block(), g.block()), tape.leaf(b1.block(), gb.block()), Activation::silu);
    const Var<float> out = matmul(hidden, tape.leaf(w2.block(), g2.block()));
    const Var<float> moved = permute(data, std::span<const Index>(order));
    const Var<float> y = columns(out, 0, 3) * exp(-columns(out, 3, 3)) + moved / softplus(concatenate({moved}));
    const Var<float> parts[] = {y, softmax(out), cumulative_sum(out, 3)};
    const Var<float> loss = sum(log_sum_exp(concatenate(std::span<const Var<float>>(parts)))) + sum(column_sum(y));
    const Var<float> slope = tape.tangent(row_sum(y), data, tape.full(128, 3, 1));
    const Var<float> squares = matmul(out, out, true), lower = triangular_solve(squares, squares, Triangle::lower);
    tape.backward(loss + sum(slope) + log_abs_det(squares + 1.0f) + sum(lower) * 1e-9f);
  };
  step();
  step();  // chunks of memory become one
  const auto before = allocations();
  for (int k = 0; k < 3; ++k) step();
  CHECK(allocations() == before);
}
