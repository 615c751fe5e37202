// One plugin in many wrong ways: what the registration says is falsified by macros; without any, it is a good one.
#ifdef PLUGIN_EIGEN_ALIGNMENT
#undef EIGEN_MAX_ALIGN_BYTES
#define EIGEN_MAX_ALIGN_BYTES PLUGIN_EIGEN_ALIGNMENT
#endif

#include "pushforward/plugin.h"

#include <cstdlib>
#include <stdexcept>

#ifndef PLUGIN_MAGIC
#define PLUGIN_MAGIC ::pushforward::kPluginMagic
#endif
#ifndef PLUGIN_STRUCT_SIZE
#define PLUGIN_STRUCT_SIZE sizeof(::pushforward::PluginInfo)
#endif
#ifndef PLUGIN_API
#define PLUGIN_API ::pushforward::kPluginApi
#endif
#ifndef PLUGIN_ABI_KIND
#define PLUGIN_ABI_KIND 1
#endif
#ifndef PLUGIN_COMPONENT_SIZE
#define PLUGIN_COMPONENT_SIZE sizeof(::pushforward::ComponentInfo)
#endif
#ifndef PLUGIN_FIELD_SIZE
#define PLUGIN_FIELD_SIZE sizeof(::pushforward::Field)
#endif
#ifndef PLUGIN_EXAMPLE_SIZE
#define PLUGIN_EXAMPLE_SIZE sizeof(::pushforward::Example)
#endif
#ifndef PLUGIN_ABI
#define PLUGIN_ABI ::pushforward::kAbi
#endif
#ifndef PLUGIN_CPU
#define PLUGIN_CPU ::pushforward::compiled_cpu_features()
#endif
#ifndef PLUGIN_EIGEN_VERSION
#define PLUGIN_EIGEN_VERSION ::pushforward::kEigenVersion
#endif
#ifndef PLUGIN_LICENCE
#define PLUGIN_LICENCE "MIT"
#endif
#ifndef PLUGIN_TABLE
#define PLUGIN_TABLE kComponents
#endif

namespace {

using namespace pushforward;  // NOLINT: one component, one file

#ifdef PLUGIN_RUNS_CODE
/// Runs when the library is loaded; a plugin that is refused must not get so far.
const int kRan = ::setenv("PUSHFORWARD_TEST_BAD_PLUGIN_RAN", "yes", 1);
#endif
#ifdef PLUGIN_CALLS_WHAT_IS_NOWHERE
extern "C" void pushforward_test_nowhere();
#endif

template <class T>
class Nothing final : public Bijector<T> {
 public:
  explicit Nothing(Build<T>&) {
#ifdef PLUGIN_FACTORY_THROWS
    throw std::length_error("the factory throws on purpose");
#endif
#ifdef PLUGIN_CALLS_WHAT_IS_NOWHERE
    pushforward_test_nowhere();
#endif
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return {x, pass.tape.full(x.rows(), 1, T(0))}; }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return forward(y, pass); }
};

constexpr Example kExamples[] = {{"default", "nothing_at_all"}};

constexpr ComponentInfo kComponents[] = {
#ifdef PLUGIN_HAS_NO_FACTORY
    {"bijector", "nothing_at_all", "", nullptr, 0, kExamples, 1, nullptr, nullptr, ""},
#else
    describe<Nothing>("bijector", "nothing_at_all", "Does nothing", nullptr, kExamples),
#endif
#ifdef PLUGIN_REGISTERS_TWICE
    describe<Nothing>("bijector", "nothing_at_all", "Does nothing, again", nullptr, kExamples),
#endif
};

}  // namespace

extern "C" PUSHFORWARD_EXPORT const PluginInfo pushforward_plugin;
constinit const PluginInfo pushforward_plugin = {PLUGIN_MAGIC,
                                                 PLUGIN_STRUCT_SIZE,
                                                 PLUGIN_API,
                                                 PLUGIN_ABI_KIND,
                                                 PLUGIN_COMPONENT_SIZE,
                                                 PLUGIN_FIELD_SIZE,
                                                 PLUGIN_EXAMPLE_SIZE,
                                                 0,
                                                 PLUGIN_ABI,
                                                 PLUGIN_CPU,
                                                 PLUGIN_EIGEN_VERSION,
                                                 kEigenAlignment,
                                                 "nothing_at_all",
                                                 "1.2.3",
                                                 PLUGIN_LICENCE,
                                                 PLUGIN_TABLE,
                                                 std::size(kComponents)};
