#include "pushforward/support.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pushforward {

template <class T>
bool Intervals<T>::unbounded() const {
  const auto infinite = [](T end) { return std::isinf(end); };
  return std::all_of(lower.begin(), lower.end(), infinite) && std::all_of(upper.begin(), upper.end(), infinite);
}

template <class T>
Var<T> elements_inside(Var<T> y, const Intervals<T>& support) {
  if (support.unbounded()) return {};
  const Block<const T> v = y.value();
  const auto outside = [&](Index i, Index j) { return !std::isnan(v(i, j)) && !support.contains(v(i, j), j); };
  const auto any_outside = [&] {
    for (Index j = 0; j < v.columns; ++j)
      for (Index i = 0; i < v.rows; ++i)
        if (outside(i, j)) return true;
    return false;
  };
  if (!any_outside()) return {};
  const Var<T> inside = y.tape().make(v.rows, v.columns);
  for (Index j = 0; j < v.columns; ++j)
    for (Index i = 0; i < v.rows; ++i)
      inside.data()(i, j) = std::isnan(v(i, j)) ? v(i, j) : outside(i, j) ? T(0) : T(1);
  return inside;
}

template <class T>
Var<T> where_inside(Var<T> inside, Var<T> log_prob) {
  const Block<const T> v = inside.value();
  const Var<T> row = inside.tape().full(v.rows, 1, T(1));
  // 1 times 0 times NaN is NaN, in every order.
  for (Index j = 0; j < v.columns; ++j)
    for (Index i = 0; i < v.rows; ++i) row.data()(i, 0) *= v(i, j);
  return select(row, log_prob, inside.tape().constant(-std::numeric_limits<T>::infinity()));
}

#define PUSHFORWARD_INSTANTIATE(T)                                  \
  template struct Intervals<T>;                                     \
  template Var<T> elements_inside(Var<T> y, const Intervals<T>& s); \
  template Var<T> where_inside(Var<T> inside, Var<T> log_prob);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
