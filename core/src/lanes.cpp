#include "lanes.h"

#include <algorithm>

namespace pushforward {

namespace {
/// Elements of the vectors that one task adds up: small enough to stay in a core's cache.
constexpr std::size_t kChunk = 1 << 14;

template <class V>
void add_range(V* a, const V* b, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) a[i] += b[i];
}
}  // namespace

template <class T>
void Lane<T>::resize(std::size_t gradient_size, std::size_t statistic_size) {
  gradient.resize(gradient_size);
  statistics.resize(statistic_size);
}
template <class T>
void Lane<T>::clear() {
  std::fill(gradient.begin(), gradient.end(), T(0));
  std::fill(statistics.begin(), statistics.end(), 0.0);
  loss = 0;
}
template <class T>
void Lane<T>::add(const Lane& other) {
  add_range(gradient.data(), other.gradient.data(), gradient.size());
  add_range(statistics.data(), other.statistics.data(), statistics.size());
  loss += other.loss;
}

template <class T>
LaneTree<T>::LaneTree(int lanes, std::size_t gradient_size, std::size_t statistic_size)
    : lanes_(lanes), gradient_size_(gradient_size), statistic_size_(statistic_size) {
  slots_.resize(static_cast<std::size_t>(lanes));
}

template <class T>
Lane<T>& LaneTree<T>::ready(std::size_t slot, bool with_gradient) {
  Lane<T>& lane = slots_[slot];
  lane.resize(with_gradient ? gradient_size_ : 0, statistic_size_);
  lane.clear();
  return lane;
}

template <class T>
Lane<T>& LaneTree<T>::serial_lanes(bool with_gradient, Run lane_run, void* context) {
  // A binary counter: after lane l, as many pairs of equal subtrees are complete as l + 1 has trailing zeros.
  std::size_t held = 0;
  for (int lane = 0; lane < lanes_; ++lane) {
    lane_run(context, lane, 0, ready(held++, with_gradient));
    for (int done = lane + 1; done % 2 == 0; done /= 2, --held) slots_[held - 2].add(slots_[held - 1]);
  }
  return slots_[0];
}

template <class T>
Lane<T>& LaneTree<T>::run_lanes(ThreadPool& pool, bool serial, bool with_gradient, Run lane_run, void* context) {
  if (serial || pool.threads() == 1) return serial_lanes(with_gradient, lane_run, context);
  pool.run(lanes_, [&](Index lane, int worker) {
    lane_run(context, static_cast<int>(lane), worker, ready(static_cast<std::size_t>(lane), with_gradient));
  });
  const std::size_t size = with_gradient ? gradient_size_ : 0;
  auto add_chunk = [&](Index chunk, int) {
    const std::size_t first = static_cast<std::size_t>(chunk) * kChunk;
    const std::size_t count = std::min(kChunk, size - first);
    for (int width = 1; width < lanes_; width *= 2)
      for (int lane = 0; lane + width < lanes_; lane += 2 * width)
        add_range(slots_[static_cast<std::size_t>(lane)].gradient.data() + first,
                  slots_[static_cast<std::size_t>(lane + width)].gradient.data() + first, count);
  };
  pool.run(static_cast<Index>((size + kChunk - 1) / kChunk), add_chunk);
  for (int width = 1; width < lanes_; width *= 2)
    for (int lane = 0; lane + width < lanes_; lane += 2 * width) {
      Lane<T>& a = slots_[static_cast<std::size_t>(lane)];
      const Lane<T>& b = slots_[static_cast<std::size_t>(lane + width)];
      add_range(a.statistics.data(), b.statistics.data(), a.statistics.size());
      a.loss += b.loss;
    }
  return slots_[0];
}

template struct Lane<float>;
template struct Lane<double>;
template class LaneTree<float>;
template class LaneTree<double>;

}  // namespace pushforward
