// Schema: a component's fields and examples as one constant table. The parser, the validator, the documentation and
// the resolved spec all read it; nothing is written twice.
#pragma once

#include <cstdint>

namespace pushforward {

enum class FieldType : std::uint8_t {
  boolean,
  integer,
  real,
  text,
  choice,      // one of `choices`, separated by '|'
  path,        // a file; relative to the spec
  integers,    // a list
  reals,       // a list
  texts,       // a list
  value,       // a distribution's field: number, list of numbers, `learnable`, or {network: ...} of the context
  component,   // one component of `kind`
  components,  // a list of components of `kind`
};

/// One field. A literal type: tables of it are constant-initialised and no code of a plugin runs to make them.
/// `fallback` is YAML text, validated like a user's own; none means that the field is required. The text "~" means
/// that it may be left out and has no value (`Build::given` is false).
struct Field {
  const char* name;
  FieldType type;
  const char* fallback;
  const char* doc;
  const char* choices = nullptr;
  const char* kind = nullptr;
  double minimum = -__builtin_inf();
  double maximum = __builtin_inf();
  bool open_minimum = false;  // the minimum itself is not allowed
  bool open_maximum = false;

  constexpr Field at_least(double bound) const {
    Field f = *this;
    f.minimum = bound;
    return f;
  }
  constexpr Field at_most(double bound) const {
    Field f = *this;
    f.maximum = bound;
    return f;
  }
  constexpr Field above(double bound) const {
    Field f = at_least(bound);
    f.open_minimum = true;
    return f;
  }
  constexpr Field below(double bound) const {
    Field f = at_most(bound);
    f.open_maximum = true;
    return f;
  }
};

inline constexpr const char* kRequired = nullptr;
inline constexpr const char* kOptional = "~";

constexpr Field boolean(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::boolean, fallback, doc};
}
constexpr Field integer(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::integer, fallback, doc};
}
constexpr Field real(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::real, fallback, doc};
}
constexpr Field text(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::text, fallback, doc};
}
constexpr Field path(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::path, fallback, doc};
}
constexpr Field integers(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::integers, fallback, doc};
}
constexpr Field reals(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::reals, fallback, doc};
}
constexpr Field texts(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::texts, fallback, doc};
}
constexpr Field choice(const char* name, const char* fallback, const char* choices, const char* doc) {
  return {name, FieldType::choice, fallback, doc, choices};
}
constexpr Field value(const char* name, const char* fallback, const char* doc) {
  return {name, FieldType::value, fallback, doc};
}
constexpr Field component(const char* name, const char* kind, const char* fallback, const char* doc) {
  return {name, FieldType::component, fallback, doc, nullptr, kind};
}
constexpr Field components(const char* name, const char* kind, const char* fallback, const char* doc) {
  return {name, FieldType::components, fallback, doc, nullptr, kind};
}

/// A parameter that receives no gradient, by the end of its path (`layers[0].bias`), and why.
struct Ungraded {
  const char* parameter = nullptr;
  const char* reason = nullptr;
};

/// A runnable example: the component as YAML, at an event size, perhaps with a context. Every example gets every
/// check of the conformance kit. `tolerance_factor` widens its tolerances, and `without_gradient` excuses parameters
/// that no function's gradient reaches: each with a reason that the report prints.
struct Example {
  const char* name;
  const char* yaml;
  std::int64_t event_size = 3;
  std::int64_t context_size = 0;
  double tolerance_factor = 1;
  const char* reason = nullptr;
  Ungraded without_gradient[4] = {};  // those that are needed: {{"offset", "it cancels"}}
};

}  // namespace pushforward
