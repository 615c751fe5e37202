// Rules between the fields of sections, which no single field can state.
#pragma once

#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `root`: as the Validator left it; fields that it found wrong are skipped, their problems are known.
void check_section_rules(const SpecNode& root, Problems& problems);

}  // namespace pushforward
