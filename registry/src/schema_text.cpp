#include "schema_text.h"

#include <cmath>

#include "pushforward/number_text.h"

namespace pushforward {

std::string range_text(const Field& field) {
  std::string text;
  if (std::isfinite(field.minimum))
    text += (field.open_minimum ? " above " : " of at least ") + number_text(field.minimum);
  if (std::isfinite(field.maximum))
    text += std::string(text.empty() ? "" : " and") + (field.open_maximum ? " below " : " at most ") +
            number_text(field.maximum);
  return text;
}

std::string many_of_kind(const std::string& kind) { return kind == "preprocess" ? "preprocess steps" : kind + "s"; }

std::string one_of_kind(const std::string& kind) {
  const bool vowel = std::string_view("aeiou").find(kind.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + (kind == "preprocess" ? "preprocess step" : kind);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> choices_of(const Field& field) {
  std::vector<std::string> choices(1);
  for (const char* c = field.choices; c && *c; ++c) {
    if (*c == '|')
      choices.emplace_back();
    else
      choices.back() += *c;
  }
  return choices;
}

std::string expectation(const Slot& slot) {
  const Field& field = slot.field;
  const std::string range = range_text(field);
  if (slot.section) return "a mapping with the fields " + joined(names_of(slot.section->slots));
  if (slot.each) return "a list of mappings with the fields " + joined(names_of(slot.each->slots));
  const std::string word = slot.word ? std::string(", or '") + slot.word + "'" : "";
  switch (field.type) {
    case FieldType::boolean:
      return "true or false";
    case FieldType::integer:
      return "an integer" + range + word;
    case FieldType::real:
      return "a number" + range + word;
    case FieldType::text:
      return "text";
    case FieldType::choice:
      return "one of " + joined(choices_of(field));
    case FieldType::path:
      return "the path of a file";
    case FieldType::integers:
      return "a list of integers" + (range.empty() ? "" : ", each" + range);
    case FieldType::reals:
      return "a list of numbers" + (range.empty() ? "" : ", each" + range);
    case FieldType::texts:
      return field.choices ? "a list of some of " + joined(choices_of(field)) : "a list of words";
    case FieldType::value:
      return "a number" + range + ", a list of numbers, 'learnable' or {network: ...}";
    case FieldType::component:
      return one_of_kind(field.kind);
    case FieldType::components:
      return "a list of " + many_of_kind(field.kind);
  }
  return "of a type that this toolkit does not know";
}

std::string shown(const SpecNode& node) {
  switch (node.kind) {
    case SpecNode::Kind::null:
      return "empty";
    case SpecNode::Kind::scalar:
      return "'" + node.text + "'";
    case SpecNode::Kind::list:
      return "a list";
    case SpecNode::Kind::map:
      return "a mapping";
  }
  return "nothing";
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

std::string field_remedy(const std::string& word, const std::vector<std::string>& fields) {
  if (fields.empty()) return "; it has no fields";
  const std::string near = did_you_mean(word, fields);
  return near.empty() ? "; its fields are " + joined(fields) : near;
}

const RegisteredComponent* find_component(const Registry& registry, const std::string& kind, const std::string& name) {
  const RegisteredComponent* found = registry.find(kind, name);
  return found || kind != "target" ? found : registry.find("distribution", name);
}

std::vector<std::string> usable_names(const Registry& registry, const std::string& kind) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& of_kind) {
    for (const RegisteredComponent* candidate : registry.components(of_kind)) names.emplace_back(candidate->info->name);
  };
  add(kind);
  if (kind == "bijector") add("transformer");
  if (kind == "target") add("distribution");
  return names;
}

std::vector<Slot> slots_of(const ComponentInfo& component) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < component.field_count; ++i) slots.push_back({.field = component.fields[i]});
  return slots;
}

std::vector<std::string> names_of(std::span<const Slot> slots) {
  std::vector<std::string> names;
  for (const Slot& slot : slots) names.emplace_back(slot.field.name);
  return names;
}

}  // namespace pushforward
