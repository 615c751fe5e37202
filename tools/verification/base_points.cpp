#include "verification/base_points.h"

#include <algorithm>
#include <cmath>

#include "flow_maps.h"

namespace pushforward::verification {
namespace {

constexpr Index kReference = 100'000, kCostlyReference = 5'000, kReferenceNumbers = 20'000'000;

template <class T>
std::vector<std::vector<double>> columns_of(Block<const T> points) {
  std::vector<std::vector<double>> columns;
  for (Index j = 0; j < points.columns; ++j) columns.emplace_back(points.column(j), points.column(j) + points.rows);
  return columns;
}

template <class T>
void standardize(const NormalBase<T>& normal, std::vector<std::vector<double>>& columns) {
  for (std::size_t j = 0; j < columns.size(); ++j)
    for (std::size_t i = 0; i < columns[j].size(); ++i) {
      const auto row = static_cast<Index>(i), column = static_cast<Index>(j);
      columns[j][i] = (columns[j][i] - static_cast<double>(normal.mean(row, column))) /
                      static_cast<double>(normal.deviation(row, column));
    }
}

/// As many contexts as `n`, those of these rows again and again.
template <class T>
Matrix<T> repeated(Block<const T> context, Index n) {
  if (!context.data) return {};
  std::vector<Index> places(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<Index>(i) % context.rows;
  return picked(context, places);
}

/// Draws of the base, or of the model where rows are compared with samples.
template <class T>
void draw_reference(const Subject<T>& subject, Block<const T> context, BasePoints& all) {
  const DistributionTraits traits = (all.of_base ? innermost_base(subject.model()) : subject.model()).traits();
  if (!traits.can_sample) return;
  const bool costly = std::max(traits.sample, traits.log_prob) > Cost::one_pass;
  const Index most = costly ? kCostlyReference : std::clamp(kReferenceNumbers / all.size, kCostlyReference, kReference);
  const Index n = context.data ? std::max<Index>(most / context.rows, 1) * context.rows : most;
  const Matrix<T> contexts = repeated(context, n);
  Matrix<T> draws;
  if (all.of_base) {
    draws = draw_from_base<T>(subject.engine, n, contexts, DrawStep::reference);
    all.reference_log_prob = base_log_prob<T>(subject.engine, draws, contexts);
  } else {
    draws = Matrix<T>(n, subject.model().event_shape().size());
    all.reference_log_prob.resize(static_cast<std::size_t>(n));
    subject.engine.sample(n, contexts, static_cast<std::uint32_t>(DrawStep::reference), draws.block(),
                          all.reference_log_prob);
  }
  all.reference = columns_of<T>(draws);
}

}  // namespace

std::vector<double> BasePoints::radii() const {
  std::vector<double> all(static_cast<std::size_t>(rows()), 0.0);
  for (const std::vector<double>& column : columns)
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += column[i] * column[i];
  return all;
}

template <class T>
BasePoints base_points(const Subject<T>& subject, const Part& part) {
  const Split<T>& rows = subject.gathered.rows;
  std::vector<double> log_prob(static_cast<std::size_t>(rows.rows()));
  subject.engine.log_prob(rows.view(), log_prob);
  std::vector<Index> places;
  for (Index i = part.first; i < part.first + part.count; ++i)
    if (std::isfinite(log_prob[static_cast<std::size_t>(i)]) && (rows.weights.columns() == 0 || rows.weights(i, 0) > 0))
      places.push_back(i);

  BasePoints all;
  all.places = places;
  all.of_base = subject.flow() && map_traits(subject.model()).inverse != Cost::none;
  all.name = all.of_base ? "z" : "x";
  if (places.empty()) return all;
  const Matrix<T> events = picked<T>(rows.data, places), context = picked<T>(subject.context(), places);
  const Matrix<T> weights = picked<T>(rows.weights.block(), places);
  for (Index i = 0; i < weights.rows(); ++i) all.weights.push_back(static_cast<double>(weights(i, 0)));
  const Matrix<T> points =
      all.of_base ? map_through_flow<T>(subject.engine, Direction::inverse, events, context, {}) : Matrix<T>();
  const Block<const T> shown = all.of_base ? points.block() : events.block();
  all.size = shown.columns;
  all.points = converted<double>(shown);
  all.columns = columns_of(shown);
  if (all.of_base) {
    all.log_prob = base_log_prob<T>(subject.engine, shown, context);
  } else {
    for (const Index i : places) all.log_prob.push_back(log_prob[static_cast<std::size_t>(i)]);
  }
  const NormalBase<T> normal = all.of_base ? normal_base<T>(subject.engine, shown, context) : NormalBase<T>();
  all.normal = static_cast<bool>(normal);
  if (all.normal)
    standardize(normal, all.columns);
  else
    draw_reference<T>(subject, context, all);
  return all;
}

template BasePoints base_points(const Subject<float>&, const Part&);
template BasePoints base_points(const Subject<double>&, const Part&);

}  // namespace pushforward::verification
