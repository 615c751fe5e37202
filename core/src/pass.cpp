#include "pushforward/pass.h"

#include <cmath>

#include "pushforward/linear_algebra.h"
#include "pushforward/operations.h"

namespace pushforward {

template <class T>
void Pass<T>::report(const Statistic& s, Var<T> rows) const {
  if (rows.columns() != s.columns)
    throw ShapeError("report: a statistic of " + std::to_string(s.columns) + " columns was given " +
                     std::to_string(rows.columns()));
  if (!sinks.statistics) return;
  for (Index j = 0; j < s.columns; ++j)
    sinks.statistics[s.offset + j] += sum_in_order(rows.value().column(j), rows.rows());
}

template <class T>
bool Pass<T>::is_finite(Var<T> v) {
  for (Index j = 0; j < v.columns(); ++j)
    for (Index i = 0; i < v.rows(); ++i)
      if (!std::isfinite(v.value()(i, j))) return false;
  return true;
}

template <class T>
Var<T> beside_context(const char* what, Var<T> x, Index columns, const Pass<T>& pass) {
  if (columns == 0) return x;
  const Index given = pass.context ? pass.context.columns() : 0;
  if (given != columns)
    throw ShapeError(std::string(what) + ": a context of " + std::to_string(columns) + " columns is expected, but got " +
                     std::to_string(given));
  return x && x.columns() > 0 ? concatenate({x, pass.context}) : pass.context;
}
template Var<float> beside_context(const char*, Var<float>, Index, const Pass<float>&);
template Var<double> beside_context(const char*, Var<double>, Index, const Pass<double>&);

template <class T>
void StepPass<T>::set(const Parameter& handle, Var<T> var) {
  if (!handle.derived) throw std::logic_error("prepare: `set` takes a derived value, not a parameter");
  if (var.rows() != handle.rows || var.columns() != handle.columns)
    throw ShapeError("prepare: a derived value of " + std::to_string(handle.rows) + " x " +
                     std::to_string(handle.columns) + " was given " + std::to_string(var.rows()) + " x " +
                     std::to_string(var.columns()));
  T* out = derived_values + handle.offset;
  for (Index j = 0; j < handle.columns; ++j)
    for (Index i = 0; i < handle.rows; ++i) out[i + j * handle.rows] = var.value()(i, j);
  derived->push_back({handle, var});
}

template class Pass<float>;
template class Pass<double>;
template class StepPass<float>;
template class StepPass<double>;

}  // namespace pushforward
