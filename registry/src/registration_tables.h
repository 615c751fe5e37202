// The tables of a registration, looked at once: whoever reads them later need not expect holes.
#pragma once

#include <string>

#include "pushforward/plugin.h"

namespace pushforward {

/// Throws PluginError if a registration lacks its name, version, licence or the table of its components.
void check_registration(const PluginInfo& plugin, const std::string& source);

/// Throws PluginError if a component's tables cannot be read, or tell nothing apart: a text or a table that is missing,
/// a field or an example that is there twice, an example at an event size that no event has.
void check_tables(const ComponentInfo& component, const std::string& source);

}  // namespace pushforward
