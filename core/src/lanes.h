// Lanes: gradients and sums of the shards, added in a fixed binary tree, so that the number of threads does not show.
#pragma once

#include <vector>

#include "pushforward/shape.h"
#include "pushforward/thread_pool.h"

namespace pushforward {

/// What the shards of one lane add up to.
template <class T>
struct Lane {
  std::vector<T> gradient;  // parameters, then derived values; empty if no gradient is wanted
  std::vector<double> statistics;
  double loss = 0;

  void resize(std::size_t gradient_size, std::size_t statistic_size);
  void clear();
  /// this += other
  void add(const Lane& other);
};

/// Runs `lanes` lanes, each `run(context, lane, worker, sums)`, and returns the sum of all, whose memory belongs to the
/// LaneTree. On one thread subtrees are added as soon as they are complete: log2(lanes) + 1 vectors are held. On
/// several every lane has its own, and the same tree is added up at the end. The bits are the same.
template <class T>
class LaneTree {
 public:
  LaneTree(int lanes, std::size_t gradient_size, std::size_t statistic_size);

  /// Where the sum of the gradients will be: stable from here on.
  T* total_gradient() {
    slots_[0].resize(gradient_size_, statistic_size_);
    return slots_[0].gradient.data();
  }

  template <class F>
  Lane<T>& run(ThreadPool& pool, bool serial, bool with_gradient, F&& f) {
    return run_lanes(
        pool, serial, with_gradient,
        [](void* c, int lane, int worker, Lane<T>& sums) {
          (*static_cast<std::remove_reference_t<F>*>(c))(lane, worker, sums);
        },
        &f);
  }

 private:
  using Run = void (*)(void* context, int lane, int worker, Lane<T>& sums);
  Lane<T>& run_lanes(ThreadPool& pool, bool serial, bool with_gradient, Run lane_run, void* context);
  Lane<T>& serial_lanes(bool with_gradient, Run lane_run, void* context);
  Lane<T>& ready(std::size_t slot, bool with_gradient);

  int lanes_;
  std::size_t gradient_size_, statistic_size_;
  std::vector<Lane<T>> slots_;
};

}  // namespace pushforward
