// Rules between the fields of sections, which no single field can state.
#pragma once

#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `root`: as the Validator left it; fields that it found wrong are skipped, their problems are known. `written`: as
/// the Validator was given it, for the positions of what is missing.
void check_section_rules(const SpecNode& root, const SpecNode& written, Problems& problems);

}  // namespace pushforward
