#include "flow_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "pushforward/operations.h"

namespace pushforward {
namespace {

/// The flows that a model consists of, the outermost first; at least one.
template <class T>
std::vector<const Distribution<T>*> flows_of(const Distribution<T>& model) {
  std::vector<const Distribution<T>*> flows;
  for (const Distribution<T>* d = &model; d->as_flow(); d = d->as_flow().base) flows.push_back(d);
  if (flows.empty())
    throw SpecError(
        fmt::format("{} is no flow, so there is no map between its events and those of a base", model.path()));
  return flows;
}

template <class T>
void require_direction(const Distribution<T>& flow, Direction direction) {
  const Bijector<T>& map = *flow.as_flow().map;
  const Traits t = map.traits();
  if ((direction == Direction::forward ? t.forward : t.inverse) == Cost::none)
    throw SpecError(
        fmt::format("{} has no {} direction", map.path(), direction == Direction::forward ? "forward" : "inverse"));
}

/// One shard through all flows.
template <class T>
Mapped<T> map_shard(const std::vector<const Distribution<T>*>& flows, Direction direction, Var<T> points,
                    const Pass<T>& outermost) {
  std::vector<const Pass<T>*> passes;
  const Pass<T>* pass = &outermost;
  for (const Distribution<T>* flow : flows) passes.push_back(pass = &flow->flow_pass(*pass));
  Mapped<T> all{points, outermost.tape.full(points.rows(), 1, T(0))};
  for (std::size_t k = 0; k < flows.size(); ++k) {
    const std::size_t i = direction == Direction::inverse ? k : flows.size() - 1 - k;
    const Bijector<T>& map = *flows[i]->as_flow().map;
    const Mapped<T> one =
        direction == Direction::inverse ? map.inverse(all.value, *passes[i]) : map.forward(all.value, *passes[i]);
    all = {one.value, add(all.log_det, one.log_det)};
  }
  return all;
}

}  // namespace

template <class T>
Index base_size(const Distribution<T>& model) {
  return flows_of(model).back()->as_flow().base->event_shape().size();
}

template <class T>
const Distribution<T>& innermost_base(const Distribution<T>& model) {
  const Distribution<T>* base = &model;
  while (const FlowView<T> flow = base->as_flow()) base = flow.base;
  return *base;
}

template <class T>
const Pass<T>& base_pass(const Distribution<T>& model, const Pass<T>& pass) {
  const Pass<T>* innermost = &pass;
  for (const Distribution<T>* d = &model; d->as_flow(); d = d->as_flow().base) innermost = &d->flow_pass(*innermost);
  return *innermost;
}

template <class T>
Traits map_traits(const Distribution<T>& model) {
  Traits all;
  for (const Distribution<T>* d = &model; d->as_flow(); d = d->as_flow().base) {
    const Traits t = d->as_flow().map->traits();
    all.forward = std::max(all.forward, t.forward);
    all.inverse = std::max(all.inverse, t.inverse);
    all.log_det = std::max(all.log_det, t.log_det);
    all.draws_forward |= t.draws_forward;
    all.draws_inverse |= t.draws_inverse;
    all.uses_draws |= t.uses_draws;
  }
  return all;
}

template <class T>
Matrix<T> map_through_flow(Engine<T>& engine, Direction direction, Block<const T> points, Block<const T> context,
                           std::span<double> log_det) {
  const Distribution<T>& model = *engine.model().distribution;
  const std::vector<const Distribution<T>*> flows = flows_of(model);
  for (const Distribution<T>* flow : flows) require_direction(*flow, direction);
  const Index base = base_size(model), data = model.event_shape().size();
  require_columns(direction == Direction::forward ? "points of the base" : "events", points.columns,
                  direction == Direction::forward ? base : data);
  Matrix<T> out(points.rows, direction == Direction::forward ? data : base);
  auto map = [&](const Pass<T>& outer, Index first, Index count) {
    Pass<T> pass = outer;
    if (context.data) pass.context = pass.tape.constant(context.middle_rows(first, count));
    const Mapped<T> mapped = map_shard(flows, direction, pass.tape.constant(points.middle_rows(first, count)), pass);
    for (Index j = 0; j < out.columns(); ++j)
      std::copy_n(mapped.value.value().column(j), count, out.block().column(j) + first);
    for (Index i = 0; i < count && !log_det.empty(); ++i)
      log_det[static_cast<std::size_t>(first + i)] = static_cast<double>(mapped.log_det.value().data[i]);
  };
  engine.for_each_shard(points.rows, 0, Mode::evaluate, map);
  return out;
}

#define PUSHFORWARD_FLOW_MAPS(T)                                             \
  template Index base_size(const Distribution<T>&);                          \
  template const Distribution<T>& innermost_base(const Distribution<T>&);    \
  template const Pass<T>& base_pass(const Distribution<T>&, const Pass<T>&); \
  template Traits map_traits(const Distribution<T>&);                        \
  template Matrix<T> map_through_flow(Engine<T>&, Direction, Block<const T>, Block<const T>, std::span<double>);
PUSHFORWARD_FLOW_MAPS(float)
PUSHFORWARD_FLOW_MAPS(double)
#undef PUSHFORWARD_FLOW_MAPS

}  // namespace pushforward
