// The loop that optimizers share: SIMD batches over one stretch of the parameter vector.
#pragma once

#include "pushforward/optimizer.h"
#include "pushforward/simd.h"

namespace pushforward {

/// Calls `f(i, lanes)` for every batch of numbers of a stretch: numbers i to i + lanes, where `lanes` is kLanes<T> but
/// for a shorter last batch. Load and store with `simd::load(p + i, lanes)` and `simd::store(p + i, v, lanes)`.
template <class T, class F>
void for_each_batch(const ParameterRange& range, F&& f) {
  constexpr Index kLanes = simd::kLanes<T>;
  Index i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) f(i, kLanes);
  if (i < range.end) f(i, range.end - i);
}

}  // namespace pushforward
