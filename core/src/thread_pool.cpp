#include "pushforward/thread_pool.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pushforward {

namespace {
/// Looks at a changing value for a few microseconds before going to sleep: steps of a small model follow each other
/// faster than a sleeping thread wakes.
constexpr int kSpins = 2000;

void pause() { __builtin_ia32_pause(); }

template <class V>
void wait_while(const std::atomic<V>& value, V old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}
}  // namespace

struct ThreadPool::Impl {
  explicit Impl(int threads) {
    for (int worker = 1; worker < threads; ++worker) workers.emplace_back([this, worker] { serve(worker); });
  }
  ~Impl() {
    stopping.store(true);
    round.fetch_add(1);
    round.notify_all();
  }

  void serve(int worker) {
    for (std::uint32_t seen = 0;;) {
      wait_while(round, seen);
      seen = round.load();
      if (stopping.load()) return;
      work(worker);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) busy.notify_one();
    }
  }

  void work(int worker) {
    for (Index task; (task = next.fetch_add(1)) < tasks;) {
      try {
        function(context, task, worker);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (task < failed) {
          failed = task;
          failure = std::current_exception();
        }
      }
    }
  }

  std::atomic<std::uint32_t> round{0};
  std::atomic<bool> stopping{false};
  std::atomic<int> busy{0};
  std::atomic<Index> next{0};
  Index tasks = 0;
  void (*function)(void*, Index, int) = nullptr;
  void* context = nullptr;
  std::mutex mutex;
  Index failed = 0;
  std::exception_ptr failure;
  std::vector<std::jthread> workers;  // the last member: joined before the others go
};

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  impl_ = std::make_unique<Impl>(threads);
}
ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return static_cast<int>(impl_->workers.size()) + 1; }

void ThreadPool::run(Index tasks, void (*function)(void*, Index, int), void* context) {
  Impl& p = *impl_;
  p.tasks = tasks;
  p.function = function;
  p.context = context;
  p.failed = tasks;
  p.failure = nullptr;
  p.next.store(0);
  const bool alone = p.workers.empty() || tasks <= 1;
  if (!alone) {
    p.busy.store(static_cast<int>(p.workers.size()));
    p.round.fetch_add(1, std::memory_order_acq_rel);
    p.round.notify_all();
  }
  p.work(0);
  if (!alone)
    for (int left; (left = p.busy.load(std::memory_order_acquire)) != 0;) wait_while(p.busy, left);
  if (p.failure) {
    const std::exception_ptr failure = std::exchange(p.failure, nullptr);
    std::rethrow_exception(failure);
  }
}

}  // namespace pushforward
