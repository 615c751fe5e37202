// The fields of a component or of a section of a spec, as a table and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "pushforward/plugin.h"
#include "pushforward/registry/sections.h"

namespace pushforward {

/// What is said of one field.
struct FieldRow {
  std::string name, type, fallback, range, meaning;
};
std::vector<FieldRow> field_rows(std::span<const Slot> slots);

/// A component's documentation without empty lines at its ends.
std::string documentation_of(const ComponentInfo& component);

/// Name, type, default, range and meaning of each field.
std::string fields_text(std::span<const Slot> slots, std::size_t width);
nlohmann::ordered_json fields_json(std::span<const Slot> slots);

/// A component's fields in the form that sections have.
std::vector<Slot> fields_of(const ComponentInfo& component);

/// The section of a spec at a place (`spec`, `training`, `data.split`), or none; and all places.
const Section* find_section(const std::string& place);
std::vector<std::string> section_places();

}  // namespace pushforward
