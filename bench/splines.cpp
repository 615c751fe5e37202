// Transformers alone: nanoseconds per element of values and gradients, of one training step of `circles`, and what the
// derived route of KernelTransformer costs against code written by hand.
#include <benchmark/benchmark.h>

#include <random>

#include "pushforward/spline_transformer.h"

namespace {

using namespace pushforward;  // NOLINT: a program

constexpr Index kRows = 256;
constexpr Index kColumns = 8;

template <class T>
class Numbers {
 public:
  Numbers(Index rows, Index columns, double scale, unsigned seed)
      : memory_(static_cast<std::size_t>(stride(rows) * columns) + 64) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    for (T& v : memory_) v = static_cast<T>(scale * normal(engine));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    T* aligned = reinterpret_cast<T*>((address + 63) / 64 * 64);
    block_ = {aligned, rows, columns, stride(rows)};
  }
  Block<T> block() const { return block_; }

 private:
  static Index stride(Index rows) { return rows == 1 ? 1 : round_up(rows, kPadding); }
  std::vector<T> memory_;
  Block<T> block_;
};

template <class T>
Pass<T> make_pass(Tape<T>& tape) {
  return {.tape = tape, .values = {}, .context = {}, .stream = {}, .sinks = {}};
}

/// Values (and gradients of x and theta) with parameters for every element.
template <class T, class Map>
void rows(benchmark::State& state, const Map& map, bool inverse, bool gradient) {
  Tape<T> tape(gradient);
  const Pass<T> pass = make_pass(tape);
  const Numbers<T> x(kRows, kColumns, 1.5, 1), theta(kRows, kColumns * map.parameters(), 0.5, 2);
  for (auto _ : state) {
    tape.reset();
    const Var<T> at = gradient ? tape.leaf(x.block()) : tape.constant(x.block());
    const Var<T> numbers = gradient ? tape.leaf(theta.block()) : tape.constant(theta.block());
    const Mapped<T> m = inverse ? map.invert(at, numbers, pass) : map.evaluate(at, numbers, pass);
    if (gradient) tape.backward(m.log_det + row_sum(m.value));
    benchmark::DoNotOptimize(m.log_det.value().data[0]);
  }
  state.counters["ns_per_element"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kRows * kColumns) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class T, bool kSplit>
void spline_rows(benchmark::State& state, bool inverse, bool gradient) {
  SplineForm<T> form;
  form.split_bins = kSplit;
  rows<T>(state, SplineTransformer<T, kSplit>(form, false), inverse, gradient);
}

/// The spline's share of a step of `circles`: 1,000 points of 2 features in shards of 128, one shared theta.
template <class T, bool kSplit>
void circles_step(benchmark::State& state) {
  SplineForm<T> form;
  form.split_bins = kSplit;
  const SplineTransformer<T, kSplit> map(form, false);
  const Numbers<T> raw(1, 2 * map.parameters(), 0.5, 2), x(1000, 2, 1, 1);
  const Index prepared = 2 * map.prepared();
  Numbers<T> g_raw(1, 2 * map.parameters(), 0, 0), g_prepared(1, prepared, 0, 0);
  Tape<T> step, shard;
  const Pass<T> pass = make_pass(shard);
  for (auto _ : state) {
    step.reset();
    const Var<T> theta = step.leaf(raw.block(), g_raw.block());
    const Var<T> made = map.prepare_shared(theta);
    for (Index first = 0; first < 1000; first += 128) {
      shard.reset();
      const Var<T> at = shard.constant(Block<const T>(x.block()).middle_rows(first, std::min<Index>(128, 1000 - first)));
      const Mapped<T> m = map.invert(at, {shard.leaf(made.value(), g_prepared.block()), true}, pass);
      const typename Tape<T>::Seed seeds[] = {{m.value, m.value.value()}, {m.log_det, {}}};
      shard.backward(seeds);
    }
    step.backward(made, g_prepared.block());
    benchmark::DoNotOptimize(g_raw.block().data[0]);
  }
}

/// sinh_arcsinh as mathematics alone.
template <class T>
class Derived final : public KernelTransformer<Derived<T>, T> {
 public:
  static constexpr int kParameters = 2;
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    return simd::sinh(simd::asinh(x) * simd::exp(theta[1]) - theta[0]);
  }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(0); }
};

/// The same by hand: y = sinh z, z = e^t a - s, a = asinh x; log f' = log cosh z + t - log(1 + x^2) / 2.
template <class T>
class ByHand final : public KernelTransformer<ByHand<T>, T> {
  using Base = KernelTransformer<ByHand<T>, T>;
  using B = simd::Batch<T>;
  using typename Base::Call;

 public:
  static constexpr int kParameters = 2;
  template <class V, class W>
  V map(const V& x, const W* theta) const {
    return simd::sinh(simd::asinh(x) * simd::exp(theta[1]) - theta[0]);
  }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(0); }

 protected:
  void values(const Call& call, Block<T> value, Block<T> log_det) const override {
    map_rows(call.x, value, log_det, [&](Index j) {
      return [&, j](Index i, Index lanes, const B& x, B& y, B& log_slope) {
        const B t = simd::load(call.theta.column(2 * j + 1) + i, lanes);
        const B z = simd::asinh(x) * simd::exp(t) - simd::load(call.theta.column(2 * j) + i, lanes);
        const B e = simd::exp(z), inverse = B(T(1)) / e, half(T(0.5));
        y = half * (e - inverse);
        log_slope = simd::log(half * (e + inverse)) + t - half * simd::log(simd::fma(x, x, B(T(1))));
      };
    });
  }
  void adjoint(const Call& call, Block<const T>, Block<const T> g_value, Block<const T> g_log_det,
               const Gradient<T>& gx, const Gradient<T>& gtheta) const override {
    const B one(T(1)), half(T(0.5));
    for (Index j = 0; j < call.x.columns; ++j)
      for (Index i = 0; i < call.x.rows; i += simd::kLanes<T>) {
        const Index lanes = call.x.rows - i;
        const B x = simd::load(call.x.column(j) + i, lanes), a = simd::asinh(x);
        const B delta = simd::exp(simd::load(call.theta.column(2 * j + 1) + i, lanes));
        const B z = a * delta - simd::load(call.theta.column(2 * j) + i, lanes);
        const B e = simd::exp(z), inverse = one / e;
        const B cosh = half * (e + inverse), sinh = half * (e - inverse);
        const B gl = simd::load(g_log_det.data + i, lanes);
        const B g_z = simd::load(g_value.column(j) + i, lanes) * cosh + gl * sinh / cosh;
        const B square = one / simd::fma(x, x, one);
        gx.add(g_z * delta * simd::sqrt(square) - gl * x * square, j, i, lanes);
        gtheta.add(-g_z, 2 * j, i, lanes);
        gtheta.add(g_z * a * delta + gl, 2 * j + 1, i, lanes);
      }
  }
};

void register_all() {
  using benchmark::RegisterBenchmark;
  for (const bool inverse : {false, true})
    for (const bool gradient : {false, true}) {
      const std::string what = std::string(inverse ? "/inverse" : "/forward") + (gradient ? "_gradient" : "");
      RegisterBenchmark(("rational_quadratic" + what + "/float32").c_str(), spline_rows<float, false>, inverse, gradient);
      RegisterBenchmark(("rational_quadratic" + what + "/float64").c_str(), spline_rows<double, false>, inverse,
                        gradient);
      RegisterBenchmark(("linear_rational" + what + "/float32").c_str(), spline_rows<float, true>, inverse, gradient);
    }
  RegisterBenchmark("circles_step/linear_rational/float32", circles_step<float, true>);
  RegisterBenchmark("circles_step/linear_rational/float64", circles_step<double, true>);
  RegisterBenchmark("circles_step/rational_quadratic/float32", circles_step<float, false>);
  for (const bool gradient : {false, true}) {
    const std::string what = gradient ? "gradient/float32" : "value/float32";
    RegisterBenchmark(("sinh_arcsinh/derived/" + what).c_str(),
                      [gradient](benchmark::State& s) { rows<float>(s, Derived<float>(), false, gradient); });
    RegisterBenchmark(("sinh_arcsinh/by_hand/" + what).c_str(),
                      [gradient](benchmark::State& s) { rows<float>(s, ByHand<float>(), false, gradient); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
