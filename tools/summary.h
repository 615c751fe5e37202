// What a spec would run, in a few lines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "pushforward/registry/experiment.h"

namespace pushforward {

/// A component of a resolved spec and everything below it: `coupling(affine, mlp)`. `node` is a mapping whose first key
/// is the component's name.
std::string outline(const Registry& registry, const std::string& kind, const SpecNode& node);

/// Data, model, training and their sizes, each on its line.
template <class T>
std::string summary_text(const Registry& registry, const Experiment<T>& experiment, std::size_t width);
template <class T>
nlohmann::ordered_json summary_json(const Registry& registry, const Experiment<T>& experiment);

}  // namespace pushforward
