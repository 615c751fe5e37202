// Whole models from specs' texts, through the registry, and what tests do with them: gradients, grids, training.
#pragma once

#include <catch2/catch.hpp>

#include "pushforward/engine.h"
#include "pushforward/operations.h"
#include "pushforward/procedure.h"
#include "support/components.h"

namespace pushforward::test {

template <class C>
std::unique_ptr<C> cast(std::unique_ptr<ComponentBase> made) {
  C* typed = dynamic_cast<C*>(made.get());
  if (!typed) throw std::logic_error(std::string("the component is no ") + KindOf<C>::name);
  made.release();
  return std::unique_ptr<C>(typed);
}

/// A component that declares no numbers: an optimizer, most objectives, a target.
template <class C>
std::unique_ptr<C> make_plain(const Registry& registry, const std::string& yaml,
                              const Surroundings& surroundings = {}) {
  using T = typename KindOf<C>::Real;
  testing::Built<T> built = build<T>(registry, KindOf<C>::name, yaml, surroundings);
  if (built.layout.parameter_size + built.layout.real_state_size + built.layout.integer_state_size > 0)
    throw std::logic_error(yaml + " has numbers of its own");
  return cast<C>(std::move(built.component));
}

/// A distribution of `surroundings`, trained by an objective without numbers.
template <class T>
Model<T> make_model(const Registry& registry, const std::string& distribution, const Surroundings& surroundings,
                    const std::string& objective = "maximum_likelihood", const std::string& target = {}) {
  testing::Built<T> built = build<T>(registry, "distribution", distribution, surroundings);
  Model<T> model;
  model.distribution = cast<Distribution<T>>(std::move(built.component));
  model.objective = make_plain<Objective<T>>(registry, objective);
  if (!target.empty()) model.target = make_plain<Target<T>>(registry, target, surroundings);
  model.components = std::move(built.components);
  model.components.push_back(model.objective.get());
  model.layout = std::move(built.layout);
  model.store = std::move(built.store);
  model.objective_parameters = model.layout.parameter_size;
  model.context = surroundings.context;
  return model;
}

/// E[|y - 1|^2 + log p(y)] over the model's samples: it sees the model through `sample` alone.
template <class T>
class OfSamples final : public Objective<T> {
 public:
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Sampled<T> s = model.sample_with_log_prob(batch.rows, pass);
    return row_sum(square(s.value - T(1))) + s.log_prob;
  }
};

/// Another objective without numbers, before an engine is made.
template <class T>
void set_objective(Model<T>& model, std::unique_ptr<Objective<T>> objective) {
  model.objective = std::move(objective);
  model.components.back() = model.objective.get();
}

/// Rows of an objective that draws from the model alone.
template <class T>
Rows<T> no_data(Index count) {
  return {.data = {}, .context = {}, .weights = {}, .count = count};
}

template <class T>
Rows<T> rows_of(const Matrix<T>& data) {
  return {.data = data, .context = {}, .weights = {}, .count = data.rows()};
}

/// Standard normal rows, times `scale`, plus `shift`.
template <class T>
Matrix<T> normal_rows(Index rows, Index columns, std::uint64_t seed, double scale = 1, double shift = 0) {
  Matrix<T> m(rows, columns);
  Draws({.seed = seed}, {0xda7a}, 0, 0).normal(m.block());
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) m(i, j) = static_cast<T>(scale) * m(i, j) + static_cast<T>(shift);
  return m;
}

/// What an integer state holds, in the order of building, of all states whose path ends so.
inline std::vector<std::int64_t> integers_of(const Layout& layout, const std::vector<std::int64_t>& integer_state,
                                             const std::string& ending) {
  std::vector<std::int64_t> all;
  for (const StateInfo& s : layout.states)
    for (Index i = 0; s.handle.integer && s.path.ends_with(ending) && i < s.handle.size; ++i)
      all.push_back(integer_state[static_cast<std::size_t>(s.handle.offset + i)]);
  return all;
}

/// Every parameter a little away from its start, where gradients show.
template <class T>
void scatter(Model<T>& model, double scale = 0.3) {
  for (const ParameterInfo& p : model.layout.parameters)
    for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size(); ++i)
      model.store.parameters[static_cast<std::size_t>(i)] +=
          static_cast<T>(scale * std::sin(3.7 * static_cast<double>(i) + 1));
}

/// Largest difference, over max(1, |a|, |b|), between the gradient of the loss and central differences.
inline double gradient_error(Engine<double>& engine, const Rows<double>& batch) {
  const Model<double>& model = engine.model();
  std::vector<double> theta = model.store.parameters, gradient(theta.size());
  engine.loss(0, batch, 3, theta, gradient);
  double worst = 0;
  for (const ParameterInfo& p : model.layout.parameters)
    for (Index k = 0; k < p.handle.size(); ++k) {
      const auto i = static_cast<std::size_t>(p.handle.offset + k);
      const double at = theta[i], h = 6e-6 * std::max(1.0, std::abs(at));
      theta[i] = at + h;
      const double above = engine.loss(0, batch, 3, theta, {});
      theta[i] = at - h;
      const double below = engine.loss(0, batch, 3, theta, {});
      theta[i] = at;
      worst = std::max(worst, distance({gradient[i]}, {(above - below) / (2 * h)}));
    }
  return worst;
}

inline double gradient_error(Model<double>& model, const Rows<double>& batch) {
  Engine<double> engine(model, {.seed = 1, .lanes = 8, .shard_rows = 16, .threads = 2});
  return gradient_error(engine, batch);
}

/// The points of a grid on [-reach, reach]^2 with `n` cells on a side, at their middles.
template <class T>
Matrix<T> grid(Index n, double reach) {
  Matrix<T> points(n * n, 2);
  for (Index i = 0; i < n * n; ++i) {
    points(i, 0) = static_cast<T>(reach * (2 * (static_cast<double>(i / n) + 0.5) / static_cast<double>(n) - 1));
    points(i, 1) = static_cast<T>(reach * (2 * (static_cast<double>(i % n) + 0.5) / static_cast<double>(n) - 1));
  }
  return points;
}

/// Integral of a two-dimensional model's density over a square, by the midpoint rule.
inline double total_probability(Engine<double>& engine, Index n, double reach) {
  const Matrix<double> points = grid<double>(n, reach);
  std::vector<double> log_prob(static_cast<std::size_t>(points.rows()));
  engine.log_prob(rows_of(points), log_prob);
  double sum = 0;
  for (const double l : log_prob) sum += std::exp(l);
  return sum * std::pow(2 * reach / static_cast<double>(n), 2);
}

/// Trains everything; no rows: the objective draws from the model alone.
template <class T>
TrainingResult train(Engine<T>& engine, const Optimizer<T>& optimizer, const Rows<T>& rows, std::int64_t steps,
                     Index batch_size = 0) {
  Training<T> training;
  training.engine = &engine;
  training.train = rows;
  training.optimizer = &optimizer;
  training.ranges = {{0, engine.model().layout.parameter_size, 1, 0}};
  training.steps = steps;
  training.batch_size = batch_size;
  training.seed = engine.settings().seed;
  return train_by_gradient(training);
}

}  // namespace pushforward::test
