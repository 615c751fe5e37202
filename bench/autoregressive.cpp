// A masked autoregressive flow of one affine bijector: 43 features (as MINIBOONE has), a masked network of two hidden
// layers of 512 units, 256 rows, float32. The rows' log_prob takes one pass through the network; samples take the
// network degree by degree, where other libraries take a pass for each feature; training steps are the loss and its
// gradient.
#include <benchmark/benchmark.h>

#include "plugins.h"
#include "pushforward/engine.h"
#include "pushforward/operations.h"
#include "pushforward/registry/assembly.h"

namespace {

using namespace pushforward;  // NOLINT: a program

constexpr Index kRows = 256, kFeatures = 43;

/// The mean of log p over the model's own samples: the part of a reverse KL divergence that belongs to the model.
class OfSamples final : public Objective<float> {
 public:
  Var<float> rows(int, const Distribution<float>& model, const Batch<float>& batch,
                  const Pass<float>& pass) const override {
    return model.sample_with_log_prob(batch.rows, pass).log_prob;
  }
};
class OfRows final : public Objective<float> {
 public:
  Var<float> rows(int, const Distribution<float>& model, const Batch<float>& batch,
                  const Pass<float>& pass) const override {
    return -model.log_prob(batch.data, pass);
  }
};

/// A model, an engine and rows for it.
class Bench {
 public:
  explicit Bench(std::unique_ptr<Objective<float>> objective, int threads) : data_(kRows, kFeatures) {
    const std::string yaml =
        "flow: {base: normal, bijectors: [{autoregressive: {transformer: affine, network: {made: {hidden: [512, "
        "512]}}}}]}";
    Surroundings surroundings;
    surroundings.event_shape = Shape{kFeatures};
    const SpecNode node = resolve_component(plugins(), "distribution", parse_spec_text(yaml, "bench"));
    assembly_ = assemble<float>(plugins(), "distribution", node, surroundings, 1, "model");
    model_.distribution.reset(dynamic_cast<Distribution<float>*>(assembly_.root.release()));
    model_.objective = std::move(objective);
    model_.components = assembly_.components;
    model_.components.push_back(model_.objective.get());
    model_.layout = assembly_.layout;
    model_.store = std::move(assembly_.store);
    // The last layer starts at zero; away from there, so that nothing is spared.
    for (float& p : model_.store.parameters) p += 0.01F;
    model_.objective_parameters = model_.layout.parameter_size;
    Draws(Stream{1}, ComponentId{1}, 0, 0).normal(data_.block());
    engine_ = std::make_unique<Engine<float>>(model_, EngineSettings{.seed = 1, .threads = threads});
    gradient_.resize(model_.store.parameters.size());
    log_prob_.resize(kRows);
  }
  void log_prob() { engine_->log_prob({data_, {}, {}, kRows}, log_prob_); }
  void sample() { engine_->sample(kRows, {}, 0, data_.block(), log_prob_); }
  void step() { engine_->loss(0, {data_, {}, {}, kRows}, 0, model_.store.parameters, gradient_); }

 private:
  Matrix<float> data_;
  Assembly<float> assembly_;
  Model<float> model_;
  std::unique_ptr<Engine<float>> engine_;
  std::vector<float> gradient_;
  std::vector<double> log_prob_;
};

template <class O>
void measure(benchmark::State& state, void (Bench::*what)()) {
  Bench bench(std::make_unique<O>(), static_cast<int>(state.range(0)));
  for (auto _ : state) (bench.*what)();
}

void log_prob(benchmark::State& state) { measure<OfRows>(state, &Bench::log_prob); }
void sample(benchmark::State& state) { measure<OfRows>(state, &Bench::sample); }
void likelihood_step(benchmark::State& state) { measure<OfRows>(state, &Bench::step); }
void sampling_step(benchmark::State& state) { measure<OfSamples>(state, &Bench::step); }

BENCHMARK(log_prob)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(sample)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(likelihood_step)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(sampling_step)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
