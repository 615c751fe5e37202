// The plugins of this build, for benchmarks of what users write.
#pragma once

#include <memory>

#include "pushforward/registry/registry.h"

namespace pushforward {

inline const Registry& plugins() {
  static const std::unique_ptr<Registry> registry = [] {
    auto made = std::make_unique<Registry>();
    made->add_folder(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins");
    return made;
  }();
  return *registry;
}

}  // namespace pushforward
