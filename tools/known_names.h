// What well-known models are called here: they are compositions, and no components of their own.
#pragma once

#include <string>

namespace pushforward {

/// A sentence about how a spec says a model known by that name, in any case (`RealNVP`, `nsf`), or nothing.
std::string known_name_text(const std::string& name);

}  // namespace pushforward
