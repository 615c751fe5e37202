// Specs: whatever a text holds, it is valid or is refused at a place in it.
#include <algorithm>
#include <filesystem>
#include <set>

#include "fuzz/target.h"
#include "support/components.h"
#include "support/spec_refusals.h"
#include "support/temporary_folder.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

/// The reader's own words and those of the schemas: components, their fields, what can be chosen, whole examples.
std::vector<std::string> words() {
  std::set<std::string> all;
  for (const RegisteredComponent* component : plugins().components()) {
    const ComponentInfo& info = *component->info;
    all.insert(info.name);
    for (const Field& field : std::span(info.fields, info.field_count)) {
      all.insert(field.name + std::string(": "));
      std::istringstream choices(field.choices ? field.choices : "");
      for (std::string choice; std::getline(choices, choice, '|');) all.insert(choice);
    }
    for (const Example& example : std::span(info.examples, info.example_count)) all.insert(example.yaml);
  }
  for (const std::string_view token : spec_tokens()) all.insert(std::string(token));
  return {all.begin(), all.end()};
}

}  // namespace

Seeds pushforward::test::seeds() {
  static const std::vector<std::string> all = words();
  static const std::vector<std::string_view> views(all.begin(), all.end());
  return {.files = spec_seeds(), .tokens = views};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input_was_accepted = accepts_or_refuses(plugins(), text_of(data, size));
  return 0;
}
