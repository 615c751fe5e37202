// What a conditional model is conditioned on, and how the command line says it.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/spec.h"

namespace pushforward {

/// `data.context` of a resolved spec.
struct Conditioning {
  std::vector<std::string> columns;  // none: the spec's data give no context
  std::int64_t classes = 0;          // not 0: the one column holds labels 0, 1, ...
};
Conditioning conditioning_of(const ResolvedSpec& spec);

/// The options of `sample` that give one context: `--label 0` for labels, else `--condition a=VALUE --condition b=...`.
std::string condition_options(const Conditioning& conditioning, const std::string& value);

}  // namespace pushforward
