// Counts heap allocations: include in one source of a test's program, as it replaces operator new.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace pushforward::test {

inline std::atomic<std::int64_t> allocation_count{0};
/// Allocations of this program since its start.
inline std::int64_t allocations() { return allocation_count.load(); }

inline void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  ++allocation_count;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* p = std::aligned_alloc(alignment, rounded ? rounded : alignment)) return p;
  throw std::bad_alloc();
}

}  // namespace pushforward::test

// The forms that the library uses, so that none is left to a sanitizer's own; not inlined, or the compiler sees memory
// of new given to free.
#define PUSHFORWARD_TEST_OPERATOR __attribute__((noinline))
#define PUSHFORWARD_TEST_NEW_AND_DELETE(SUFFIX)                                                               \
  PUSHFORWARD_TEST_OPERATOR void* operator new SUFFIX(std::size_t bytes) {                                    \
    return pushforward::test::counted_allocation(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);                    \
  }                                                                                                           \
  PUSHFORWARD_TEST_OPERATOR void* operator new SUFFIX(std::size_t bytes, std::align_val_t alignment) {        \
    return pushforward::test::counted_allocation(bytes, static_cast<std::size_t>(alignment));                 \
  }                                                                                                           \
  PUSHFORWARD_TEST_OPERATOR void* operator new SUFFIX(std::size_t bytes, const std::nothrow_t&) noexcept {    \
    return pushforward::test::counted_allocation(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);                    \
  }                                                                                                           \
  PUSHFORWARD_TEST_OPERATOR void operator delete SUFFIX(void* p) noexcept { std::free(p); }                   \
  PUSHFORWARD_TEST_OPERATOR void operator delete SUFFIX(void* p, std::size_t) noexcept { std::free(p); }      \
  PUSHFORWARD_TEST_OPERATOR void operator delete SUFFIX(void* p, std::align_val_t) noexcept { std::free(p); } \
  PUSHFORWARD_TEST_OPERATOR void operator delete SUFFIX(void* p, std::size_t, std::align_val_t) noexcept {    \
    std::free(p);                                                                                             \
  }                                                                                                           \
  PUSHFORWARD_TEST_OPERATOR void operator delete SUFFIX(void* p, const std::nothrow_t&) noexcept { std::free(p); }
PUSHFORWARD_TEST_NEW_AND_DELETE()
PUSHFORWARD_TEST_NEW_AND_DELETE([])
#undef PUSHFORWARD_TEST_NEW_AND_DELETE
#undef PUSHFORWARD_TEST_OPERATOR
