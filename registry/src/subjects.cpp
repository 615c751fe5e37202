#include "pushforward/registry/subjects.h"

#include <algorithm>
#include <cmath>

#include "pushforward/number_text.h"
#include "pushforward/registry/assembly.h"

namespace pushforward {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr const char* kPlace = "model";

template <class T>
testing::Built<T> build(const Registry& registry, const std::string& kind, const SpecNode& resolved,
                        const Surroundings& surroundings) {
  Assembly<T> assembly = assemble<T>(registry, kind, resolved, surroundings, kSeed, kPlace);
  return {std::move(assembly.root), std::move(assembly.components), std::move(assembly.layout),
          std::move(assembly.store), std::move(assembly.unread_fields)};
}

/// The example with one field set to `value`, validated: must throw.
testing::Refusal refusal(const Registry& registry, const std::string& kind, const SpecNode& resolved,
                         const std::string& field, const SpecNode& value, const std::string& shown) {
  SpecNode spec = resolved;
  spec.entries.front().value.set(field, value);
  return {field + ": " + shown, field, [&registry, kind, spec] { resolve_component(registry, kind, spec); }};
}

/// Numbers on the wrong side of a field's bounds.
std::vector<double> beyond_bounds(const Field& field) {
  std::vector<double> values;
  if (std::isfinite(field.minimum)) values.push_back(field.open_minimum ? field.minimum : field.minimum - 1);
  if (std::isfinite(field.maximum)) values.push_back(field.open_maximum ? field.maximum : field.maximum + 1);
  return values;
}

std::vector<testing::Refusal> refusals(const Registry& registry, const ComponentInfo& info, const SpecNode& resolved) {
  std::vector<testing::Refusal> all;
  const auto refuse = [&](const std::string& field, const SpecNode& value, const std::string& shown) {
    all.push_back(refusal(registry, info.kind, resolved, field, value, shown));
  };
  for (std::size_t i = 0; i < info.field_count; ++i) {
    const Field& field = info.fields[i];
    const bool list = field.type == FieldType::integers || field.type == FieldType::reals;
    for (const double value : beyond_bounds(field)) {
      const SpecNode number = SpecNode::scalar(number_text(value));
      SpecNode values = SpecNode::list();
      values.items.push_back(number);
      refuse(field.name, list ? values : number, list ? "[" + number.text + "]" : number.text);
    }
    if (field.type == FieldType::choice) refuse(field.name, SpecNode::scalar("no_such_choice"), "no_such_choice");
  }
  refuse("no_such_field", SpecNode::scalar("1"), "1");
  return all;
}

/// Whether the rows of any example of a dataset depend on the seed.
bool is_seeded(const Registry& registry, const ComponentInfo& info) {
  for (std::size_t i = 0; i < info.example_count; ++i) {
    const Assembly<double> built = assemble_example<double>(registry, info, info.examples[i], kSeed);
    const auto* dataset = dynamic_cast<const Dataset<double>*>(built.root.get());
    if (dataset && dataset->load(1).values != dataset->load(2).values) return true;
  }
  return false;
}

}  // namespace

testing::Subject make_subject(const Registry& registry, const RegisteredComponent& component, const Example& example) {
  const ComponentInfo& info = *component.info;
  const std::string kind = info.kind;
  const std::string name = kind + " " + info.name + ", example " + example.name;
  const SpecNode resolved = resolve_component(registry, kind, parse_spec_text(example.yaml, name));
  testing::Subject subject;
  subject.kind = kind;
  subject.name = info.name;
  subject.example = example.name;
  subject.surroundings = example_surroundings(info, example);
  subject.tolerance_factor = example.tolerance_factor;
  subject.reason = example.reason ? example.reason : "";
  for (const Ungraded& u : example.without_gradient)
    if (u.parameter) subject.without_gradient.emplace_back(u.parameter, u.reason ? u.reason : "");
  if (kind == "dataset") subject.seeded_elsewhere = [&registry, &info] { return is_seeded(registry, info); };
  subject.given_rows = std::any_of(info.fields, info.fields + info.field_count,
                                   [](const Field& field) { return field.type == FieldType::path; });
  if (info.make_float)
    subject.make_float = [&registry, kind, resolved](const Surroundings& s) {
      return build<float>(registry, kind, resolved, s);
    };
  if (info.make_double)
    subject.make_double = [&registry, kind, resolved](const Surroundings& s) {
      return build<double>(registry, kind, resolved, s);
    };
  subject.refusals = refusals(registry, info, resolved);
  return subject;
}

}  // namespace pushforward
