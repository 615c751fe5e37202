// Witness: a procedure that fits without gradients, filling one preallocated layer after another.
//
// It is the hardest consumer of initialise passes and of state: layers that are the identity until a pass over all
// training rows writes their numbers, one layer for each pass, and a training loop that no optimizer has a part in.
//
// Chen and Gopinath, "Gaussianization", 2000; Laparra, Camps-Valls and Malo, "Iterative Gaussianization: from ICA to
// random rotations", 2011.
#include <algorithm>
#include <atomic>

#include "pushforward/chain.h"
#include "pushforward/operations.h"
#include "support/session.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

std::atomic<int> recorded_maps{0};

/// The quantile of a standard normal distribution at p, by bisection.
double normal_quantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return low;
}

/// Layers that map each feature's quantiles to those of a normal distribution, linearly between them, and then mix the
/// features by a reflection, y - 2 v (v . y) / (v . v): orthogonal whatever the numbers of v.
template <class T>
class Gaussianization final : public Bijector<T> {
 public:
  explicit Gaussianization(Build<T>& build) : size_(build.event_size()), id_(build.id()) {
    const Index knots = build.integer("knots");
    for (Index k = 0; k < knots; ++k)
      normal_.push_back(static_cast<T>(normal_quantile((static_cast<double>(k) + 0.5) / static_cast<double>(knots))));
    const std::vector<double> none(static_cast<std::size_t>(size_), 0);
    std::vector<double> quantiles;
    for (Index j = 0; j < size_; ++j) quantiles.insert(quantiles.end(), normal_.begin(), normal_.end());
    for (Index l = 0; l < build.integer("layers"); ++l) {
      const std::string name = "layers[" + std::to_string(l) + "].";
      layers_.push_back({build.state(name + "mirror", none), build.state(name + "quantiles", quantiles)});
    }
  }

  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("gaussianization", y.columns(), size_);
    Mapped<T> all{y, pass.tape.full(y.rows(), 1, T(0))};
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      if (pass.mode == Mode::initialise && l == pass.stream.step) fit(layers_[l], all.value.value(), pass);
      const Mapped<T> m = marginal(all.value, layers_[l], pass, true);
      all = {reflect(m.value, layers_[l], pass), all.log_det + m.log_det};
    }
    return all;
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("gaussianization", x.columns(), size_);
    Mapped<T> all{x, pass.tape.full(x.rows(), 1, T(0))};
    for (std::size_t l = layers_.size(); l-- > 0;) {
      const Mapped<T> m = marginal(reflect(all.value, layers_[l], pass), layers_[l], pass, false);
      all = {m.value, all.log_det + m.log_det};
    }
    return all;
  }

 private:
  struct Layer {
    State mirror, quantiles;
  };
  Var<T> reflect(Var<T> y, const Layer& layer, const Pass<T>& pass) const {
    const Var<T> v = pass(layer.mirror), length = row_sum(square(v));
    return *length.value().data > 0 ? y - row_sum(y * v) * (T(2) * v / length) : y;
  }

  /// Piecewise linear, so the log_det does not change with the input and a gradient is multiplied by the slope.
  Mapped<T> marginal(Var<T> v, const Layer& layer, const Pass<T>& pass, bool to_normal) const {
    recorded_maps += pass.tape.recording();
    const Index knots = static_cast<Index>(normal_.size());
    const Var<T> out = pass.tape.make(v.rows(), size_), log_det = pass.tape.full(v.rows(), 1, T(0));
    const Block<T> slopes = pass.tape.block(v.rows(), size_);
    for (Index j = 0; j < size_; ++j) {
      const T* own = pass(layer.quantiles).value().data + j * knots;
      const T* from = to_normal ? own : normal_.data();
      const T* to = to_normal ? normal_.data() : own;
      for (Index i = 0; i < v.rows(); ++i) {
        const T x = v.value()(i, j);
        const Index k = std::clamp<Index>(std::upper_bound(from, from + knots, x) - from, 1, knots - 1);
        slopes(i, j) = (to[k] - to[k - 1]) / (from[k] - from[k - 1]);
        out.data()(i, j) = to[k - 1] + slopes(i, j) * (x - from[k - 1]);
        log_det.data()(i, 0) += std::log(slopes(i, j)) + (x - x);  // NaN where x is
      }
    }
    pass.tape.primitive(
        "gaussianization", {v}, {out, log_det},
        [slopes](Vjp<T>& r) {
          if (!r.wants(0)) return;
          const Block<const T> g = r.adjoint(0);
          const Block<T> gradient = r.gradient(0);
          for (Index j = 0; j < g.columns; ++j)
            for (Index i = 0; i < g.rows; ++i) gradient(i, j) += slopes(i, j) * g(i, j);
        },
        [slopes](Jvp<T>& r) { r.set(0, r.tape().constant(slopes) * r.tangent(0)); });
    return {out, log_det};
  }

  /// Quantiles of what comes to the layer, and a random mirror.
  void fit(const Layer& layer, Block<const T> y, const Pass<T>& pass) const {
    const std::span<T> quantiles = pass.writable(layer.quantiles);
    const std::size_t knots = normal_.size();
    for (Index j = 0; j < size_; ++j) {
      std::vector<T> sorted(y.column(j), y.column(j) + y.rows);
      std::sort(sorted.begin(), sorted.end());
      for (std::size_t k = 0; k < knots; ++k) {
        T& q = quantiles[static_cast<std::size_t>(j) * knots + k];
        q = sorted[sorted.size() * (2 * k + 1) / (2 * knots)];
        if (k > 0) q = std::max(q, *(&q - 1) + T(1e-3));
      }
    }
    pass.shared_draws(id_, pass.stream.step).normal(compact(pass.writable(layer.mirror).data(), 1, size_));
  }

  Index size_;
  ComponentId id_;
  std::vector<T> normal_;  // its quantiles
  std::vector<Layer> layers_;
};

/// One layer a step.
template <class T>
class Gaussianize final : public Procedure<T> {
 public:
  explicit Gaussianize(Build<T>&) {}
  TrainingResult run(Training<T>& training) const override {
    Engine<T>& engine = *training.engine;
    TrainingResult result{.steps = training.first_step, .loss = 0, .seconds = 0, .stopped = false};
    while (result.steps < training.steps && !result.stopped) {
      const auto step = static_cast<std::uint32_t>(result.steps);
      engine.initialise(training.train, step);
      result.loss = engine.held_out_loss(0, training.train, step, engine.model().store.parameters);
      ++result.steps;
      if (training.on_step) result.stopped = !training.on_step({result.steps, result.loss, std::nan(""), 0, 0}, true);
    }
    return result;
  }
};

constexpr Field kMapFields[] = {integer("layers", "2", "maps with a reflection, the identity at first").at_least(1),
                                integer("knots", "30", "quantiles of each feature").at_least(2)};
constexpr Example kMapExamples[] = {{"default", "witness_gaussianization: {knots: 4}", 2}};
constexpr Example kProcedureExamples[] = {{"default", "witness_gaussianize"}};
constexpr ComponentInfo kComponents[] = {
    describe<Gaussianization>("bijector", "witness_gaussianization", "Marginal maps and reflections", kMapFields,
                              kMapExamples),
    describe<Gaussianize>("procedure", "witness_gaussianize", "Fills a layer a step", nullptr, kProcedureExamples),
};

std::string spec(int steps, const char* precision = "float64") {
  return std::string("seed: 4\nprecision: ") + precision + R"(
data: {source: {circles: {samples: 2000, factor: 0.3, noise: 0.1}}, preprocess: [standardize]}
model: {base: normal, bijectors: [{witness_gaussianization: {layers: 2}}]}
training: {procedure: witness_gaussianize, steps: )" +
         std::to_string(steps) + "}\n";
}

/// Mean distance, over many directions, between the distribution of the latent rows along it and a normal one.
double distance_from_normal(Session<double>& session) {
  const auto& flow = dynamic_cast<const Flow<double>&>(*session.model.distribution);
  const Rows<double>& rows = session.training.train;
  Matrix<double> latent(rows.count, 2);
  session.engine.for_each_shard(rows.count, 0, Mode::evaluate, [&](const Pass<double>& pass, Index first, Index count) {
    const Var<double> x = flow.bijector().inverse(pass.tape.constant(rows.data.middle_rows(first, count)), pass).value;
    for (const Index j : {0, 1}) std::copy_n(x.value().column(j), count, latent.block().column(j) + first);
  });
  double total = 0;
  for (int d = 0; d < 16; ++d) {
    const double angle = 3.14159265358979 * d / 16;
    std::vector<double> along;
    for (Index i = 0; i < rows.count; ++i)
      along.push_back(std::cos(angle) * latent(i, 0) + std::sin(angle) * latent(i, 1));
    std::sort(along.begin(), along.end());
    double worst = 0;
    for (std::size_t i = 0; i < along.size(); ++i)
      worst = std::max(worst, std::abs((static_cast<double>(i) + 0.5) / static_cast<double>(along.size()) -
                                       0.5 * std::erfc(-along[i] / std::sqrt(2.0))));
    total += worst / 16;
  }
  return total;
}

}  // namespace

TEST_CASE("layers that wait to be filled conform") { check_component(kComponents); }

TEST_CASE("before any step the layers are the identity") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec(2));
  const std::vector<double> log_prob = session.log_prob();
  for (Index i = 0; i < 20; ++i) {
    const double a = session.training.train.data(i, 0), b = session.training.train.data(i, 1);
    CHECK(log_prob[static_cast<std::size_t>(i)] == Approx(-0.5 * (a * a + b * b) - 1.8378770664093453));
  }
}

TEST_CASE("each step brings the latent rows closer to a normal distribution and raises the likelihood") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec(2));
  double likelihood = mean(session.log_prob()), away = distance_from_normal(session);
  for (const int step : {1, 2}) {
    CAPTURE(step);
    session.run_to(step);
    const double higher = mean(session.log_prob()), closer = distance_from_normal(session);
    CHECK(higher > likelihood + 0.01);
    CHECK(closer < away);
    likelihood = higher;
    away = closer;
  }
}

TEST_CASE("no gradient is ever asked for, and what was filled is samples' map, too") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec(2));
  recorded_maps = 0;
  const TrainingResult result = session.run();
  CHECK(recorded_maps == 0);
  CHECK(result.steps == 2);
  CHECK(result.loss == Approx(-mean(session.log_prob())));
  Matrix<double> samples(1000, 2);
  std::vector<double> log_prob(1000), again(1000);
  session.engine.sample(1000, {}, 1, samples.block(), log_prob);
  session.engine.log_prob(rows_of(samples), again);
  CHECK(distance(log_prob, again) < 1e-9);
}

TEST_CASE("a run that stops after one layer goes on to the same numbers") {
  const auto registry = load_plugins(kComponents);
  Session<float> whole(*registry, spec(2, "float32")), first(*registry, spec(2, "float32")),
      second(*registry, spec(2, "float32"));
  whole.run();
  first.run_to(1);
  second.model.store.real_state = first.model.store.real_state;
  second.training.first_step = 1;
  second.run();
  CHECK(second.model.store.real_state == whole.model.store.real_state);
  CHECK(second.log_prob() == whole.log_prob());
}
