// The tape and its operations: nanoseconds of bookkeeping per node, elementary operations per element, products of the
// shapes that networks have, and a dense layer, forward and backward, as a fraction of the rate of its products alone.
#include <benchmark/benchmark.h>

#include <random>

#include "pushforward/linear_algebra.h"
#include "pushforward/operations.h"
#include "pushforward/random.h"

namespace {

using namespace pushforward;  // NOLINT: a program

template <class T>
class Numbers {
 public:
  Numbers(Index rows, Index columns, double scale, unsigned seed) {
    const Index stride = rows == 1 ? 1 : round_up(rows, kPadding);
    memory_.resize(static_cast<std::size_t>(stride * columns) + 64);
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    for (T& v : memory_) v = static_cast<T>(scale * normal(engine));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    block_ = {reinterpret_cast<T*>((address + 63) / 64 * 64), rows, columns, stride};
  }
  Block<T> block() const { return block_; }

 private:
  std::vector<T> memory_;
  Block<T> block_;
};

void per(benchmark::State& state, const char* name, double count) {
  state.counters[name] = benchmark::Counter(static_cast<double>(state.iterations()) * count * 1e-9,
                                            benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
void rate(benchmark::State& state, double operations) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * operations * 1e-9, benchmark::Counter::kIsRate);
}

/// A chain of operations on one number: what is left is bookkeeping.
void nodes(benchmark::State& state, bool binary, bool gradient) {
  constexpr int kNodes = 1000;
  const Numbers<float> x(1, 1, 1, 1);
  Tape<float> tape;
  for (auto _ : state) {
    tape.reset();
    const Var<float> leaf = tape.leaf(x.block());
    Var<float> y = leaf;
    for (int k = 0; k < kNodes; ++k) y = binary ? y + leaf : y * 0.999f;
    if (gradient) tape.backward(y);
    benchmark::DoNotOptimize(*y.value().data);
  }
  per(state, "ns_per_node", kNodes);
}

template <class F>
void elements(benchmark::State& state, bool gradient, F f) {
  constexpr Index kRows = 128, kColumns = 64;
  const Numbers<float> x(kRows, kColumns, 1, 1), other(kRows, kColumns, 1, 2), row(1, kColumns, 1, 3);
  Tape<float> tape(gradient);
  for (auto _ : state) {
    tape.reset();
    const auto leaf = [&](const Numbers<float>& n) {
      return gradient ? tape.leaf(n.block()) : tape.constant(n.block());
    };
    const Var<float> y = f(leaf(x), leaf(other), leaf(row));
    if (gradient) tape.backward(y);
    benchmark::DoNotOptimize(*y.value().data);
  }
  per(state, "ns_per_element", kRows * kColumns);
}

void product(benchmark::State& state, bool transpose_a, bool transpose_b, Index rows, Index inner, Index columns) {
  const Numbers<float> a(transpose_a ? inner : rows, transpose_a ? rows : inner, 1, 1);
  const Numbers<float> b(transpose_b ? columns : inner, transpose_b ? inner : columns, 1, 2);
  const Numbers<float> c(rows, columns, 0, 3);
  for (auto _ : state) {
    gemm<float>(transpose_a, transpose_b, a.block(), b.block(), 0, c.block());
    benchmark::ClobberMemory();
  }
  rate(state, 2.0 * static_cast<double>(rows * inner * columns));
}

/// The three products of a layer's step, and nothing else.
void layer_products(benchmark::State& state, Index rows, Index in, Index out) {
  const Numbers<float> x(rows, in, 1, 1), w(in, out, 1, 2), y(rows, out, 1, 3), gx(rows, in, 0, 0), gw(in, out, 0, 0);
  for (auto _ : state) {
    gemm<float>(false, false, x.block(), w.block(), 0, y.block());
    gemm<float>(true, false, x.block(), y.block(), 1, gw.block());
    gemm<float>(false, true, y.block(), w.block(), 0, gx.block());
    benchmark::ClobberMemory();
  }
  rate(state, 6.0 * static_cast<double>(rows * in * out));
}
void layer(benchmark::State& state, Index rows, Index in, Index out, Activation activation) {
  const Numbers<float> x(rows, in, 1, 1), w(in, out, 0.1, 2), bias(1, out, 1, 3), seed(rows, out, 1, 4);
  const Numbers<float> gw(in, out, 0, 0), gb(1, out, 0, 0);
  Tape<float> tape;
  for (auto _ : state) {
    tape.reset();
    const Var<float> y =
        dense(tape.leaf(x.block()), tape.leaf(w.block(), gw.block()), tape.leaf(bias.block(), gb.block()), activation);
    tape.backward(y, seed.block());
    benchmark::DoNotOptimize(*gw.block().data);
  }
  rate(state, 6.0 * static_cast<double>(rows * in * out));
}

template <class T>
void draws(benchmark::State& state, bool normal) {
  const Numbers<T> out(128, 64, 0, 0);
  std::uint32_t step = 0;
  for (auto _ : state) {
    const Draws d({.seed = 1, .step = step++}, ComponentId{1}, 0, 0);
    if (normal)
      d.normal(out.block());
    else
      d.uniform(out.block());
    benchmark::ClobberMemory();
  }
  per(state, "ns_per_element", 128 * 64);
}

template <class F>
void register_elements(const char* name, F f) {
  for (const bool gradient : {false, true})
    benchmark::RegisterBenchmark((std::string("elements/") + name + (gradient ? "/gradient" : "/value")).c_str(),
                                 [gradient, f](benchmark::State& s) { elements(s, gradient, f); });
}

void register_products() {
  struct Size {
    Index rows, inner, columns;
  };
  // The last layers and first layers of couplings are thin.
  constexpr Size kSizes[] = {{128, 512, 512}, {64, 512, 512}, {128, 64, 64}, {64, 64, 64}, {128, 1, 64},
                             {128, 2, 64},    {128, 4, 64},   {128, 8, 64},  {128, 64, 1}, {128, 64, 2},
                             {128, 64, 4},    {128, 64, 8},   {64, 128, 1},  {64, 128, 2}, {64, 128, 8},
                             {1, 128, 64},    {2, 128, 64},   {4, 128, 64},  {1, 512, 512}};
  for (const Size& n : kSizes)
    for (const char* kind : {"NN", "NT", "TN"}) {
      const std::string name = std::string("product/") + kind + "/" + std::to_string(n.rows) + "x" +
                               std::to_string(n.inner) + "x" + std::to_string(n.columns);
      benchmark::RegisterBenchmark(name.c_str(), [n, kind](benchmark::State& s) {
        product(s, kind[0] == 'T', kind[1] == 'T', n.rows, n.inner, n.columns);
      });
    }
}

void register_all() {
  using benchmark::RegisterBenchmark;
  using V = Var<float>;
  for (const bool binary : {false, true})
    for (const bool gradient : {false, true})
      RegisterBenchmark(
          (std::string("node/") + (binary ? "add" : "scale") + (gradient ? "/gradient" : "/value")).c_str(),
          [=](benchmark::State& s) { nodes(s, binary, gradient); });
  register_elements("add", [](V x, V y, V) { return x + y; });
  register_elements("multiply", [](V x, V y, V) { return x * y; });
  register_elements("multiply_by_row", [](V x, V, V row) { return x * row; });
  register_elements("exp", [](V x, V, V) { return exp(x); });
  register_elements("tanh", [](V x, V, V) { return tanh(x); });
  register_elements("softplus", [](V x, V, V) { return softplus(x); });
  register_elements("row_sum", [](V x, V, V) { return row_sum(x); });
  register_elements("log_sum_exp", [](V x, V, V) { return log_sum_exp(x); });
  register_elements("softmax_of_8", [](V x, V, V) { return softmax(x, 8); });
  register_elements("concatenate", [](V x, V y, V) { return concatenate({x, y}); });
  register_products();
  for (const Index rows : {64, 128})
    for (const Index width : {64, 512}) {
      const std::string size = std::to_string(rows) + "x" + std::to_string(width);
      RegisterBenchmark(("layer/" + size + "/products").c_str(),
                        [=](benchmark::State& s) { layer_products(s, rows, width, width); });
      RegisterBenchmark(("layer/" + size + "/none").c_str(),
                        [=](benchmark::State& s) { layer(s, rows, width, width, Activation::none); });
      RegisterBenchmark(("layer/" + size + "/relu").c_str(),
                        [=](benchmark::State& s) { layer(s, rows, width, width, Activation::relu); });
      RegisterBenchmark(("layer/" + size + "/tanh").c_str(),
                        [=](benchmark::State& s) { layer(s, rows, width, width, Activation::tanh); });
    }
  // The thin layers of a coupling of two features.
  RegisterBenchmark("layer/128x1x64/relu", [](benchmark::State& s) { layer(s, 128, 1, 64, Activation::relu); });
  RegisterBenchmark("layer/128x64x2/none", [](benchmark::State& s) { layer(s, 128, 64, 2, Activation::none); });
  RegisterBenchmark("draws/uniform/float32", [](benchmark::State& s) { draws<float>(s, false); });
  RegisterBenchmark("draws/normal/float32", [](benchmark::State& s) { draws<float>(s, true); });
  RegisterBenchmark("draws/uniform/float64", [](benchmark::State& s) { draws<double>(s, false); });
  RegisterBenchmark("draws/normal/float64", [](benchmark::State& s) { draws<double>(s, true); });
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
