// Validation: a spec against the schemas of its components. All problems are collected; what comes out is the spec in
// canonical form, with every default filled in.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "pushforward/registry/registry.h"
#include "pushforward/registry/sections.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// A component as it was found: its name, and its fields if there are any.
struct NamedComponent {
  std::string name;
  Position position;                 // of the name
  const SpecNode* fields = nullptr;  // a mapping; none: all defaults
};

/// Every message has the position, the place, the rule, the value and the remedy. Where something is wrong, what comes
/// out is incomplete: raise the problems before it is used.
class Validator {
 public:
  Validator(const Registry& registry, Problems& problems) : registry_(registry), problems_(problems) {}

  SpecNode spec(const SpecNode& root);
  /// `in_list`: the places of its parts then begin with its name, `model.bijectors[2].coupling`. `beside`: see Slot.
  SpecNode component(const std::string& kind, const SpecNode& node, const std::string& place, bool in_list = false,
                     const Slot* beside = nullptr);

 private:
  /// What has fields: how its parts' places begin, how messages call it, and where it stands.
  struct Owner {
    std::string path, label;
    Position position;
  };

  SpecNode fields(std::span<const Slot> slots, const SpecNode* given, const Owner& owner);
  void unknown_fields(std::span<const Slot> slots, const SpecNode& given, const Owner& owner);
  std::optional<SpecNode> field(const Slot& slot, const SpecNode::Entry* entry, const Owner& owner);
  SpecNode fallback(const Slot& slot, const Owner& owner);
  SpecNode value(const Slot& slot, const SpecNode& node, const std::string& place);

  SpecNode section(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode sections(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode scalar(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode list(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode distribution_value(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode learnable(const Slot& slot, const SpecNode& node, const std::string& place);
  SpecNode components(const Slot& slot, const SpecNode& node, const std::string& place);

  std::optional<NamedComponent> named(const std::string& kind, const SpecNode& node, const std::string& place,
                                      const Slot* beside);
  void several_keys(const std::string& kind, const SpecNode& node, const std::string& place);
  SpecNode in_elementwise(const SpecNode& node, const std::string& place, bool in_list);
  void not_found(const std::string& kind, const NamedComponent& named, const std::string& place);

  /// `<place> must be <expectation>, but is <value><remedy>`.
  void expected(const Slot& slot, const SpecNode& node, const std::string& place, const std::string& remedy = {});

  const Registry& registry_;
  Problems& problems_;
  bool float32_ = false;  // the spec asks for it; a component alone is of no precision
  int depth_ = 0;
};

/// Kinds that a flow is of.
bool can_be_flow(const std::string& kind);
/// True if a mapping is a flow written short: `{base: ..., bijectors: [...]}`.
bool is_short_flow(const SpecNode& node);

}  // namespace pushforward
