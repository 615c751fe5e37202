#include "small_model.h"

#include <cmath>
#include <numbers>

#include "case.h"
#include "pushforward/operations.h"

namespace pushforward::testing {

template <class T>
Parameter append_parameter(Layout& layout, Store<T>& store, const std::string& path, const std::vector<double>& start) {
  const Parameter handle{layout.parameter_size, 1, static_cast<Index>(start.size()), Role::other, false};
  layout.parameters.push_back({path, handle});
  layout.parameter_size += round_up(handle.size(), kPadding);
  store.parameters.resize(static_cast<std::size_t>(layout.parameter_size), T(0));
  for (std::size_t i = 0; i < start.size(); ++i)
    store.parameters[static_cast<std::size_t>(handle.offset) + i] = static_cast<T>(start[i]);
  return handle;
}

namespace {

/// Numbers that are all different, and exact in float32.
std::vector<double> spread(Index count, double about) {
  std::vector<double> all;
  for (Index i = 0; i < count; ++i) all.push_back(about + 0.125 * static_cast<double>(i % 5 - 2));
  return all;
}

}  // namespace

template <class T>
SmallMap<T>::SmallMap(Layout& layout, Store<T>& store, Index size)
    : size_(size),
      b_(append_parameter(layout, store, "small.offset", spread(size, 0.25))),
      s_(append_parameter(layout, store, "small.log_scale", spread(size, 0.125))),
      c_(append_parameter(layout, store, "small.bend", spread(size, 0.5))) {}

template <class T>
Var<T> SmallMap<T>::shift(Index j, Var<T> before, const Pass<T>& pass) const {
  const Var<T> offset = columns_of(pass(b_), j);
  return before ? tanh(before) * columns_of(pass(c_), j) + offset : offset;
}

template <class T>
Var<T> SmallMap<T>::log_det(Var<T> x, const Pass<T>& pass) const {
  return repeat_rows(row_sum(pass(s_)), x.rows());
}

template <class T>
Mapped<T> SmallMap<T>::forward(Var<T> x, const Pass<T>& pass) const {
  require_columns("small flow", x.columns(), size_);
  Var<T> y, before;
  for (Index j = 0; j < size_; ++j) {
    const Var<T> here = columns(x, j, 1);
    const Var<T> moved = here * exp(log_scale(j, pass)) + shift(j, before, pass);
    y = y ? concatenate({y, moved}) : moved;
    before = here;
  }
  return {y, log_det(x, pass)};
}

template <class T>
Mapped<T> SmallMap<T>::inverse(Var<T> y, const Pass<T>& pass) const {
  require_columns("small flow", y.columns(), size_);
  Var<T> x, before;
  for (Index j = 0; j < size_; ++j) {
    before = (columns(y, j, 1) - shift(j, before, pass)) * exp(-log_scale(j, pass));
    x = x ? concatenate({x, before}) : before;
  }
  return {x, -log_det(y, pass)};
}

template <class T>
Traits SmallMap<T>::traits() const {
  Traits t;
  t.triangular = true;
  t.constant_log_det = true;
  return t;
}

template <class T>
Var<T> SmallFlow<T>::Base::log_prob(Var<T> y, const Pass<T>&) const {
  require_columns("standard normal", y.columns(), size_);
  const double constant = 0.5 * static_cast<double>(size_) * std::log(2 * std::numbers::pi);
  return row_sum(square(y)) * T(-0.5) - static_cast<T>(constant);
}

template <class T>
Sampled<T> SmallFlow<T>::Base::sample(Index n, const Pass<T>& pass) const {
  constexpr ComponentId kId{0x5ca1ab1e};
  const Var<T> x = pass.normal(kId, n, size_);
  return {x, log_prob(x, pass)};
}

template <class T>
SmallFlow<T>::SmallFlow(Layout& layout, Store<T>& store, Index size, Doors* doors)
    : size_(size), base_(size), map_(layout, store, size), doors_(doors) {}

template <class T>
Var<T> SmallFlow<T>::log_prob(Var<T> y, const Pass<T>& pass) const {
  if (doors_) ++doors_->log_prob;
  const Mapped<T> m = map_.inverse(y, pass);
  return base_.log_prob(m.value, pass) + m.log_det;
}

template <class T>
Sampled<T> SmallFlow<T>::sample(Index n, const Pass<T>& pass) const {
  if (doors_) ++doors_->sample;
  const Sampled<T> drawn = base_.sample(n, pass);
  const Mapped<T> m = map_.forward(drawn.value, pass);
  return {m.value, drawn.log_prob - m.log_det};
}

template <class T>
Var<T> SmallTarget<T>::log_density(Var<T> y, const Pass<T>&) const {
  if (doors_) ++doors_->target;
  require_columns("small target", y.columns(), size_);
  return row_sum(square(y - T(0.3))) * T(-0.4);
}

template <class T>
Var<T> SmallObjective<T>::rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const {
  return -model.log_prob(batch.data, pass);
}

template <class T>
double SmallDescent<T>::step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
                             OptimizerState<T>& state) const {
  const std::span<T> gradient = state.room(theta.size());
  const double loss = evaluate(theta, gradient);
  ++state.step;
  ++steps_;
  for (const ParameterRange& range : settings.ranges) {
    const T rate = static_cast<T>(kRate * settings.learning_rate_factor * range.learning_rate_factor);
    for (Index i = range.begin; i < range.end; ++i)
      theta[static_cast<std::size_t>(i)] -= rate * gradient[static_cast<std::size_t>(i)];
  }
  return loss;
}

Array small_rows(Index rows, Index columns) {
  Array a = normal_array(rows, columns, 401);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) {
      const double before = j > 0 ? a(i, j - 1) : 0;
      a(i, j) = round_to_float(1.5 * a(i, j) - 1 + 0.5 * before);
    }
  return a;
}

template Parameter append_parameter<float>(Layout&, Store<float>&, const std::string&, const std::vector<double>&);
template Parameter append_parameter<double>(Layout&, Store<double>&, const std::string&, const std::vector<double>&);
template class SmallMap<float>;
template class SmallMap<double>;
template class SmallFlow<float>;
template class SmallFlow<double>;
template class SmallTarget<float>;
template class SmallTarget<double>;
template class SmallObjective<float>;
template class SmallObjective<double>;
template class SmallDescent<float>;
template class SmallDescent<double>;

}  // namespace pushforward::testing
