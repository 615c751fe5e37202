// From a spec's text to a validated, fully resolved experiment description.
#pragma once

#include "pushforward/registry/registry.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward {

/// A spec that passed validation: every component known, every field valid, every default filled in. Building it can
/// fail only for what no schema can say (data, shapes, traits).
struct ResolvedSpec {
  SpecNode root;       // canonical form: `{base, bijectors}` is `flow`, a bare name is a mapping, defaults are there
  std::string source;  // the file it came from
  std::uint64_t seed = 0;
  bool float64 = false;  // precision
  /// The resolved spec as YAML, with the toolkit's version and the checksums of the plugins it uses. Parses and
  /// resolves to itself.
  std::string to_yaml(const Registry& registry) const;
};

/// Applies `--set PATH=VALUE` overrides (the notation of places: `model.bijectors[2].coupling.network`), validates
/// everything against the schemas and throws SpecError with every problem, sorted by position. `overrides` are parsed
/// as YAML values; one whose place does not exist in the schema is an error with its nearest name.
ResolvedSpec resolve_spec(const Registry& registry, SpecNode root, const std::vector<std::string>& overrides = {});

/// Validates one component as a field of kind `kind` would: `affine`, `{coupling: {...}}`. Used by examples and tests.
SpecNode resolve_component(const Registry& registry, const std::string& kind, const SpecNode& node);

/// Folders that the spec's `plugins:` names, with the overrides of that field, before anything else is resolved. Throws
/// SpecError for one that is not there; what else is wrong with the field is left to `resolve_spec`.
std::vector<std::string> plugin_folders(const SpecNode& root, const std::vector<std::string>& overrides = {});

}  // namespace pushforward
