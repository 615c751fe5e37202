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

namespace {

template <class T>
T end_of(std::span<const T> ends, Index element) {
  return ends[ends.size() == 1 ? 0 : static_cast<std::size_t>(element)];
}

template <class T>
bool any_outside(Block<const T> v, const Intervals<T>& support) {
  for (Index j = 0; j < v.columns; ++j) {
    const T first = support.first(j), last = support.last(j);
    const T* column = v.column(j);
    int outside = 0;
    for (Index i = 0; i < v.rows; ++i) outside |= (column[i] < first) | (column[i] > last);
    if (outside) return true;
  }
  return false;
}

}  // namespace

template <class T>
T Intervals<T>::first(Index element) const {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T end = end_of(lower, element);
  return open_lower || end == -kInfinity ? std::nextafter(end, kInfinity) : end;
}

template <class T>
T Intervals<T>::last(Index element) const {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T end = end_of(upper, element);
  return open_upper || end == kInfinity ? std::nextafter(end, -kInfinity) : end;
}

template <class T>
Var<T> elements_inside(Var<T> y, const Intervals<T>& support) {
  const Block<const T> v = y.value();
  if (support.unbounded() || !any_outside(v, support)) return {};
  const Var<T> inside = y.tape().make(v.rows, v.columns);
  for (Index j = 0; j < v.columns; ++j) {
    const T first = support.first(j), last = support.last(j);
    for (Index i = 0; i < v.rows; ++i) {
      const T value = v(i, j);
      inside.data()(i, j) = std::isnan(value) ? value : value < first || value > last ? T(0) : T(1);
    }
  }
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
