// Counts heap allocations: include in one source of a program, because it replaces operator new. Memory that is not
// asked for by operator new (malloc inside of a library) is not counted.
#pragma once

#include <cstdlib>

#include "pushforward/testing/allocations.h"

namespace pushforward::testing {

inline void* counted_allocation(std::size_t bytes, std::size_t alignment) noexcept {
  AllocationCount::program.fetch_add(1, std::memory_order_relaxed);
  ++AllocationCount::thread;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded ? rounded : alignment);
}
inline void* counted_or_throw(std::size_t bytes, std::size_t alignment) {
  if (void* p = counted_allocation(bytes, alignment)) return p;
  throw std::bad_alloc();
}

}  // namespace pushforward::testing

// The forms that the library uses, so that none is left to a sanitizer's own; not inlined, or the compiler sees memory
// of new given to free.
#define PUSHFORWARD_COUNTING __attribute__((noinline))
#define PUSHFORWARD_COUNTING_NEW_AND_DELETE(SUFFIX)                                                                   \
  PUSHFORWARD_COUNTING void* operator new SUFFIX(std::size_t bytes) {                                                 \
    return pushforward::testing::counted_or_throw(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);                           \
  }                                                                                                                   \
  PUSHFORWARD_COUNTING void* operator new SUFFIX(std::size_t bytes, std::align_val_t alignment) {                     \
    return pushforward::testing::counted_or_throw(bytes, static_cast<std::size_t>(alignment));                        \
  }                                                                                                                   \
  PUSHFORWARD_COUNTING void* operator new SUFFIX(std::size_t bytes, const std::nothrow_t&) noexcept {                 \
    return pushforward::testing::counted_allocation(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);                         \
  }                                                                                                                   \
  PUSHFORWARD_COUNTING void operator delete SUFFIX(void* p) noexcept { std::free(p); }                                \
  PUSHFORWARD_COUNTING void operator delete SUFFIX(void* p, std::size_t) noexcept { std::free(p); }                   \
  PUSHFORWARD_COUNTING void operator delete SUFFIX(void* p, std::align_val_t) noexcept { std::free(p); }              \
  PUSHFORWARD_COUNTING void operator delete SUFFIX(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); } \
  PUSHFORWARD_COUNTING void operator delete SUFFIX(void* p, const std::nothrow_t&) noexcept { std::free(p); }
PUSHFORWARD_COUNTING_NEW_AND_DELETE()
PUSHFORWARD_COUNTING_NEW_AND_DELETE([])
#undef PUSHFORWARD_COUNTING_NEW_AND_DELETE
#undef PUSHFORWARD_COUNTING
