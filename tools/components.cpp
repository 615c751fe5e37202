#include "components.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "field_tables.h"
#include "pushforward/nearest.h"

namespace pushforward {
namespace {

std::vector<std::string> kinds_of(const Registry& registry, const std::string& name) {
  std::vector<std::string> kinds;
  for (const RegisteredComponent* c : registry.components())
    if (name == c->info->name) kinds.emplace_back(c->info->kind);
  return kinds;
}

[[noreturn]] void refuse_name(const Registry& registry, const std::string& kind, const std::string& name) {
  const std::vector<std::string> others = kinds_of(registry, name);
  if (!others.empty())
    throw UsageError(
        fmt::format("there is no {} '{}', but a {} of that name", kind, name, fmt::join(others, " and a ")));
  std::set<std::string> names;
  for (const RegisteredComponent* c : registry.components(kind)) names.insert(c->info->name);
  if (kind.empty())
    for (const std::string& place : section_places()) names.insert(place);
  const std::string near = nearest(name, {names.begin(), names.end()});
  std::string remedy = near.empty() ? fmt::format("; 'pushforward list{}{}' names all", kind.empty() ? "" : " ", kind)
                                    : "; did you mean '" + near + "'?";
  for (const LibraryFailure& failure : registry.failures())
    remedy += fmt::format("\n  not loaded: {}: {}", failure.library, failure.reason);
  throw UsageError(fmt::format("there is no {} '{}'{}", kind.empty() ? "component" : kind, name, remedy));
}

}  // namespace

void load_components(Registry& registry, const Arguments& arguments, Console& console) {
  registry.add_standard_folders(arguments.texts("plugin-path"));
  for (const LibraryFailure& failure : registry.failures())
    console.warn("{} was not loaded: {}", failure.library, failure.reason);
}

void require_kind(const Registry& registry, const std::string& kind) {
  const std::vector<std::string> kinds = registry.kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return;
  const std::string near = nearest(kind, kinds);
  if (!near.empty()) throw UsageError(fmt::format("there is no kind '{}'; did you mean '{}'?", kind, near));
  const std::vector<std::string> of_name = kinds_of(registry, kind);
  if (!of_name.empty())
    throw UsageError(fmt::format("'{}' is a {}, not a kind; 'pushforward describe {}' says more", kind,
                                 fmt::join(of_name, " and a "), kind));
  throw UsageError(fmt::format("there is no kind '{}'; there are {}", kind, fmt::join(kinds, ", ")));
}

const RegisteredComponent& named_component(const Registry& registry, const std::string& kind, const std::string& name) {
  if (!kind.empty()) {
    require_kind(registry, kind);
    if (const RegisteredComponent* found = registry.find(kind, name)) return *found;
    refuse_name(registry, kind, name);
  }
  const std::vector<std::string> kinds = kinds_of(registry, name);
  if (kinds.empty()) refuse_name(registry, kind, name);
  if (kinds.size() > 1)
    throw UsageError(fmt::format("'{}' is the name of a {}; say which, as in '{} {}'", name,
                                 fmt::join(kinds, " and of a "), kinds.front(), name));
  return *registry.find(kinds.front(), name);
}

}  // namespace pushforward
