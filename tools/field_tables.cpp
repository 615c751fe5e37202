#include "field_tables.h"

#include <cmath>
#include <sstream>

#include "pushforward/number_text.h"
#include "text_table.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kWholeSpec = "spec";

std::string type_of(const Field& field) {
  switch (field.type) {
    case FieldType::boolean:
      return "true | false";
    case FieldType::integer:
      return "integer";
    case FieldType::real:
      return "number";
    case FieldType::text:
      return "text";
    case FieldType::choice:
      return "choice";
    case FieldType::path:
      return "file";
    case FieldType::integers:
      return "integers";
    case FieldType::reals:
      return "numbers";
    case FieldType::texts:
      return "texts";
    case FieldType::value:
      return "value";
    case FieldType::component:
      return field.kind;
    case FieldType::components:
      return std::string("list of ") + field.kind;
  }
  return "";
}

std::string type_of(const Slot& slot) {
  if (slot.section) return slot.section->name;
  if (slot.each) return std::string("list of ") + slot.each->name;
  return type_of(slot.field) + (slot.word ? std::string(" | ") + slot.word : std::string());
}

/// `> 0, <= 1`, or the choices.
std::string range_of(const Field& field) {
  std::string text;
  for (const char* c = field.choices; c && *c; ++c) text += *c == '|' ? std::string(" | ") : std::string(1, *c);
  if (std::isfinite(field.minimum)) text = (field.open_minimum ? "> " : ">= ") + number_text(field.minimum);
  if (std::isfinite(field.maximum))
    text += std::string(text.empty() ? "" : ", ") + (field.open_maximum ? "< " : "<= ") + number_text(field.maximum);
  return text;
}

bool is_optional(const Field& field) { return field.fallback && std::string(field.fallback) == kOptional; }

std::string default_of(const Field& field) {
  if (!field.fallback) return "required";
  return is_optional(field) ? "none" : field.fallback;
}

Json number_or_null(double bound) { return std::isfinite(bound) ? Json(bound) : Json(); }

Json as_json(const Slot& slot) {
  const Field& field = slot.field;
  Json object = {{"name", field.name}, {"type", type_of(slot)}, {"required", field.fallback == nullptr}};
  object["default"] = field.fallback && !is_optional(field) ? Json(field.fallback) : Json();
  object["doc"] = field.doc;
  object["choices"] = Json::array();
  std::istringstream choices(field.choices ? field.choices : "");
  for (std::string choice; std::getline(choices, choice, '|');) object["choices"].push_back(choice);
  object["minimum"] = number_or_null(field.minimum);
  object["minimum_allowed"] = !field.open_minimum;
  object["maximum"] = number_or_null(field.maximum);
  object["maximum_allowed"] = !field.open_maximum;
  return object;
}

/// Calls f(place, section) for every section, from the whole spec down.
template <class F>
void for_each_section(const Section& section, const std::string& place, F&& f) {
  f(place, section);
  for (const Slot& slot : section.slots)
    for (const Section* below :
         {slot.section, slot.each, slot.beside ? slot.beside->section : static_cast<const Section*>(nullptr)})
      if (below) for_each_section(*below, below->name, f);
}

}  // namespace

std::vector<FieldRow> field_rows(std::span<const Slot> slots) {
  std::vector<FieldRow> rows;
  for (const Slot& slot : slots)
    rows.push_back({slot.field.name, type_of(slot), default_of(slot.field), range_of(slot.field), slot.field.doc});
  return rows;
}

std::string documentation_of(const ComponentInfo& component) {
  const std::string text = component.documentation ? component.documentation : "";
  const std::size_t begin = text.find_first_not_of('\n');
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

std::string fields_text(std::span<const Slot> slots, std::size_t width) {
  TextTable table({{"field"}, {"type"}, {"default"}, {"range"}, {"meaning"}});
  // A long list of choices would leave no room for the meaning, and stands with it instead.
  constexpr std::size_t kLongest = 16;
  for (const FieldRow& row : field_rows(slots)) {
    const bool beside = display_width(row.range) > kLongest;
    table.add({row.name, row.type, row.fallback, beside ? "" : row.range,
               beside ? row.range + "\n" + row.meaning : row.meaning});
  }
  return table.to_text(width);
}

Json fields_json(std::span<const Slot> slots) {
  Json array = Json::array();
  for (const Slot& slot : slots) array.push_back(as_json(slot));
  return array;
}

std::vector<Slot> fields_of(const ComponentInfo& component) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < component.field_count; ++i) slots.push_back({.field = component.fields[i]});
  return slots;
}

const Section* find_section(const std::string& place) {
  const Section* found = nullptr;
  for_each_section(spec_section(), kWholeSpec, [&](const std::string& name, const Section& section) {
    if (name == place) found = &section;
  });
  return found;
}

std::vector<std::string> section_places() {
  std::vector<std::string> places;
  for_each_section(spec_section(), kWholeSpec,
                   [&](const std::string& name, const Section&) { places.push_back(name); });
  return places;
}

}  // namespace pushforward
