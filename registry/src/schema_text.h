// Words for what a field expects and for what was found, shared by all messages about specs.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/registry.h"
#include "pushforward/registry/sections.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// `an integer of at least 1`, `a number above 0 and below 1`, `one of exp, softplus`, `a list of bijectors`.
std::string expectation(const Slot& slot);
/// ` above 0 and below 1`, with the space, or nothing.
std::string range_text(const Field& field);
/// `a bijector`, `an optimizer`; `bijectors`, `optimizers`.
std::string one_of_kind(const std::string& kind);
std::string many_of_kind(const std::string& kind);
/// `'text'`, `empty`, `a list`, `a mapping`.
std::string shown(const SpecNode& node);
/// `; did you mean 'network'?`, or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);
/// `; did you mean 'network'?`, or `; its fields are mask, network` if nothing is near.
std::string field_remedy(const std::string& word, const std::vector<std::string>& fields);
/// `a, b, c`
std::string joined(const std::vector<std::string>& words);

/// The component of a kind; where a target is wanted, every distribution is one.
const RegisteredComponent* find_component(const Registry& registry, const std::string& kind, const std::string& name);
/// Names of what `find_component` finds, and of the transformers that can stand for a bijector.
std::vector<std::string> usable_names(const Registry& registry, const std::string& kind);

/// The parts of `a|b|c`.
std::vector<std::string> choices_of(const Field& field);
/// A component's fields in the form that sections have.
std::vector<Slot> slots_of(const ComponentInfo& component);
/// Names of the slots, and of what may stand beside them.
std::vector<std::string> names_of(std::span<const Slot> slots);

}  // namespace pushforward
