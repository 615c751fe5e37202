// Subject: what the conformance kit checks, given by a maker, because checks need several instances in both precisions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pushforward/build.h"

namespace pushforward::testing {

/// One built component and the numbers that belong to it, at their start.
template <class T>
struct Built {
  std::unique_ptr<ComponentBase> component;
  /// The component and everything below it, children before parents: who is asked to prepare and to update.
  std::vector<const Component<T>*> components;
  Layout layout;
  Store<T> store;
  /// Declared fields that the factory did not read; empty if whoever built it cannot tell.
  std::vector<std::string> unread_fields;
};

/// A spec of the component that must be refused, and by which word of the message it is known.
struct Refusal {
  std::string description;        // `bins: 0`
  std::string mentions;           // `bins`
  std::function<void()> attempt;  // validates it; must throw SpecError
};

/// One example of one component.
///
/// The makers must give the same object for the same surroundings, but for random starts, which may differ between the
/// precisions: the kit copies the numbers of one precision to the other. A maker may throw an Error for surroundings
/// that its component cannot take (another event size); checks that need them then do not apply.
struct Subject {
  std::string kind, name, example;
  Surroundings surroundings;    // event shape, context columns, and for networks their shape
  double tolerance_factor = 1;  // on every tolerance
  std::string reason;           // for the factor; the report prints it
  std::function<Built<float>(const Surroundings&)> make_float;    // none: not registered for float32
  std::function<Built<double>(const Surroundings&)> make_double;  // needed: float64 is what float32 is compared with
  std::vector<Refusal> refusals;                                  // out-of-range fields
  /// Parameters (the end of their path is enough) that receive no gradient, each with its reason.
  std::vector<std::pair<std::string, std::string>> without_gradient;
  /// Of a dataset, which need not depend on the seed if its rows may be given to it, or if it does in another example.
  bool given_rows = false;
  std::function<bool()> seeded_elsewhere;  // may be empty

  template <class T>
  Built<T> make(const Surroundings& s) const {
    if constexpr (sizeof(T) == sizeof(float))
      return make_float(s);
    else
      return make_double(s);
  }
};

}  // namespace pushforward::testing
