// Random components with random valid fields, drawn from the registry and the schemas in it by RapidCheck.
//
// Nothing here knows a component by its name: a new one takes part by being registered.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "pushforward/number_text.h"
#include "pushforward/registry/registry.h"
#include "pushforward/registry/spec_tree.h"

namespace pushforward::test {

/// RapidCheck's settings for a program, unless the variable RC_PARAMS has others: `RC_PARAMS="seed=7
/// max_success=1000"`. A fixed seed, so that a failure is there again in the next run.
class PropertySettings {
 public:
  explicit PropertySettings(int cases) {
    ::setenv("RC_PARAMS", ("seed=1 max_success=" + std::to_string(cases)).c_str(), 0);
  }
};

/// 0 to count - 1, shrinking to 0; evenly, whatever RapidCheck's size.
inline std::size_t choose(std::size_t count) {
  return count <= 1 ? 0 : *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, count));
}

class RandomComponents {
 public:
  explicit RandomComponents(const Registry& registry) : registry_(registry) {}

  /// One of a kind, with children at most `depth` deep that are of a kind which holds itself (`invert` in `invert`). A
  /// transformer may stand where a bijector does.
  SpecNode component(const std::string& kind, int depth) {
    std::vector<const ComponentInfo*> candidates = of_kind(kind, depth);
    if (kind == "bijector")
      for (const ComponentInfo* transformer : of_kind("transformer", depth)) candidates.push_back(transformer);
    if (candidates.empty()) throw std::logic_error("there is no " + kind);
    const ComponentInfo& info = *candidates[choose(candidates.size())];
    SpecNode fields = SpecNode::map();
    for (std::size_t i = 0; i < info.field_count; ++i) {
      const Field& field = info.fields[i];
      // Lists of sizes are always drawn: those of networks by default are larger than a test can check.
      const bool given = !field.fallback || field.type == FieldType::integers || choose(2) == 1;
      if (SpecNode value; given && draw(field, depth, value)) fields.set(field.name, std::move(value));
    }
    SpecNode node = SpecNode::map();
    node.set(info.name, std::move(fields));
    return node;
  }

 private:
  static bool holds_its_kind(const ComponentInfo& info) {
    const auto of_maps = [](const Field& f) {
      return f.kind && (std::string_view(f.kind) == "bijector" || std::string_view(f.kind) == "distribution");
    };
    return std::any_of(info.fields, info.fields + info.field_count, of_maps);
  }
  std::vector<const ComponentInfo*> of_kind(const std::string& kind, int depth) const {
    std::vector<const ComponentInfo*> all;
    for (const RegisteredComponent* component : registry_.components(kind))
      if (component->info->make_double && (depth > 0 || !holds_its_kind(*component->info)))
        all.push_back(component->info);
    return all;
  }

  /// False: left out, or to be left to its default.
  bool draw(const Field& field, int depth, SpecNode& value) {
    switch (field.type) {
      case FieldType::boolean:
        value = SpecNode::scalar(choose(2) ? "true" : "false");
        return true;
      case FieldType::integer:
        value = SpecNode::scalar(number_text(integer(field, 5)));
        return true;
      case FieldType::real:
      case FieldType::value:
        value = SpecNode::scalar(number_text(real(field)));
        return true;
      case FieldType::choice:
        value = SpecNode::scalar(one_of_choices(field));
        return true;
      case FieldType::integers:
      case FieldType::reals:
        if (field.type == FieldType::integers && field.fallback && choose(2) == 0 &&
            std::string_view(field.fallback) == kOptional)
          return false;
        value = SpecNode::list();
        for (std::size_t n = 1 + choose(3); n > 0; --n)
          value.items.push_back(
              SpecNode::scalar(number_text(field.type == FieldType::integers ? integer(field, 6) : real(field))));
        return true;
      case FieldType::component:
        value = component(field.kind, depth - 1);
        return true;
      case FieldType::components:
        value = SpecNode::list();
        for (std::size_t n = 1 + choose(2); n > 0; --n) value.items.push_back(component(field.kind, depth - 1));
        return true;
      case FieldType::text:
      case FieldType::path:
      case FieldType::texts:
        return false;  // names of things outside, which no schema tells
    }
    return false;
  }

  static std::string one_of_choices(const Field& field) {
    std::vector<std::string> all(1);
    for (const char* c = field.choices; *c; ++c)
      if (*c == '|')
        all.emplace_back();
      else
        all.back() += *c;
    return all[choose(all.size())];
  }
  static bool in_range(const Field& f, double x) {
    return (f.open_minimum ? x > f.minimum : x >= f.minimum) && (f.open_maximum ? x < f.maximum : x <= f.maximum);
  }
  /// Small ones: sizes and counts cost time.
  static double integer(const Field& field, int count) {
    double lowest = std::isfinite(field.minimum) ? std::ceil(field.minimum) : -2;
    if (field.open_minimum && lowest == field.minimum) ++lowest;
    const double x = lowest + static_cast<double>(choose(static_cast<std::size_t>(count)));
    return in_range(field, x) ? x : lowest;
  }
  /// Near the default, or well inside of the range.
  static double real(const Field& field) {
    const double step = (1 + static_cast<double>(choose(8))) / 8;  // (0, 1]
    char* end = nullptr;
    const double fallback = field.fallback ? std::strtod(field.fallback, &end) : 0;
    std::vector<double> candidates;
    if (end && end != field.fallback && *end == '\0' && std::isfinite(fallback))
      candidates = {fallback * (0.5 + step), fallback + step - 0.5, fallback};
    else if (std::isfinite(field.minimum) && std::isfinite(field.maximum))
      candidates = {field.minimum + (0.1 + 0.8 * step) * (field.maximum - field.minimum)};
    else if (std::isfinite(field.minimum))
      candidates = {field.minimum + 2 * step};
    else
      candidates = {std::isfinite(field.maximum) ? field.maximum - 2 * step : 3 * step - 1.5};
    for (const double x : candidates)
      if (in_range(field, x)) return x;
    return candidates.back();
  }

  const Registry& registry_;
};

}  // namespace pushforward::test
