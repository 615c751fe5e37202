#include "verification/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "flow_maps.h"

namespace pushforward::verification {
namespace {

/// The pass of a shard with the context of its rows.
template <class T>
Pass<T> with_rows_of(const Pass<T>& outer, Block<const T> context, Index first, Index count) {
  Pass<T> pass = outer;
  if (context.data) pass.context = pass.tape.constant(context.middle_rows(first, count));
  return pass;
}

template <class T>
void copy_into(Matrix<T>& to, Index first, Block<const T> from) {
  for (Index j = 0; j < to.columns(); ++j) std::copy_n(from.column(j), from.rows, to.block().column(j) + first);
}

/// One row for each of `count`, of what may be one for all.
template <class T>
void spread_into(Matrix<T>& to, Index first, Index count, Block<const T> from) {
  for (Index j = 0; j < to.columns(); ++j)
    for (Index i = 0; i < count; ++i) to(first + i, j) = from(from.rows == 1 ? 0 : i, j);
}

constexpr double kNormalAgreement = 1e-3;  // nats, over max(1, |log_prob|): float32 sums of many elements

}  // namespace

template <class T>
std::string GatheredRows<T>::name_of(Index row) const {
  for (const Part& part : parts)
    if (row < part.first + part.count)
      return fmt::format("row {} of {}", numbers[static_cast<std::size_t>(row)], part.name);
  throw std::logic_error("there is no such row");
}

std::vector<Index> some_of(std::vector<Index> from, Index limit, std::uint64_t seed) {
  const auto n = static_cast<Index>(from.size());
  if (n <= limit) return from;
  std::vector<Index> order(from.size());
  random_permutation(seed, static_cast<std::uint32_t>(DrawStep::round_trip), 0, n, order.data());
  order.resize(static_cast<std::size_t>(limit));
  std::sort(order.begin(), order.end());
  for (Index& place : order) place = from[static_cast<std::size_t>(place)];
  return order;
}

template <class T>
Matrix<T> picked(Block<const T> from, const std::vector<Index>& rows) {
  if (!from.data) return {};
  Matrix<T> to(static_cast<Index>(rows.size()), from.columns);
  for (Index j = 0; j < from.columns; ++j)
    for (Index i = 0; i < to.rows(); ++i) to(i, j) = from(rows[static_cast<std::size_t>(i)], j);
  return to;
}

template <class To, class From>
Matrix<To> converted(Block<const From> from) {
  if (!from.data) return {};
  Matrix<To> to(from.rows, from.columns);
  for (Index j = 0; j < from.columns; ++j)
    for (Index i = 0; i < from.rows; ++i) to(i, j) = static_cast<To>(from(i, j));
  return to;
}

template <class T>
GatheredRows<T> gather_rows(const std::vector<const Split<T>*>& splits, Index limit, std::uint64_t seed) {
  GatheredRows<T> gathered;
  std::vector<std::vector<Index>> chosen;
  Index total = 0;
  for (const Split<T>* split : splits) {
    std::vector<Index> all(static_cast<std::size_t>(split->rows()));
    std::iota(all.begin(), all.end(), Index{0});
    chosen.push_back(some_of(std::move(all), limit, seed));
    const auto count = static_cast<Index>(chosen.back().size());
    gathered.parts.push_back({split->name, total, count});
    gathered.numbers.insert(gathered.numbers.end(), chosen.back().begin(), chosen.back().end());
    total += count;
  }
  if (total == 0) return gathered;
  const Split<T>& like = *splits.front();
  const bool weighted =
      std::any_of(splits.begin(), splits.end(), [](const Split<T>* s) { return s->weights.columns() > 0; });
  Split<T>& rows = gathered.rows;
  rows.data = Matrix<T>(total, like.data.columns());
  if (like.context.columns() > 0) rows.context = Matrix<T>(total, like.context.columns());
  if (weighted) {
    rows.weights = Matrix<T>(total, 1);
    std::fill_n(rows.weights.block().data, total, T(1));  // a file may come without
  }
  for (std::size_t k = 0; k < splits.size(); ++k) {
    const Index first = gathered.parts[k].first;
    copy_into<T>(rows.data, first, picked<T>(splits[k]->data, chosen[k]));
    if (like.context.columns() > 0) copy_into<T>(rows.context, first, picked<T>(splits[k]->context, chosen[k]));
    if (splits[k]->weights.columns() > 0) copy_into<T>(rows.weights, first, picked<T>(splits[k]->weights, chosen[k]));
    if (!like.log_det.empty())
      for (const Index i : chosen[k]) rows.log_det.push_back(splits[k]->log_det[static_cast<std::size_t>(i)]);
  }
  return gathered;
}

template <class T>
void copy_numbers(const Model<T>& from, Model<double>& to) {
  const auto paths = [](const Layout& layout) {
    std::vector<std::string> all;
    for (const ParameterInfo& p : layout.parameters) all.push_back(fmt::format("{} {}", p.path, p.handle.offset));
    for (const StateInfo& s : layout.states) all.push_back(fmt::format("{} {}", s.path, s.handle.offset));
    return all;
  };
  if (paths(from.layout) != paths(to.layout))
    throw std::logic_error("a model has other numbers in float64 than in its own precision");
  to.store.parameters.assign(from.store.parameters.begin(), from.store.parameters.end());
  to.store.real_state.assign(from.store.real_state.begin(), from.store.real_state.end());
  to.store.integer_state = from.store.integer_state;
}

template <class T>
std::vector<double> base_log_prob(Engine<T>& engine, Block<const T> points, Block<const T> context) {
  std::vector<double> log_prob(static_cast<std::size_t>(points.rows));
  const Distribution<T>& model = *engine.model().distribution;
  engine.for_each_shard(points.rows, 0, Mode::evaluate, [&](const Pass<T>& outer, Index first, Index count) {
    const Pass<T> pass = with_rows_of(outer, context, first, count);
    const Var<T> x = pass.tape.constant(points.middle_rows(first, count));
    const Var<T> values = innermost_base(model).log_prob(x, base_pass(model, pass));
    for (Index i = 0; i < count; ++i)
      log_prob[static_cast<std::size_t>(first + i)] = static_cast<double>(values.value().data[i]);
  });
  return log_prob;
}

template <class T>
Matrix<T> draw_from_base(Engine<T>& engine, Index n, Block<const T> context, DrawStep step) {
  const Distribution<T>& model = *engine.model().distribution;
  Matrix<T> draws(n, innermost_base(model).event_shape().size());
  engine.for_each_shard(n, static_cast<std::uint32_t>(step), Mode::evaluate,
                        [&](const Pass<T>& outer, Index first, Index count) {
                          const Pass<T> pass = with_rows_of(outer, context, first, count);
                          const Var<T> x = innermost_base(model).sample(count, base_pass(model, pass)).value;
                          copy_into<T>(draws, first, x.value());
                        });
  return draws;
}

template <class T>
NormalBase<T> normal_base(Engine<T>& engine, Block<const T> points, Block<const T> context) {
  const Distribution<T>& model = *engine.model().distribution;
  NormalBase<T> base{Matrix<T>(points.rows, points.columns), Matrix<T>(points.rows, points.columns)};
  std::vector<std::uint8_t> known(static_cast<std::size_t>(points.rows), 0);
  engine.for_each_shard(points.rows, 0, Mode::evaluate, [&](const Pass<T>& outer, Index first, Index count) {
    const Pass<T> pass = with_rows_of(outer, context, first, count);
    const Moments<T> moments = innermost_base(model).moments(base_pass(model, pass));
    if (!moments.mean || !moments.variance) return;
    spread_into<T>(base.mean, first, count, moments.mean.value());
    spread_into<T>(base.deviation, first, count, moments.variance.value());
    std::fill_n(known.begin() + first, count, std::uint8_t{1});
  });
  if (std::find(known.begin(), known.end(), 0) != known.end()) return {};
  const std::vector<double> log_prob = base_log_prob(engine, points, context);
  for (Index i = 0; i < points.rows; ++i) {
    double normal = 0;
    for (Index j = 0; j < points.columns; ++j) {
      base.deviation(i, j) = std::sqrt(base.deviation(i, j));
      const double u = static_cast<double>((points(i, j) - base.mean(i, j)) / base.deviation(i, j));
      normal -= 0.5 * (u * u + std::log(2 * M_PI)) + std::log(static_cast<double>(base.deviation(i, j)));
    }
    const double there = log_prob[static_cast<std::size_t>(i)];
    if (std::isfinite(normal) && !(std::abs(there - normal) <= kNormalAgreement * std::max(1.0, std::abs(normal))))
      return {};
  }
  return base;
}

template <class T>
Matrix<T> contexts_for(const Subject<T>& subject, Index n) {
  const Block<const T> rows = subject.context();
  if (!rows.data) return {};
  Matrix<T> contexts(n, rows.columns);
  for (Index j = 0; j < rows.columns; ++j)
    for (Index i = 0; i < n; ++i) contexts(i, j) = rows(i % rows.rows, j);
  return contexts;
}

#define PUSHFORWARD_SUBJECT(T)                                                                     \
  template struct GatheredRows<T>;                                                                 \
  template GatheredRows<T> gather_rows(const std::vector<const Split<T>*>&, Index, std::uint64_t); \
  template void copy_numbers(const Model<T>&, Model<double>&);                                     \
  template std::vector<double> base_log_prob(Engine<T>&, Block<const T>, Block<const T>);          \
  template Matrix<T> draw_from_base(Engine<T>&, Index, Block<const T>, DrawStep);                  \
  template NormalBase<T> normal_base(Engine<T>&, Block<const T>, Block<const T>);                  \
  template Matrix<T> contexts_for(const Subject<T>&, Index);                                       \
  template Matrix<double> converted<double>(Block<const T>);                                       \
  template Matrix<T> picked(Block<const T>, const std::vector<Index>&);
PUSHFORWARD_SUBJECT(float)
PUSHFORWARD_SUBJECT(double)
#undef PUSHFORWARD_SUBJECT

}  // namespace pushforward::verification
