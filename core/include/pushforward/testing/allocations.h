// How many heap allocations a thread has made, for the check that a steady step makes none.
//
// A program that wants the check includes count_allocations.h in one of its sources; in others it does not apply.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

namespace pushforward::testing {

struct AllocationCount {
  static inline std::atomic<std::int64_t> program = 0;  // of all threads
  static inline thread_local std::int64_t thread = 0;   // of this one
};

/// Whether this program counts: asked by making one allocation.
inline bool counts_allocations() {
  const std::int64_t before = AllocationCount::thread;
  ::operator delete(::operator new(1));
  return AllocationCount::thread != before;
}

}  // namespace pushforward::testing
