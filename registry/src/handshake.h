// The handshake: whether a plugin was built like this program, found out from its one constant object.
#pragma once

#include <cstdint>
#include <string>

#include "pushforward/plugin.h"

namespace pushforward {

/// Throws PluginError naming the file, both sides' values and the remedy, at the first thing that does not match.
/// The order is that of PluginInfo: nothing behind a member is read before the member matches.
void check_handshake(const PluginInfo& plugin, const std::string& file);

/// Features of the CPU that this program runs on, bits as in compiled_cpu_features().
std::uint64_t machine_cpu_features();

}  // namespace pushforward
