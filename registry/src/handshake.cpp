#include "handshake.h"

#include <cstring>
#include <iterator>

#include "problem_text.h"

namespace pushforward {

namespace {

constexpr const char kRebuild[] =
    "rebuild the plugin with the headers and the library of pushforward " PUSHFORWARD_VERSION;

[[noreturn]] void refuse(const std::string& file, const std::string& what, const std::string& plugin,
                         const std::string& program, const std::string& remedy) {
  throw PluginError(file + ": " + what + ": the plugin has " + plugin + ", this program " + program + "; " + remedy);
}

std::string hexadecimal(std::uint32_t number) {
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> shift & 15];
  return text;
}

std::string eigen_version(std::uint32_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

/// Names of the features that are set; bits that this toolkit has no name for by their number.
std::string feature_names(std::uint64_t bits) {
  std::string text;
  for (std::size_t bit = 0; bit < 64; ++bit) {
    if (!(bits >> bit & 1)) continue;
    const bool known = bit < std::size(kCpuFeatureNames);
    text += (text.empty() ? "" : " ") + (known ? kCpuFeatureNames[bit] : "feature-" + std::to_string(bit));
  }
  return text.empty() ? "none of them" : text;
}

void check_cpu(const PluginInfo& plugin, const std::string& file) {
  const std::uint64_t machine = machine_cpu_features();
  const std::uint64_t missing = plugin.cpu_features & ~machine;
  if (missing == 0) return;
  throw PluginError(file + ": CPU features: the plugin was compiled for " + feature_names(plugin.cpu_features) +
                    ", this machine has " + feature_names(machine) + " and lacks " + feature_names(missing) +
                    "; rebuild the plugin with PUSHFORWARD_ARCH=native on this machine, or for x86-64-v3");
}

}  // namespace

std::uint64_t machine_cpu_features() {
  std::uint64_t bits = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has[] = {__builtin_cpu_supports("avx") != 0,      __builtin_cpu_supports("avx2") != 0,
                      __builtin_cpu_supports("fma") != 0,      __builtin_cpu_supports("avx512f") != 0,
                      __builtin_cpu_supports("avx512dq") != 0, __builtin_cpu_supports("avx512bw") != 0,
                      __builtin_cpu_supports("avx512vl") != 0, __builtin_cpu_supports("sse4.2") != 0};
  static_assert(std::size(has) == std::size(kCpuFeatureNames));
  for (std::size_t bit = 0; bit < std::size(has); ++bit) bits |= std::uint64_t{has[bit]} << bit;
#endif
  return bits;
}

void check_handshake(const PluginInfo& plugin, const std::string& file) {
  if (plugin.magic != kPluginMagic)
    refuse(file, "its symbol 'pushforward_plugin' is no registration of this toolkit", hexadecimal(plugin.magic),
           hexadecimal(kPluginMagic), "register the components with PUSHFORWARD_PLUGIN");
  if (plugin.struct_size != sizeof(PluginInfo))
    refuse(file, "size of the registration in bytes", std::to_string(plugin.struct_size),
           std::to_string(sizeof(PluginInfo)), kRebuild);
  if (plugin.api != kPluginApi)
    refuse(file, "version of the plugin API", std::to_string(plugin.api), std::to_string(kPluginApi), kRebuild);
  if (plugin.abi_kind != 1) refuse(file, "kind of interface", std::to_string(plugin.abi_kind), "1", kRebuild);
  const auto sizes = [](std::size_t component, std::size_t field, std::size_t example) {
    return std::to_string(component) + ", " + std::to_string(field) + " and " + std::to_string(example);
  };
  const std::string own = sizes(sizeof(ComponentInfo), sizeof(Field), sizeof(Example)),
                    theirs = sizes(plugin.component_size, plugin.field_size, plugin.example_size);
  if (theirs != own) refuse(file, "sizes in bytes of a component, a field and an example", theirs, own, kRebuild);
  if (!plugin.abi || std::strcmp(plugin.abi, kAbi) != 0)
    refuse(file, "C++ ABI", plugin.abi ? one_line(plugin.abi) : "none", kAbi,
           "rebuild the plugin with the compiler and the settings of this program");
  check_cpu(plugin, file);
  if (plugin.eigen_version != kEigenVersion)
    refuse(file, "version of Eigen", eigen_version(plugin.eigen_version), eigen_version(kEigenVersion),
           "rebuild the plugin with the Eigen that this program was built with");
  if (plugin.eigen_alignment != kEigenAlignment)
    refuse(file, "EIGEN_MAX_ALIGN_BYTES", std::to_string(plugin.eigen_alignment), std::to_string(kEigenAlignment),
           "rebuild the plugin with pushforward_add_plugin, which sets it");
}

}  // namespace pushforward
