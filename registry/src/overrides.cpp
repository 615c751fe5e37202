#include "overrides.h"

#include <algorithm>

#include "scalars.h"
#include "schema_text.h"
#include "validation.h"

namespace pushforward {

namespace {

/// What stops one override.
struct Refused {
  std::string message;
};

struct Step {
  std::string name;         // of a field or a component
  std::int64_t index = -1;  // of a list's element, if not negative
};

std::vector<Step> steps_of(const std::string& path) {
  std::vector<Step> steps;
  std::size_t i = 0;
  while (i < path.size()) {
    if (path[i] == '[') {
      const std::size_t end = path.find(']', i);
      const std::optional<std::int64_t> index =
          end == std::string::npos ? std::nullopt : parse_integer(path.substr(i + 1, end - i - 1));
      if (!index || *index < 0) throw Refused{"in the path '" + path + "', '[' must be followed by a number and ']'"};
      steps.push_back({"", *index});
      i = end + 1;
    } else {
      const std::size_t end = std::min(path.find_first_of(".[", i), path.size());
      if (end == i) throw Refused{"the path '" + path + "' has an empty name"};
      steps.push_back({path.substr(i, end - i)});
      i = end;
    }
    if (i < path.size() && path[i] == '.') {
      ++i;
      if (i == path.size()) throw Refused{"the path '" + path + "' ends with a dot"};
    } else if (i < path.size() && path[i] != '[') {
      throw Refused{"in the path '" + path + "', ']' must be followed by '.' or '['"};
    }
  }
  if (steps.empty()) throw Refused{"must be PATH=VALUE, such as training.steps=100"};
  return steps;
}

/// Walks one path down the spec and the schemas at once.
class Walk {
 public:
  Walk(const Registry& registry, std::vector<Step> steps, SpecNode value)
      : registry_(registry), steps_(std::move(steps)), value_(std::move(value)) {}

  void from(SpecNode& root) {
    if (root.is_null()) root = SpecNode::map(root.position);
    if (!root.is_map()) return;  // the validation says so
    at_fields(root, spec_section().slots, "", spec_section().name, 0);
  }

 private:
  bool last(std::size_t i) const { return i + 1 == steps_.size(); }

  /// The step is the name of one of the fields of `node`.
  void at_fields(SpecNode& node, std::span<const Slot> slots, const std::string& path, const std::string& label,
                 std::size_t i) {
    const Step& step = steps_[i];
    const auto slot =
        std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return step.name == s.field.name; });
    if (step.index >= 0)
      throw Refused{label + " is no list: [" + std::to_string(step.index) + "] must be the name of a field"};
    if (slot == slots.end())
      throw Refused{label + " has no field '" + step.name + "'" + field_remedy(step.name, names_of(slots))};
    if (last(i)) {
      node.set(step.name, value_);
      return;
    }
    const std::string place = path.empty() ? step.name : path + "." + step.name;
    SpecNode* there = node.find(step.name);
    if (!there || there->is_null()) there = &node.set(step.name, default_of(*slot, place));
    at_value(*there, *slot, place, i + 1);
  }

  /// What stands at a place that the spec does not write: its default.
  SpecNode default_of(const Slot& slot, const std::string& place) const {
    const char* fallback = slot.field.fallback;
    SpecNode node;
    if (fallback && std::string_view(fallback) != kOptional) {
      node = parse_spec_text(fallback, "the default of " + place);
      unplace(node, value_.position);
    } else if (slot.section) {
      node = SpecNode::map(value_.position);
    } else {
      throw Refused{place + " is not given and has no default; give it first: --set " + place + "=..."};
    }
    return node;
  }

  void at_value(SpecNode& node, const Slot& slot, const std::string& place, std::size_t i) {
    if (slot.section) {
      at_section(node, *slot.section, place, i);
    } else if (slot.each) {
      SpecNode& element = at_index(node, place, i);
      const std::string below = place + "[" + std::to_string(steps_[i].index) + "]";
      if (!last(i)) at_section(element, *slot.each, below, i + 1);
    } else if (slot.field.type == FieldType::component) {
      at_component(node, slot.field.kind, place, false, slot.beside, i);
    } else if (slot.field.type == FieldType::components) {
      SpecNode& element = at_index(node, place, i);
      const std::string below = place + "[" + std::to_string(steps_[i].index) + "]";
      if (!last(i)) at_component(element, slot.field.kind, below, true, nullptr, i + 1);
    } else if (slot.field.type == FieldType::value && node.is_map() && steps_[i].name == "network") {
      if (last(i)) {
        node.set("network", value_);
        return;
      }
      SpecNode* network = node.find("network");
      if (!network) throw Refused{place + " has no network; give it first: --set '" + place + "={network: ...}'"};
      at_component(*network, "network", place + ".network", false, nullptr, i + 1);
    } else if (node.is_list()) {
      at_index(node, place, i);
      if (!last(i)) throw Refused{place + "[" + std::to_string(steps_[i].index) + "] has no parts"};
    } else {
      throw Refused{place + " is " + expectation(slot) + " and has no parts; the path must end there"};
    }
  }

  void at_section(SpecNode& node, const Section& section, const std::string& place, std::size_t i) {
    if (node.is_map()) at_fields(node, section.slots, place, place, i);
  }

  /// The step is an index of a list; at the last step the element becomes the value.
  SpecNode& at_index(SpecNode& node, const std::string& place, std::size_t i) {
    const std::int64_t index = steps_[i].index, size = static_cast<std::int64_t>(node.items.size());
    if (!node.is_list() || index < 0)
      throw Refused{place + " is a list: one of its elements is " + place + "[0]" +
                    (index < 0 ? ", not " + place + "." + steps_[i].name : "")};
    if (index >= size)
      throw Refused{place + " has " + std::to_string(size) + (size == 1 ? " element" : " elements") +
                    ", so there is no " + place + "[" + std::to_string(index) + "]"};
    SpecNode& element = node.items[static_cast<std::size_t>(index)];
    if (last(i)) element = value_;
    return element;
  }

  /// The step is a field of the component that stands here, or its name.
  void at_component(SpecNode& node, const std::string& kind, const std::string& place, bool in_list, const Slot* beside,
                    std::size_t i) {
    if (beside && steps_[i].name == beside->field.name && node.is_map()) {
      if (last(i))
        node.set(beside->field.name, value_);
      else
        at_value(beside_of(node, *beside), *beside, place + "." + beside->field.name, i + 1);
      return;
    }
    if (can_be_flow(kind) && node.is_map() && is_short_flow(node)) {
      at_component_fields(node, "flow", kind, place, in_list, i);
      return;
    }
    if (node.is_scalar()) {
      SpecNode written = SpecNode::map(node.position);
      written.set(node.text, SpecNode::map(node.position));
      node = std::move(written);
    }
    SpecNode::Entry* entry = component_entry(node, beside);
    if (!entry) return;  // no component: the validation says so
    if (entry->value.is_null()) entry->value = SpecNode::map(entry->position);
    const bool wrapped = kind == "bijector" && !registry_.find(kind, entry->key);
    if (wrapped && steps_[i].name == "elementwise") {
      wrap(node);
      entry = &node.entries.front();
    }
    at_component_fields(entry->value, entry->key, wrapped && entry->key != "elementwise" ? "transformer" : kind, place,
                        in_list, i);
  }

  static SpecNode& beside_of(SpecNode& node, const Slot& beside) {
    SpecNode* there = node.find(beside.field.name);
    if (there && !there->is_null()) return *there;
    return node.set(beside.field.name, SpecNode::map(node.position));
  }

  static SpecNode::Entry* component_entry(SpecNode& node, const Slot* beside) {
    for (SpecNode::Entry& entry : node.entries)
      if (!beside || entry.key != beside->field.name) return &entry;
    return nullptr;
  }

  /// A transformer that stands for a bijector, in its full form.
  static void wrap(SpecNode& node) {
    SpecNode inner = SpecNode::map(node.position), outer = SpecNode::map(node.position);
    inner.set("transformer", node);
    outer.set("elementwise", std::move(inner));
    node = std::move(outer);
  }

  void at_component_fields(SpecNode& fields, const std::string& name, const std::string& kind, const std::string& place,
                           bool in_list, std::size_t i) {
    const RegisteredComponent* found = find_component(registry_, kind, name);
    if (!found || !fields.is_map()) return;  // the validation says so
    const std::vector<Slot> slots = slots_of(*found->info);
    const std::vector<std::string> names = names_of(slots);
    const bool is_field = std::find(names.begin(), names.end(), steps_[i].name) != names.end();
    if (!is_field && find_component(registry_, kind, steps_[i].name) && steps_[i].name != name)
      throw Refused{place + " is '" + name + "', not '" + steps_[i].name + "'; to replace it: --set '" + place + "={" +
                    steps_[i].name + ": {}}'"};
    if (!is_field && steps_[i].name == name) {
      if (last(i)) {
        fields = value_;
        return;
      }
      ++i;
    }
    at_fields(fields, slots, in_list ? place + "." + name : place, place + " (" + name + ")", i);
  }

 public:
  /// Gives a tree one position: that of the override which it comes from.
  static void unplace(SpecNode& node, const Position& position) {
    node.position = position;
    for (SpecNode& item : node.items) unplace(item, position);
    for (SpecNode::Entry& entry : node.entries) {
      entry.position = position;
      unplace(entry.value, position);
    }
  }

 private:
  const Registry& registry_;
  std::vector<Step> steps_;
  SpecNode value_;
};

SpecNode value_of(const std::string& text, const Position& position) {
  SpecNode value;
  try {
    value = parse_spec_text(text, "VALUE");
  } catch (const SpecError& e) {
    throw Refused{e.what()};
  }
  Walk::unplace(value, position);
  return value;
}

}  // namespace

void apply_overrides(const Registry& registry, SpecNode& root, const std::vector<std::string>& overrides,
                     Problems& problems) {
  for (const std::string& override : overrides) {
    const Position position{"--set " + override, 0, 0};
    try {
      const std::size_t equals = override.find('=');
      if (equals == std::string::npos || equals == 0) throw Refused{"must be PATH=VALUE, such as training.steps=100"};
      Walk walk(registry, steps_of(override.substr(0, equals)), value_of(override.substr(equals + 1), position));
      walk.from(root);
    } catch (const Refused& refused) {
      problems.add(position, refused.message);
    }
  }
}

}  // namespace pushforward
