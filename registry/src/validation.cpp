#include "validation.h"

#include <algorithm>
#include <iterator>

#include "schema_text.h"

namespace pushforward {

namespace {

/// No sensible spec is deeper; a schema whose defaults contain themselves is stopped here.
constexpr int kMaximumDepth = 100;

/// Defaults have no place in the text: they are reported where what they belong to stands.
void mark_as_default(SpecNode& node, const Position& position) {
  node.position = position;
  node.defaulted = true;
  for (SpecNode& item : node.items) mark_as_default(item, position);
  for (SpecNode::Entry& entry : node.entries) {
    entry.position = position;
    mark_as_default(entry.value, position);
  }
}

}  // namespace

SpecNode Validator::spec(const SpecNode& root) {
  const SpecNode* precision = root.find("precision");
  float32_ = !precision || precision->text == "float32";
  if (root.is_map()) return fields(spec_section().slots, &root, {"", spec_section().name, root.position});
  const std::string names = joined(names_of(spec_section().slots));
  problems_.add(root.position, root.is_null()
                                   ? "the spec is empty; it is a mapping with the fields " + names
                                   : "the spec must be a mapping with the fields " + names + ", but is " + shown(root));
  return root;
}

SpecNode Validator::fields(std::span<const Slot> slots, const SpecNode* given, const Owner& owner) {
  SpecNode resolved = SpecNode::map(owner.position);
  if (given) unknown_fields(slots, *given, owner);
  for (const Slot& slot : slots) {
    const SpecNode::Entry* entry = nullptr;
    if (given)
      for (const SpecNode::Entry& candidate : given->entries)
        if (candidate.key == slot.field.name) entry = &candidate;
    std::optional<SpecNode> value = field(slot, entry, owner);
    if (value)
      resolved.entries.push_back({slot.field.name, entry ? entry->position : owner.position, std::move(*value)});
  }
  return resolved;
}

void Validator::unknown_fields(std::span<const Slot> slots, const SpecNode& given, const Owner& owner) {
  const std::vector<std::string> names = names_of(slots);
  for (const SpecNode::Entry& entry : given.entries)
    if (std::find(names.begin(), names.end(), entry.key) == names.end())
      problems_.add(entry.position, owner.label + " has no field '" + entry.key + "'" + field_remedy(entry.key, names));
}

std::optional<SpecNode> Validator::field(const Slot& slot, const SpecNode::Entry* entry, const Owner& owner) {
  const std::string name = slot.field.name;
  const std::string place = owner.path.empty() ? name : owner.path + "." + name;
  const bool optional = slot.field.fallback && std::string_view(slot.field.fallback) == kOptional;
  if (entry && entry->value.is_null()) {
    if (!optional) problems_.add(entry->position, place + " must be " + expectation(slot) + ", but is empty");
    return std::nullopt;
  }
  if (entry) return value(slot, entry->value, place);
  if (optional) return std::nullopt;
  if (slot.field.fallback) {
    SpecNode resolved = value(slot, fallback(slot, owner), place);
    mark_as_default(resolved, owner.position);
    return resolved;
  }
  problems_.add(owner.position, owner.label + " needs the field '" + name + "': " + slot.field.doc);
  return std::nullopt;
}

SpecNode Validator::fallback(const Slot& slot, const Owner& owner) {
  SpecNode node = parse_spec_text(slot.field.fallback, "the default of " + owner.label + "." + slot.field.name);
  mark_as_default(node, owner.position);
  return node;
}

SpecNode Validator::value(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (slot.section) return section(slot, node, place);
  if (slot.each) return sections(slot, node, place);
  switch (slot.field.type) {
    case FieldType::integers:
    case FieldType::reals:
    case FieldType::texts:
      return list(slot, node, place);
    case FieldType::value:
      return distribution_value(slot, node, place);
    case FieldType::component:
      return component(slot.field.kind, node, place, false, slot.beside);
    case FieldType::components:
      return components(slot, node, place);
    default:
      return scalar(slot, node, place);
  }
}

// --- sections
// ------------------------------------------------------------------------------------------------------------

SpecNode Validator::section(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (node.is_map()) return fields(slot.section->slots, &node, {place, place, node.position});
  expected(slot, node, place);
  return node;
}

SpecNode Validator::sections(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (!node.is_list()) {
    expected(slot, node, place);
    return node;
  }
  SpecNode resolved = SpecNode::list(node.position);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Slot one{.field = slot.field, .section = slot.each};
    resolved.items.push_back(section(one, node.items[i], place + "[" + std::to_string(i) + "]"));
  }
  return resolved;
}

// --- components
// ----------------------------------------------------------------------------------------------------------

bool can_be_flow(const std::string& kind) { return kind == "distribution" || kind == "target"; }
bool is_short_flow(const SpecNode& node) { return node.find("base") || node.find("bijectors"); }

SpecNode Validator::components(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (!node.is_list()) {
    expected(slot, node, place, node.is_null() ? "" : "; begin each of them with '- ', or write [...]");
    return node;
  }
  if (node.items.empty() && !slot.field.fallback)
    problems_.add(node.position, place + " must hold " + one_of_kind(slot.field.kind) + " at least, but is empty");
  SpecNode resolved = SpecNode::list(node.position);
  for (std::size_t i = 0; i < node.items.size(); ++i)
    resolved.items.push_back(component(slot.field.kind, node.items[i], place + "[" + std::to_string(i) + "]", true));
  return resolved;
}

void Validator::several_keys(const std::string& kind, const SpecNode& node, const std::string& place) {
  std::vector<std::string> keys;
  for (const SpecNode::Entry& entry : node.entries) keys.push_back("'" + entry.key + "'");
  // The usual slip: the fields stand beside the name, not below it.
  const SpecNode::Entry& first = node.entries.front();
  const bool slipped = first.value.is_null() && find_component(registry_, kind, first.key);
  problems_.add(node.entries[1].position,
                place + " must be one component, a mapping with its name as the one key, but has the keys " +
                    joined(keys) + (slipped ? "; indent the fields of " + first.key + " below it" : ""));
}

std::optional<NamedComponent> Validator::named(const std::string& kind, const SpecNode& node, const std::string& place,
                                               const Slot* beside) {
  if (node.is_scalar()) return NamedComponent{node.text, node.position, nullptr};
  const Slot slot{.field = pushforward::component("", kind.c_str(), kRequired, "")};
  if (!node.is_map() || node.entries.empty()) {
    expected(slot, node, place, "; write its name, or {name: {field: value}}");
    return std::nullopt;
  }
  if (can_be_flow(kind) && is_short_flow(node)) return NamedComponent{"flow", node.position, &node};
  if (node.entries.size() > 1) {
    several_keys(kind, node, place);
    return std::nullopt;
  }
  const SpecNode::Entry& entry = node.entries.front();
  if (beside && entry.key == beside->field.name) {
    expected(slot, node, place, ": only the field '" + entry.key + "' is given");
    return std::nullopt;
  }
  if (!entry.value.is_map() && !entry.value.is_null()) {
    problems_.add(entry.value.position, place + " (" + entry.key + ") must be a mapping of its fields, but is " +
                                            shown(entry.value) + "; write {" + entry.key + ": {field: value}}");
    return std::nullopt;
  }
  return NamedComponent{entry.key, entry.position, entry.value.is_map() ? &entry.value : nullptr};
}

void Validator::not_found(const std::string& kind, const NamedComponent& named, const std::string& place) {
  std::string message = place + ": there is no " + kind + " '" + named.name + "'" +
                        did_you_mean(named.name, usable_names(registry_, kind));
  for (const std::string& other : registry_.kinds())
    if (other != kind && registry_.find(other, named.name))
      message += "; '" + named.name + "' is " + one_of_kind(other) + ", but " + one_of_kind(kind) + " is needed here";
  const std::vector<LibraryFailure>& failures = registry_.failures();
  for (std::size_t i = 0; i < failures.size(); ++i)
    message += (i ? ", " : "; it may be in a library that could not be loaded: ") + failures[i].library;
  problems_.add(named.position, message);
}

SpecNode Validator::in_elementwise(const SpecNode& node, const std::string& place, bool in_list) {
  SpecNode inner = SpecNode::map(node.position), outer = SpecNode::map(node.position);
  inner.set("transformer", node);
  outer.set("elementwise", std::move(inner));
  return component("bijector", outer, place, in_list);
}

SpecNode Validator::component(const std::string& kind, const SpecNode& node, const std::string& place, bool in_list,
                              const Slot* beside) {
  SpecNode context;
  SpecNode alone = node;
  if (beside && node.is_map() && !registry_.find(kind, beside->field.name)) {
    const auto is_context = [&](const SpecNode::Entry& entry) { return entry.key == beside->field.name; };
    const auto found = std::find_if(alone.entries.begin(), alone.entries.end(), is_context);
    if (found != alone.entries.end() && alone.entries.size() > 1) {
      if (!found->value.is_null()) context = value(*beside, found->value, place + "." + beside->field.name);
      alone.entries.erase(found);
    }
  }
  const std::optional<NamedComponent> it = named(kind, alone, place, beside);
  if (!it) return node;
  const RegisteredComponent* found = find_component(registry_, kind, it->name);
  if (!found && kind == "bijector" && registry_.find("transformer", it->name)) {
    if (registry_.find("bijector", "elementwise")) return in_elementwise(alone, place, in_list);
    problems_.add(it->position, place + ": the transformer '" + it->name +
                                    "' becomes a bijector by means of 'elementwise', which no plugin provides");
    return node;
  }
  if (!found) {
    not_found(kind, *it, place);
    return node;
  }
  if (++depth_ > kMaximumDepth) {
    problems_.add(it->position, place + " stands more than " + std::to_string(kMaximumDepth) + " components deep");
    --depth_;
    return node;
  }
  const std::vector<Slot> slots = slots_of(*found->info);
  const Owner owner{in_list ? place + "." + it->name : place, place + " (" + it->name + ")", it->position};
  SpecNode resolved = SpecNode::map(node.position);
  resolved.entries.push_back({it->name, it->position, fields(slots, it->fields, owner)});
  --depth_;
  if (!context.is_null()) resolved.set(beside->field.name, std::move(context));
  return resolved;
}

}  // namespace pushforward
