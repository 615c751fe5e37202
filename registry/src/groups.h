// Groups: `training.groups` as ranges of the parameter vector.
#pragma once

#include <functional>
#include <vector>

#include "pushforward/optimizer.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

struct GroupedParameters {
  std::vector<ParameterRange> ranges;  // what moves; neighbours with the same settings are one
  std::vector<std::uint8_t> frozen;    // one byte for each kPadding elements; empty if nothing is frozen
};

/// True if `text` matches a pattern in which `*` stands for any characters.
bool matches(const std::string& pattern, const std::string& text);

/// What an optimizer's own fields say of the parameters that it moves.
struct OptimizerDefaults {
  double learning_rate = 0, weight_decay = 0;
};

/// `groups`: resolved. `defaults`: of whichever optimizer moves the element of the vector; a group's learning rate
/// becomes a factor on the optimizer's, its weight decay stands in place of it. `never_trained`: element from which on
/// nothing moves (a target's parameters). Throws SpecError, with positions, if a group matches no parameter or if
/// nothing is left to train.
GroupedParameters group_parameters(const SpecNode& groups, const Layout& layout, Index never_trained,
                                   const std::function<OptimizerDefaults(Index)>& defaults);

}  // namespace pushforward
