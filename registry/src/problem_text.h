// The one form in which a problem with a spec is written.
#pragma once

#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `configs/moons.yaml:4:5: error: <message>`
inline std::string problem_text(const Position& position, const std::string& message) {
  const std::string where = position.to_string();
  return where + (where.empty() ? "error: " : ": error: ") + message;
}

}  // namespace pushforward
