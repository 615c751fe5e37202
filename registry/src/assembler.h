// Assembler: builds components one after the other into one set of numbers.
#pragma once

#include <map>
#include <set>

#include "pushforward/registry/assembly.h"

namespace pushforward {

/// Everything that is built by one assembler shares its layout, its store and its ids: a model and its objective.
template <class T>
class Assembler {
 public:
  Assembler(const Registry& registry, std::uint64_t seed) : registry_(registry), seed_(seed) {}

  /// Builds a resolved component of a kind. See `assemble` for the errors.
  std::unique_ptr<ComponentBase> build(const std::string& kind, const SpecNode& resolved,
                                       const Surroundings& surroundings, const std::string& place,
                                       bool in_list = false);
  /// The same, as its class.
  template <class C>
  std::unique_ptr<C> build_as(const std::string& kind, const SpecNode& resolved, const Surroundings& surroundings,
                              const std::string& place, bool in_list = false) {
    std::unique_ptr<ComponentBase> made = build(kind, resolved, surroundings, place, in_list);
    C* typed = dynamic_cast<C*>(made.get());
    if (!typed) wrong_class(kind, resolved, place);
    made.release();
    return std::unique_ptr<C>(typed);
  }

  // --- for the nodes -----------------------------------------------------------------------------------------------
  ComponentId next_id() { return ComponentId{ids_++}; }
  /// `draw`: tells a component's parameters apart.
  Parameter add_parameter(const std::string& path, Index rows, Index columns, const Initial& initial, Role role,
                          ComponentId component, Index draw);
  Parameter add_derived(const std::string& path, Index rows, Index columns);
  State add_state(const std::string& path, const std::vector<double>& start);
  State add_integer_state(const std::string& path, const std::vector<std::int64_t>& start);
  Statistic add_statistic(Index columns);
  void note_context_use() { uses_context_ = true; }
  void note_unread(const std::string& field) { unread_.push_back(field); }

  // --- what was built ----------------------------------------------------------------------------------------------
  const Registry& registry() const { return registry_; }
  std::vector<const Component<T>*>& components() { return components_; }
  Layout& layout() { return layout_; }
  Store<T>& store() { return store_; }
  /// Where a component stands in the text.
  const Position& position_of(const Component<T>& component) const { return positions_.at(&component); }
  std::vector<std::string>& unread_fields() { return unread_; }
  /// Whether a network was built that takes the context in. Distributions say so by their traits.
  bool uses_context() const { return uses_context_; }

 private:
  [[noreturn]] void wrong_class(const std::string& kind, const SpecNode& resolved, const std::string& place) const;
  void claim(const std::string& path);

  const Registry& registry_;
  std::uint64_t seed_;
  std::uint32_t ids_ = 0;
  Layout layout_;
  Store<T> store_;
  std::vector<const Component<T>*> components_;
  std::map<const Component<T>*, Position> positions_;
  std::vector<std::string> unread_;
  std::set<std::string> names_;
  bool uses_context_ = false;
};

extern template class Assembler<float>;
extern template class Assembler<double>;

}  // namespace pushforward
