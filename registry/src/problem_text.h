// The one form in which a problem with a spec is written.
#pragma once

#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `configs/moons.yaml:4:5: error: <message>`, on one line: what a message repeats of a spec may hold anything, so
/// control characters are escaped, and a message too long to be read loses its middle.
std::string problem_text(const Position& position, const std::string& message);

/// Its second half: a text of somebody else's, as it may stand in a message.
std::string one_line(const std::string& text);

}  // namespace pushforward
