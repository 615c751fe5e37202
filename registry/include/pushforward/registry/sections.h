// Sections: the fields of a spec outside of components, as constant tables. The validator, the overrides, the resolved
// spec and the documentation read them; nothing is written twice.
#pragma once

#include <span>

#include "pushforward/schema.h"

namespace pushforward {

struct Section;

/// A field of a section, and what only sections have.
struct Slot {
  Field field;
  const Section* section = nullptr;  // the value is a mapping with these fields; the field's type says nothing then
  const Section* each = nullptr;     // the value is a list of such mappings
  const char* word = nullptr;        // a word that may stand for the number: `all`, `auto`
  const Slot* beside = nullptr;      // of a component: one more key that may stand in its mapping, `model.context`
};

struct Section {
  const char* name;  // its place: `training.groups`
  const char* doc;
  std::span<const Slot> slots;
};

/// The whole spec; the other sections are reached through its slots.
const Section& spec_section();

}  // namespace pushforward
