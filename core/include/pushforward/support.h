// Densities on intervals: minus infinity in rows with an element outside, whatever a formula would make of it.
#pragma once

#include <span>
#include <utility>

#include "pushforward/bijector.h"
#include "pushforward/operations.h"

namespace pushforward {

/// The intervals that the elements of an event may lie in: ends of all of them (one number), or of each. Views memory
/// of its owner. An end belongs to its interval unless it is infinite, or `open` says otherwise.
template <class T>
struct PUSHFORWARD_EXPORT Intervals {
  std::span<const T> lower, upper;
  bool open_lower = false, open_upper = false;

  /// The whole line is no restriction at all.
  bool unbounded() const;
  /// The smallest and the largest number of an element's interval.
  T first(Index element) const;
  T last(Index element) const;
  /// A NaN is not inside.
  bool contains(T value, Index element) const { return value >= first(element) && value <= last(element); }
};

/// For every element of y, N x D: 1 inside of its interval, 0 outside, NaN for a NaN. None if all lie inside (or are
/// NaN), which is what a density nearly always sees.
template <class T>
PUSHFORWARD_EXPORT Var<T> elements_inside(Var<T> y, const Intervals<T>& support);

/// log_prob, N x 1, but minus infinity in rows of `inside` that hold a 0 and NaN in those that hold a NaN; those rows
/// have no gradient. `inside` is N x K.
template <class T>
PUSHFORWARD_EXPORT Var<T> where_inside(Var<T> inside, Var<T> log_prob);

/// log_prob(y) on the support, minus infinity in rows with an element outside of it. There the gradient is zero, for
/// y and for parameters. A row with a NaN stays NaN.
///
/// `log_prob` is a function of N x D to N x 1. It sees `stand_in` (1 x 1 or 1 x D; where it is finite with finite
/// derivatives) instead of what lies outside, because the derivative of what it makes of that may be NaN, and NaN
/// times zero is no zero.
template <class T, class Formula>
Var<T> on_support(Var<T> y, const Intervals<T>& support, Var<T> stand_in, Formula&& log_prob) {
  const Var<T> inside = elements_inside(y, support);
  if (!inside) return std::forward<Formula>(log_prob)(y);
  return where_inside(inside, std::forward<Formula>(log_prob)(select(inside, y, stand_in)));
}

}  // namespace pushforward
