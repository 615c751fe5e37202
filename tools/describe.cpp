// describe: everything about one component, or about a section of a spec.
#include <algorithm>
#include <sstream>

#include "command.h"
#include "components.h"
#include "field_tables.h"
#include "json_number.h"
#include "known_names.h"
#include "program.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 2;

std::string indented(const std::string& text, std::size_t indent) {
  std::istringstream lines(text);
  std::string line, out;
  while (std::getline(lines, line)) out += line.empty() ? "\n" : std::string(indent, ' ') + line + "\n";
  return out;
}

std::string examples_text(const ComponentInfo& info) {
  std::string text = info.example_count ? "\nexamples:\n" : "";
  for (std::size_t i = 0; i < info.example_count; ++i) {
    const Example& example = info.examples[i];
    text += fmt::format("  {} ({}{})\n{}", example.name, fmt::format("event size {}", example.event_size),
                        example.context_size ? fmt::format(", context of {}", example.context_size) : "",
                        indented(example.yaml, 2 * kIndent));
  }
  return text;
}

std::string precisions(const ComponentInfo& info) {
  if (info.make_float && info.make_double) return "float32 and float64";
  return info.make_float ? "float32" : "float64";
}

std::string as_text(const RegisteredComponent& component, std::size_t width) {
  const ComponentInfo& info = *component.info;
  std::string text = fmt::format("{} {}: {}\n", info.kind, info.name, info.summary);
  text += fmt::format("from plugin {} ({}), {}\n", component.plugin, component.library, precisions(info));
  text += "\n" + (info.field_count ? fields_text(fields_of(info), width) : "It has no fields.\n");
  if (const std::string documentation = documentation_of(info); !documentation.empty())
    text += "\n" + documentation + "\n";
  return text + examples_text(info);
}

std::string as_json(const RegisteredComponent& component) {
  const ComponentInfo& info = *component.info;
  Json object = {{"kind", info.kind},
                 {"name", info.name},
                 {"summary", info.summary},
                 {"plugin", component.plugin},
                 {"library", component.library},
                 {"documentation", documentation_of(info)},
                 {"fields", fields_json(fields_of(info))},
                 {"examples", Json::array()}};
  for (std::size_t i = 0; i < info.example_count; ++i) {
    const Example& example = info.examples[i];
    object["examples"].push_back({{"name", example.name},
                                  {"yaml", example.yaml},
                                  {"event_size", example.event_size},
                                  {"context_size", example.context_size}});
  }
  return json_text(object);
}

std::string section_text(const std::string& place, const Section& section, std::size_t width) {
  return fmt::format("{}: {}\n\n{}", place, section.doc, fields_text(section.slots, width));
}
std::string section_json(const std::string& place, const Section& section) {
  return json_text({{"section", place}, {"summary", section.doc}, {"fields", fields_json(section.slots)}});
}

int describe_component(const Arguments& arguments, Console& console) {
  const std::string place = arguments.positional(0);
  if (const Section* section = find_section(place); section && arguments.positionals() == 1) {
    console.result(console.json ? section_json(place, *section) : section_text(place, *section, console.width()));
    return kSuccess;
  }
  Registry registry;
  load_components(registry, arguments, console);
  const bool kind_given = arguments.positionals() == 2;
  const std::string wanted = arguments.positional(kind_given ? 1 : 0);
  const auto all = registry.components();
  const bool there = std::any_of(all.begin(), all.end(), [&](const auto* c) { return wanted == c->info->name; });
  if (const std::string text = known_name_text(wanted); !there && !text.empty()) throw UsageError(text);
  const RegisteredComponent& component = named_component(registry, kind_given ? arguments.positional(0) : std::string(),
                                                         arguments.positional(kind_given ? 1 : 0));
  console.result(console.json ? as_json(component) : as_text(component, console.width()));
  return kSuccess;
}

}  // namespace

const Command& describe_command() {
  static const Command kCommand = {
      .name = "describe",
      .summary = "everything about one component, or a section of a spec",
      .description =
          "Prints a component's fields with type, default, range and meaning, its documentation, runnable "
          "examples and where it comes from. The kind is needed only where two kinds have the name.",
      .positionals = {{"KIND", "transformer, dataset, ...", false},
                      {"NAME", "the component, or the place of a section"}},
      .options = {},
      .examples = {"pushforward describe coupling", "pushforward describe dataset csv",
                   "pushforward describe training"},
      .run = &describe_component,
  };
  return kCommand;
}

}  // namespace pushforward
