// Overrides: `--set PATH=VALUE`, applied to a spec before it is validated.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/registry.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// Applies overrides in their order. A path is a place, `model.bijectors[2].coupling.network`: fields and sections by
/// name, elements of lists by number, and behind a component its own name where one wants to say it. The last part may
/// be a field that the spec does not write; what stands there, a component too, is replaced by VALUE, which is YAML.
/// Places that the schemas do not have become problems, with the nearest name.
void apply_overrides(const Registry& registry, SpecNode& root, const std::vector<std::string>& overrides,
                     Problems& problems);

}  // namespace pushforward
