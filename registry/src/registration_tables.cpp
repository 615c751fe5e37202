#include "registration_tables.h"

#include <set>
#include <string_view>

namespace pushforward {

namespace {

constexpr const char kRemedy[] = "; register it with `describe`";

bool missing(const char* text) { return !text || !*text; }

/// What is wrong in a field, as the end of a sentence; empty: nothing.
std::string fault_of(const Field& field) {
  if (!field.doc) return "has no help; say in a sentence what it means";
  if (field.type == FieldType::choice && missing(field.choices)) return "is a choice, but there is nothing to choose";
  const bool child = field.type == FieldType::component || field.type == FieldType::components;
  if (child && missing(field.kind)) return "is a component, but says not of which kind";
  return {};
}

std::string fault_of(const Example& example) {
  if (missing(example.yaml)) return "has no text; give it the component as YAML";
  if (example.event_size < 1)
    return "has the event size " + std::to_string(example.event_size) + ", but must have one of at least 1";
  if (example.context_size < 0)
    return "has the context size " + std::to_string(example.context_size) + ", but must have one of at least 0";
  return {};
}

/// The rules of both tables: all are there, each entry has a name that no other has, and nothing is wrong in it.
template <class Entry>
void check_table(const Entry* entries, std::size_t count, const char* what, const std::string& owner,
                 const std::string& source) {
  if (count > 0 && !entries)
    throw PluginError(source + ": " + owner + " says that it has " + std::to_string(count) + " " + what +
                      "s, but has no table of them" + kRemedy);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string entry = std::string("the ") + what + " ";
    if (missing(entries[i].name))
      throw PluginError(source + ": " + entry + std::to_string(i + 1) + " of " + owner + " has no name; give it one");
    const std::string named = entry + "'" + entries[i].name + "' of " + owner;
    if (!names.insert(entries[i].name).second)
      throw PluginError(source + ": " + named + " is there twice; give one of the two another name");
    if (const std::string fault = fault_of(entries[i]); !fault.empty())
      throw PluginError(source + ": " + named + " " + fault);
  }
}

}  // namespace

void check_registration(const PluginInfo& plugin, const std::string& source) {
  if (missing(plugin.name) || !plugin.version || !plugin.licence)
    throw PluginError(source +
                      ": the plugin has no name, no version or no licence; register it with PUSHFORWARD_PLUGIN");
  if (plugin.component_count > 0 && !plugin.components)
    throw PluginError(source + ": the plugin says that it has " + std::to_string(plugin.component_count) +
                      " components, but has no table of them; register it with PUSHFORWARD_PLUGIN");
}

void check_tables(const ComponentInfo& component, const std::string& source) {
  if (missing(component.kind) || missing(component.name) || (!component.make_float && !component.make_double))
    throw PluginError(source + ": a component without a kind, a name or a factory" + kRemedy);
  const std::string owner = std::string("the ") + component.kind + " '" + component.name + "'";
  if (!component.summary) throw PluginError(source + ": " + owner + " has no summary; say in a line what it is");
  check_table(component.fields, component.field_count, "field", owner, source);
  check_table(component.examples, component.example_count, "example", owner, source);
}

}  // namespace pushforward
