// Assembly: one component of a resolved spec, built with everything below it, and the numbers that belong to it.
#pragma once

#include "pushforward/build.h"
#include "pushforward/registry/spec.h"

namespace pushforward {

template <class T>
struct Assembly {
  std::unique_ptr<ComponentBase> root;
  /// Every component below the root and itself, children before parents: who prepares and updates.
  std::vector<const Component<T>*> components;
  Layout layout;
  Store<T> store;
  /// Declared fields that no factory read, of the root and everything below: `model (coupling): mask`.
  std::vector<std::string> unread_fields;
};

/// Builds a resolved component (one-key mapping) of a kind. `place` is its path in the spec (`model`), the prefix of
/// all its parameters' paths. Random starts are keyed by the seed and the order of building. Exceptions of factories
/// come out as SpecError (bad values) or PluginError, with the place and position of the component.
template <class T>
Assembly<T> assemble(const Registry& registry, const std::string& kind, const SpecNode& resolved,
                     const Surroundings& surroundings, std::uint64_t seed, const std::string& place);

/// What an example stands in: its event size and context; a network also maps as many inputs to as many outputs.
Surroundings example_surroundings(const ComponentInfo& component, const Example& example);

/// An example of a component's own schema, resolved and built: what the conformance kit and `describe` use.
template <class T>
Assembly<T> assemble_example(const Registry& registry, const ComponentInfo& component, const Example& example,
                             std::uint64_t seed);

}  // namespace pushforward
