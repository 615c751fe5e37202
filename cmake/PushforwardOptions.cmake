# One interface target holds what every library and program of the toolkit is compiled with.
add_library(pushforward_options INTERFACE)
target_compile_features(pushforward_options INTERFACE cxx_std_20)
target_compile_options(pushforward_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-psabi
  -fno-math-errno -fno-trapping-math
  $<$<BOOL:${PUSHFORWARD_WERROR}>:-Werror>
  $<$<NOT:$<STREQUAL:${PUSHFORWARD_ARCH},>>:-march=${PUSHFORWARD_ARCH}>)
# GCC 12 sees uninitialised variables in its own AVX-512 headers (its bug 105593), wherever they are inlined, and
# overlapping copies in `"text" + std::string` (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(pushforward_options INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
if(PUSHFORWARD_SANITIZE)
  target_compile_options(pushforward_options INTERFACE -fsanitize=${PUSHFORWARD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(pushforward_options INTERFACE -fsanitize=${PUSHFORWARD_SANITIZE})
endif()
# Everything is instrumented for libFuzzer's guidance; the targets of tests/fuzz link its main program.
if(PUSHFORWARD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "PUSHFORWARD_FUZZ needs clang, which libFuzzer is a part of: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  target_compile_options(pushforward_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(pushforward_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
