// Whole training steps, optimizer included, of specs as a user writes them: the circles of the introduction, and a
// RealNVP of 16 affine couplings with networks of two hidden layers of 64 units; and mixtures of eight parts. Run it
// after the plugins are built.
#include <benchmark/benchmark.h>

#include "plugins.h"
#include "pushforward/registry/experiment.h"

namespace {

using namespace pushforward;  // NOLINT: a program

constexpr const char* kCircles = R"(
data: {source: {circles: {samples: 1000, factor: 0.5, noise: 0.05}}, preprocess: [standardize]}
model:
  base: {normal: {shape: [2]}}
  bijectors: [{elementwise: {transformer: {linear_rational_spline: {bins: 8, bound: 3}}}}]
training: {objective: maximum_likelihood, optimizer: {adam: {learning_rate: 1e-2}}, steps: 1000000, batch_size: all}
)";

constexpr const char* kRealNvp = R"(
data: {source: {circles: {samples: 512, factor: 0.5, noise: 0.05}}, preprocess: [standardize]}
model:
  base: {normal: {shape: [2]}}
  bijectors:
    - repeat:
        times: 16
        bijectors: [{coupling: {transformer: {affine: {scale: soft_clip}}, network: {mlp: {hidden: [64, 64]}}}}]
training: {objective: maximum_likelihood, optimizer: {adam: {learning_rate: 1e-4}}, steps: 1000000, batch_size: all}
)";

constexpr const char* kSplineCoupling = R"(
data: {source: {circles: {samples: 512, factor: 0.5, noise: 0.05}}, preprocess: [standardize]}
model:
  base: {normal: {shape: [2]}}
  bijectors:
    - repeat:
        times: 8
        bijectors: [{coupling: {transformer: rational_quadratic_spline, network: {mlp: {hidden: [64, 64]}}}}]
training: {objective: maximum_likelihood, optimizer: {adam: {learning_rate: 1e-4}}, steps: 1000000, batch_size: all}
)";

constexpr const char* kMixture = R"(
data: {source: {circles: {samples: 1000, factor: 0.5, noise: 0.05}}, preprocess: [standardize]}
model: {gaussian_mixture: {components: 8}}
training: {objective: maximum_likelihood, optimizer: {adam: {learning_rate: 1e-3}}, steps: 1000000, batch_size: all}
)";

constexpr const char* kPlainMixture = R"(
data: {source: {circles: {samples: 1000, factor: 0.5, noise: 0.05}}, preprocess: [standardize]}
model: {mixture: {parts: [normal], copies: 8}}
training: {objective: maximum_likelihood, optimizer: {adam: {learning_rate: 1e-3}}, steps: 1000000, batch_size: all}
)";

/// Seconds of one step, in microseconds: `step` of the report; `threads` in the name.
template <class T>
void step(benchmark::State& state, const char* text) {
  constexpr std::int64_t kSteps = 50;
  Experiment<T> experiment =
      build_experiment<T>(plugins(),
                          resolve_spec(plugins(), parse_spec_text(text, "bench"),
                                       {std::string("precision=") + (sizeof(T) == 4 ? "float32" : "float64")}),
                          true);
  Engine<T> engine(experiment.model, {.seed = 0,
                                      .lanes = experiment.settings.lanes,
                                      .shard_rows = experiment.settings.shard_rows,
                                      .threads = static_cast<int>(state.range(0))});
  Training<T> training = make_training(experiment, engine);
  for (auto _ : state) {
    training.steps = training.first_step + kSteps;
    benchmark::DoNotOptimize(experiment.procedure->run(training).loss);
    training.first_step = training.steps;
  }
  state.counters["step"] = benchmark::Counter(static_cast<double>(state.iterations() * kSteps),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["parameters"] = static_cast<double>(experiment.model.layout.trainable());
}

void circles_float32(benchmark::State& state) { step<float>(state, kCircles); }
void circles_float64(benchmark::State& state) { step<double>(state, kCircles); }
void realnvp_float32(benchmark::State& state) { step<float>(state, kRealNvp); }
void realnvp_float64(benchmark::State& state) { step<double>(state, kRealNvp); }
void spline_coupling_float32(benchmark::State& state) { step<float>(state, kSplineCoupling); }
void gaussian_mixture_float32(benchmark::State& state) { step<float>(state, kMixture); }
void gaussian_mixture_float64(benchmark::State& state) { step<double>(state, kMixture); }
void mixture_float32(benchmark::State& state) { step<float>(state, kPlainMixture); }

BENCHMARK(circles_float32)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(circles_float64)->Arg(1)->UseRealTime();
BENCHMARK(realnvp_float32)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(realnvp_float64)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(spline_coupling_float32)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(gaussian_mixture_float32)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(gaussian_mixture_float64)->Arg(1)->UseRealTime();
BENCHMARK(mixture_float32)->Arg(1)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
