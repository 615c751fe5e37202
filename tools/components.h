// Finding components by what a person typed.
#pragma once

#include <string>

#include "command.h"
#include "pushforward/registry/registry.h"

namespace pushforward {

/// Loads the plugins of the standard folders and of --plugin-path; warns of libraries that could not be used.
void load_components(Registry& registry, const Arguments& arguments, Console& console);

/// Throws UsageError with the nearest kind, or with what the word is if it is the name of a component.
void require_kind(const Registry& registry, const std::string& kind);

/// The component of that name; `kind` may be empty if only one kind has it. Throws UsageError with the nearest name, or
/// with the kinds that have it.
const RegisteredComponent& named_component(const Registry& registry, const std::string& kind, const std::string& name);

}  // namespace pushforward
