#pragma once

#include <memory>
#include <string>

#include "pushforward/plugin.h"

namespace pushforward {

/// A shared library that passed the handshake. It stays loaded as long as `handle` lives.
struct OpenLibrary {
  std::shared_ptr<void> handle;
  const PluginInfo* info = nullptr;
  std::string checksum;
};

/// Loads a library and compares its registration with this program. Throws PluginError. None of the plugin's
/// functions is called.
OpenLibrary open_library(const std::string& file);

}  // namespace pushforward
