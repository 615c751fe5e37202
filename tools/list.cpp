// list: every component that a spec can name.
#include <nlohmann/json.hpp>

#include "command.h"
#include "components.h"
#include "json_number.h"
#include "number_format.h"
#include "program.h"
#include "text_table.h"

namespace pushforward {
namespace {

std::string as_json(const std::vector<const RegisteredComponent*>& components) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const RegisteredComponent* c : components)
    array.push_back(
        {{"kind", c->info->kind}, {"name", c->info->name}, {"summary", c->info->summary}, {"plugin", c->plugin}});
  return json_text(array);
}

std::string as_text(const std::vector<const RegisteredComponent*>& components, std::size_t width) {
  TextTable table({{"kind"}, {"name"}, {"summary"}});
  const char* before = "";
  for (const RegisteredComponent* c : components) {
    // A kind is named where it begins.
    const bool same = std::string(before) == c->info->kind;
    table.add({same ? "" : c->info->kind, c->info->name, c->info->summary});
    before = c->info->kind;
  }
  return table.to_text(width);
}

int list(const Arguments& arguments, Console& console) {
  Registry registry;
  load_components(registry, arguments, console);
  const std::string kind = arguments.positional(0);
  if (!kind.empty()) require_kind(registry, kind);
  const auto components = registry.components(kind);
  console.result(console.json ? as_json(components) : as_text(components, console.width()));
  if (!console.json)
    console.note("{}; 'pushforward describe NAME' says more",
                 counted(static_cast<std::int64_t>(components.size()), "component"));
  return kSuccess;
}

}  // namespace

const Command& list_command() {
  static const Command kCommand = {
      .name = "list",
      .summary = "list the components that a spec can name",
      .description =
          "Lists every component of the plugins that were found: what it is called, what it is, where it "
          "comes from.",
      .positionals = {{"KIND", "only one kind: bijector, transformer, dataset, ...", false}},
      .options = {},
      .examples = {"pushforward list", "pushforward list transformer --format json"},
      .run = &list,
  };
  return kCommand;
}

}  // namespace pushforward
