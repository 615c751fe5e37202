// A small pool of threads. Work is an index range; the caller works too.
#pragma once

#include <memory>

#include "pushforward/shape.h"

namespace pushforward {

class PUSHFORWARD_EXPORT ThreadPool {
 public:
  /// `threads` workers in total, the caller included; 0: as many as the machine has.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  int threads() const;

  /// Calls `function(context, task, worker)` for every task in 0..tasks-1; returns when all are done. The exception
  /// of the lowest task that threw is rethrown. Allocates nothing.
  void run(Index tasks, void (*function)(void* context, Index task, int worker), void* context);

  template <class F>
  void run(Index tasks, F&& f) {
    run(
        tasks, [](void* c, Index task, int worker) { (*static_cast<std::remove_reference_t<F>*>(c))(task, worker); },
        &f);
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pushforward
