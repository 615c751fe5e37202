// describe: everything about one component.
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.h"
#include "components.h"
#include "program.h"
#include "pushforward/number_text.h"
#include "text_table.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 2;

std::string type_text(const Field& field) {
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

std::string choices_text(const Field& field) {
  std::string text;
  for (const char* c = field.choices; c && *c; ++c) text += *c == '|' ? std::string(" | ") : std::string(1, *c);
  return text;
}

/// `> 0, <= 1`, or the choices.
std::string range_text(const Field& field) {
  if (field.choices) return choices_text(field);
  std::string text;
  if (std::isfinite(field.minimum)) text = (field.open_minimum ? "> " : ">= ") + number_text(field.minimum);
  if (std::isfinite(field.maximum))
    text += std::string(text.empty() ? "" : ", ") + (field.open_maximum ? "< " : "<= ") + number_text(field.maximum);
  return text;
}

std::string default_text(const Field& field) {
  if (!field.fallback) return "required";
  return std::string(field.fallback) == kOptional ? "none" : field.fallback;
}

/// The lines of a Markdown text without empty ones at its ends.
std::string trimmed(const char* markdown) {
  const std::string text = markdown ? markdown : "";
  const std::size_t begin = text.find_first_not_of('\n');
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

std::string indented(const std::string& text, std::size_t indent) {
  std::istringstream lines(text);
  std::string line, out;
  while (std::getline(lines, line)) out += line.empty() ? "\n" : std::string(indent, ' ') + line + "\n";
  return out;
}

std::string fields_text(const ComponentInfo& info, std::size_t width) {
  if (info.field_count == 0) return "\nIt has no fields.\n";
  TextTable table({{"field"}, {"type"}, {"default"}, {"range"}, {"meaning"}});
  // A long list of choices would leave no room for the meaning, and stands with it instead.
  constexpr std::size_t kLongest = 16;
  for (std::size_t i = 0; i < info.field_count; ++i) {
    const Field& field = info.fields[i];
    const std::string range = range_text(field);
    const bool beside = display_width(range) > kLongest;
    table.add({field.name, type_text(field), default_text(field), beside ? "" : range,
               beside ? range + "\n" + field.doc : field.doc});
  }
  return "\n" + table.to_text(width);
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
  text += fields_text(info, width);
  if (const std::string documentation = trimmed(info.documentation); !documentation.empty())
    text += "\n" + documentation + "\n";
  return text + examples_text(info);
}

Json number_or_null(double bound) { return std::isfinite(bound) ? Json(bound) : Json(); }

Json as_json(const Field& field) {
  Json object = {{"name", field.name}, {"type", type_text(field)}, {"required", field.fallback == nullptr}};
  object["default"] = field.fallback && std::string(field.fallback) != kOptional ? Json(field.fallback) : Json();
  object["doc"] = field.doc;
  object["choices"] = Json::array();
  if (field.type == FieldType::choice) {
    std::istringstream choices(field.choices);
    for (std::string choice; std::getline(choices, choice, '|');) object["choices"].push_back(choice);
  }
  object["minimum"] = number_or_null(field.minimum);
  object["minimum_allowed"] = !field.open_minimum;
  object["maximum"] = number_or_null(field.maximum);
  object["maximum_allowed"] = !field.open_maximum;
  return object;
}

std::string as_json(const RegisteredComponent& component) {
  const ComponentInfo& info = *component.info;
  Json object = {{"kind", info.kind},
                 {"name", info.name},
                 {"summary", info.summary},
                 {"plugin", component.plugin},
                 {"library", component.library},
                 {"documentation", trimmed(info.documentation)},
                 {"fields", Json::array()},
                 {"examples", Json::array()}};
  for (std::size_t i = 0; i < info.field_count; ++i) object["fields"].push_back(as_json(info.fields[i]));
  for (std::size_t i = 0; i < info.example_count; ++i) {
    const Example& example = info.examples[i];
    object["examples"].push_back({{"name", example.name},
                                  {"yaml", example.yaml},
                                  {"event_size", example.event_size},
                                  {"context_size", example.context_size}});
  }
  return object.dump(2) + "\n";
}

int describe_component(const Arguments& arguments, Console& console) {
  Registry registry;
  load_components(registry, arguments, console);
  const bool kind_given = arguments.positionals() == 2;
  const RegisteredComponent& component = named_component(registry, kind_given ? arguments.positional(0) : std::string(),
                                                         arguments.positional(kind_given ? 1 : 0));
  console.result(console.json ? as_json(component) : as_text(component, console.width()));
  return kSuccess;
}

}  // namespace

const Command& describe_command() {
  static const Command kCommand = {
      .name = "describe",
      .summary = "everything about one component: fields, formulas, examples",
      .description =
          "Prints a component's fields with type, default, range and meaning, its documentation, runnable "
          "examples and where it comes from. The kind is needed only where two kinds have the name.",
      .positionals = {{"KIND", "transformer, dataset, ...", false}, {"NAME", "the component"}},
      .options = {},
      .examples = {"pushforward describe coupling", "pushforward describe dataset csv"},
      .run = &describe_component,
  };
  return kCommand;
}

}  // namespace pushforward
