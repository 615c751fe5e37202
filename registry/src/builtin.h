// Components that the toolkit itself provides, because everything else is built with them.
#pragma once

#include <span>

#include "pushforward/plugin.h"

namespace pushforward {

/// `flow`: a base distribution pushed forward through bijectors.
std::span<const ComponentInfo> builtin_components();

}  // namespace pushforward
