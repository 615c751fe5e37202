// The plugin boundary: one exported constant object, compared before anything of the plugin runs.
#pragma once

#include <eigen3/Eigen/src/Core/util/Macros.h>

#include <cstddef>
#include <cstdint>

#include "pushforward/build.h"
#include "pushforward/schema.h"
#include "pushforward/version.h"

namespace pushforward {

inline constexpr std::uint32_t kPluginMagic = 0x50465750;  // "PWFP"
/// Raised with every change of an interface; tests/interfaces holds what the interfaces of this number look like.
inline constexpr std::uint32_t kPluginApi = 4;

/// CPU features that a library was compiled for, as bits in the order of kCpuFeatureNames.
inline constexpr const char* kCpuFeatureNames[] = {"avx", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl",
                                                   "sse4.2"};
constexpr std::uint64_t compiled_cpu_features() {
  std::uint64_t bits = 0;
#ifdef __AVX__
  bits |= 1u << 0;
#endif
#ifdef __AVX2__
  bits |= 1u << 1;
#endif
#ifdef __FMA__
  bits |= 1u << 2;
#endif
#ifdef __AVX512F__
  bits |= 1u << 3;
#endif
#ifdef __AVX512DQ__
  bits |= 1u << 4;
#endif
#ifdef __AVX512BW__
  bits |= 1u << 5;
#endif
#ifdef __AVX512VL__
  bits |= 1u << 6;
#endif
#ifdef __SSE4_2__
  bits |= 1u << 7;
#endif
  return bits;
}

#define PUSHFORWARD_STRING_(x) #x
#define PUSHFORWARD_STRING(x) PUSHFORWARD_STRING_(x)
#ifdef __clang__
#define PUSHFORWARD_COMPILER "clang-" PUSHFORWARD_STRING(__clang_major__)
#else
#define PUSHFORWARD_COMPILER "gcc-" PUSHFORWARD_STRING(__GNUC__)
#endif
#ifdef _GLIBCXX_DEBUG
#define PUSHFORWARD_DEBUG_STL "glibcxx-debug"
#else
#define PUSHFORWARD_DEBUG_STL "glibcxx-release"
#endif

/// Everything that must agree for C++ objects to cross the boundary, as one printable string.
inline constexpr const char kAbi[] = PUSHFORWARD_COMPILER
    ";abi-" PUSHFORWARD_STRING(__GXX_ABI_VERSION) ";cxx11-abi-" PUSHFORWARD_STRING(
        _GLIBCXX_USE_CXX11_ABI) ";" PUSHFORWARD_DEBUG_STL ";pushforward-" PUSHFORWARD_VERSION_MAJOR_MINOR;

/// The second belt: Eigen's version and alignment, as compiled.
inline constexpr std::uint32_t kEigenVersion =
    EIGEN_WORLD_VERSION * 10000 + EIGEN_MAJOR_VERSION * 100 + EIGEN_MINOR_VERSION;
#ifndef EIGEN_MAX_ALIGN_BYTES
#define EIGEN_MAX_ALIGN_BYTES 0
#endif
inline constexpr std::uint32_t kEigenAlignment = EIGEN_MAX_ALIGN_BYTES;

/// One component: kind, name, schema, examples, and a factory for each precision (none: not registered for it). A
/// factory returns an object that the caller owns, of the class template that the kind stands for.
struct ComponentInfo {
  const char* kind;
  const char* name;
  const char* summary;
  const Field* fields;
  std::size_t field_count;
  const Example* examples;
  std::size_t example_count;
  ComponentBase* (*make_float)(Build<float>&);
  ComponentBase* (*make_double)(Build<double>&);
  const char* documentation;  // Markdown: formula, reference, notes; may be empty
};

/// What a plugin exports, and all that is looked at before everything matches.
struct PluginInfo {
  std::uint32_t magic;
  std::uint32_t struct_size;
  std::uint32_t api;
  std::uint32_t abi_kind;        // 1: C++ interfaces of this toolkit; others are for the future
  std::uint32_t component_size;  // bytes of an entry of each table, which are read by these
  std::uint32_t field_size;
  std::uint32_t example_size;
  std::uint32_t reserved;
  const char* abi;
  std::uint64_t cpu_features;
  std::uint32_t eigen_version;
  std::uint32_t eigen_alignment;
  const char* name;
  const char* version;
  const char* licence;
  const ComponentInfo* components;
  std::size_t component_count;
};

template <class T, template <class> class C>
ComponentBase* construct(Build<T>& build) {
  return new C<T>(build);
}

/// A component whose class template is C, made from a Build by its constructor.
template <template <class> class C, std::size_t F, std::size_t E>
constexpr ComponentInfo describe(const char* kind, const char* name, const char* summary, const Field (&fields)[F],
                                 const Example (&examples)[E], const char* documentation = "") {
  return {kind, name, summary, fields, F, examples, E, &construct<float, C>, &construct<double, C>, documentation};
}
template <template <class> class C, std::size_t E>
constexpr ComponentInfo describe(const char* kind, const char* name, const char* summary, std::nullptr_t,
                                 const Example (&examples)[E], const char* documentation = "") {
  return {kind, name, summary, nullptr, 0, examples, E, &construct<float, C>, &construct<double, C>, documentation};
}

}  // namespace pushforward

/// The one registration of a plugin: `PUSHFORWARD_PLUGIN("name", "1.0", "MIT", kComponents)`, at namespace scope, with
/// `constexpr pushforward::ComponentInfo kComponents[] = {...}`.
#define PUSHFORWARD_PLUGIN(NAME, VERSION, LICENCE, COMPONENTS)                                                     \
  extern "C" PUSHFORWARD_EXPORT const ::pushforward::PluginInfo pushforward_plugin;                                \
  constinit const ::pushforward::PluginInfo pushforward_plugin = {::pushforward::kPluginMagic,                     \
                                                                  sizeof(::pushforward::PluginInfo),               \
                                                                  ::pushforward::kPluginApi,                       \
                                                                  1,                                               \
                                                                  sizeof(::pushforward::ComponentInfo),            \
                                                                  sizeof(::pushforward::Field),                    \
                                                                  sizeof(::pushforward::Example),                  \
                                                                  0,                                               \
                                                                  ::pushforward::kAbi,                             \
                                                                  ::pushforward::compiled_cpu_features(),          \
                                                                  ::pushforward::kEigenVersion,                    \
                                                                  ::pushforward::kEigenAlignment,                  \
                                                                  NAME,                                            \
                                                                  VERSION,                                         \
                                                                  LICENCE,                                         \
                                                                  COMPONENTS,                                      \
                                                                  sizeof(COMPONENTS) / sizeof((COMPONENTS)[0])}
