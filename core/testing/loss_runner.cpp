#include "loss_runner.h"

#include <algorithm>

#include "memory.h"
#include "pushforward/testing/allocations.h"

namespace pushforward::testing {

template <class T>
LossRunner<T>::LossRunner(const Subject& subject)
    : built_(subject.make<T>(subject.surroundings)), size_(subject.surroundings.event_shape.size()) {
  objective_ = dynamic_cast<const Objective<T>*>(built_.component.get());
  if (!objective_) throw std::logic_error("the component of an objective's subject is no objective");
  own_ = built_.layout.parameter_size;
  flow_ = std::make_unique<SmallFlow<T>>(built_.layout, built_.store, size_, &doors_);
  target_ = std::make_unique<SmallTarget<T>>(size_, &doors_);
  built_.components.push_back(flow_.get());
  step_ = std::make_unique<StepRunner<T>>(built_.components, built_.layout);
}

template <class T>
bool LossRunner<T>::trained(int phase, const ParameterInfo& p) const {
  const bool own = p.handle.offset < own_;
  return own == (objective_->phases()[static_cast<std::size_t>(phase)].trains == PhaseInfo<T>::Trains::objective);
}

template <class T>
Pass<T> LossRunner<T>::make_pass(Tape<T>& tape, const LossRequest& r, const Values<T>& values, Index first_row,
                                 bool gradient) {
  Pass<T> pass{.tape = tape,
               .values = values,
               .context = {},
               .mode = r.mode,
               .stream = r.stream,
               .first_row = first_row,
               .parameter_size = built_.layout.parameter_size,
               .sinks = {}};
  if (gradient) pass.sinks.gradient = gradient_.data();
  if (r.mode == Mode::train) pass.sinks.statistics = statistics_.data();
  return pass;
}

template <class T>
template <class Seen>
void LossRunner<T>::each_shard(const LossRequest& r, const Values<T>& values, bool recorded, LossResponse& response,
                               Seen&& seen) {
  const std::vector<Index> whole = {r.rows};
  Index first = 0;
  for (const Index count : r.shards.empty() ? whole : r.shards) {
    std::vector<Index> places;
    for (Index i = 0; i < count; ++i) places.push_back(first + i);
    const Memory<T> data(r.data.columns ? r.data.select(places) : Array(), 0, 0);
    const Memory<T> weights(r.weights.columns ? r.weights.select(places) : Array(), 0, 0);
    tape_.reset();
    tape_.set_recording(recorded);
    const auto input = [&](const Memory<T>& m) { return m.block().columns ? tape_.constant(m.block()) : Var<T>(); };
    const Pass<T> pass = make_pass(tape_, r, values, first, recorded);
    const Batch<T> batch{input(data), input(weights), count, target_.get()};
    const std::int64_t before = AllocationCount::thread;
    const Var<T> rows = objective_->rows(r.phase, *flow_, batch, pass);
    response.allocations += AllocationCount::thread - before;
    if (!rows || rows.rows() != count || rows.columns() < 1)
      throw WrongResult(
          "rows: " + (rows ? std::to_string(rows.rows()) + " x " + std::to_string(rows.columns()) : "none") +
          " for a shard of " + std::to_string(count) + " rows");
    seen(rows, first);
    first += count;
  }
}

template <class T>
double LossRunner<T>::reduce(const LossRequest& r, const Values<T>& values, const Array& rows, Array& adjoint) {
  adjoint = Array(rows.rows, rows.columns);
  if (objective_->separable()) {
    double total = 0, sum = 0;
    const auto weight = [&](Index i) { return r.weights.columns ? r.weights(i, 0) : 1.0; };
    for (Index i = 0; i < rows.rows; ++i) total += weight(i);
    for (Index i = 0; i < rows.rows; ++i) {
      adjoint(i, 0) = weight(i) / total;
      if (weight(i) != 0) sum += adjoint(i, 0) * rows(i, 0);
    }
    return sum;
  }
  const Memory<T> values_of_rows(rows, 0, 0), weights(r.weights, 0, 0);
  Memory<T> gradient(rows.rows, rows.columns, 0);
  gradient.fill(0);
  reduce_tape_.reset();
  reduce_tape_.set_recording(r.gradient);
  const Pass<T> pass = make_pass(reduce_tape_, r, values, 0, r.gradient);
  const Var<T> leaf = reduce_tape_.leaf(values_of_rows.block(), gradient.block());
  const Var<T> weight = r.weights.columns ? reduce_tape_.constant(weights.block()) : Var<T>();
  const Var<T> loss = objective_->reduce(r.phase, leaf, weight, pass);
  if (!loss || loss.rows() != 1 || loss.columns() != 1) throw WrongResult("reduce: the result is not 1 x 1");
  if (r.gradient) reduce_tape_.backward(loss);
  adjoint = to_array<T>(gradient.block());
  return static_cast<double>(*loss.value().data);
}

template <class T>
LossResponse LossRunner<T>::run(const LossRequest& r) {
  const Layout& layout = built_.layout;
  const Store<T>& store = built_.store;
  parameters_ = r.parameters ? std::vector<T>(r.parameters->begin(), r.parameters->end()) : store.parameters;
  derived_.assign(static_cast<std::size_t>(layout.derived_size), T(0));
  gradient_.assign(static_cast<std::size_t>(layout.parameter_size + layout.derived_size), T(0));
  statistics_.assign(static_cast<std::size_t>(layout.statistic_size), 0.0);
  const Values<T> values{parameters_.data(), derived_.data(), store.real_state.data(), store.integer_state.data()};
  step_->prepare(values, derived_.data(), r.mode, r.stream, r.gradient ? gradient_.data() : nullptr);
  LossResponse response;
  each_shard(r, values, r.record, response, [&](Var<T> rows, Index first) {
    if (response.rows.columns == 0) response.rows = Array(r.rows, rows.columns());
    if (response.rows.columns != rows.columns())
      throw WrongResult("rows: " + std::to_string(rows.columns()) + " columns for one shard, " +
                        std::to_string(response.rows.columns) + " for another");
    for (Index j = 0; j < rows.columns(); ++j)
      for (Index i = 0; i < rows.rows(); ++i) response.rows(first + i, j) = static_cast<double>(rows.value()(i, j));
  });
  Array adjoint;
  response.loss = reduce(r, values, response.rows, adjoint);
  if (!r.gradient) return response;
  each_shard(r, values, true, response, [&](Var<T> rows, Index first) {
    std::vector<Index> places;
    for (Index i = 0; i < rows.rows(); ++i) places.push_back(first + i);
    const Memory<T> seed(adjoint.select(places), 0, 0);
    const std::int64_t before = AllocationCount::thread;
    tape_.backward(rows, seed.block());
    response.allocations += AllocationCount::thread - before;
  });
  step_->backward(gradient_.data());
  response.gradient.assign(gradient_.begin(), gradient_.begin() + layout.parameter_size);
  return response;
}

template class LossRunner<float>;
template class LossRunner<double>;

}  // namespace pushforward::testing
