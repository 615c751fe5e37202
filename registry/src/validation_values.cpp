// Values of fields that are no components: numbers, words, lists of them, and the values of distributions.
#include <algorithm>
#include <cmath>

#include "pushforward/number_text.h"
#include "scalars.h"
#include "schema_text.h"
#include "validation.h"

namespace pushforward {

namespace {

bool in_range(const Field& field, double number) {
  if (std::isnan(number)) return false;
  const bool above = field.open_minimum ? number > field.minimum : number >= field.minimum;
  const bool below = field.open_maximum ? number < field.maximum : number <= field.maximum;
  return above && below;
}

/// Infinite values are allowed where the default is one: bounds that may be left open.
bool allows_infinity(const Field& field) {
  if (!field.fallback) return false;
  const std::optional<double> number = parse_real(field.fallback);
  return number && std::isinf(*number);
}

bool is_number(const SpecNode& node) { return node.is_scalar() && !node.quoted && parse_real(node.text).has_value(); }

/// The type of a list's elements.
FieldType element_of(FieldType list) {
  switch (list) {
    case FieldType::integers:
      return FieldType::integer;
    case FieldType::reals:
      return FieldType::real;
    default:
      return FieldType::text;
  }
}

/// What the user probably meant by a scalar that is not what was expected.
std::string remedy(const Field& field, const SpecNode& node) {
  const bool real = field.type == FieldType::real || field.type == FieldType::value;
  const bool numeric = field.type == FieldType::integer || real;
  if (field.type == FieldType::integer && !node.quoted && is_beyond_int64(node.text))
    return "; that is beyond the range of 64-bit integers, -9223372036854775808 to 9223372036854775807";
  if (real && !node.quoted && is_beyond_float64(node.text))
    return "; that is beyond the range of float64, 0 or 5e-324 to 1.8e308 in size";
  if (numeric && node.quoted && parse_real(node.text)) return "; without quotes it is a number";
  if (numeric && !node.quoted && has_leading_zeros(node.text))
    return "; YAML's versions read leading zeros differently: write the number without them";
  if (field.type == FieldType::integer && is_number(node) && !parse_integer(node.text)) {
    const double number = *parse_real(node.text);
    if (std::floor(number) == number && std::abs(number) < 9e15)
      return "; write " + std::to_string(static_cast<long long>(number));
  }
  if (field.type == FieldType::real && is_number(node) && !std::isfinite(*parse_real(node.text)))
    return "; it must be finite";
  if (field.type == FieldType::boolean) {
    std::string word = node.text;
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (word == "yes" || word == "on" || word == "true") return "; write true";
    if (word == "no" || word == "off" || word == "false") return "; write false";
  }
  if (field.choices) return did_you_mean(node.text, choices_of(field));
  return "";
}

/// Whether a scalar is a valid value of a field that is no list.
bool fits(const Slot& slot, const SpecNode& node) {
  const Field& field = slot.field;
  if (slot.word && node.text == slot.word) return true;
  switch (field.type) {
    case FieldType::boolean:
      return !node.quoted && parse_boolean(node.text).has_value();
    case FieldType::integer: {
      const std::optional<std::int64_t> number = parse_integer(node.text);
      return !node.quoted && number && in_range(field, static_cast<double>(*number));
    }
    case FieldType::real: {
      const std::optional<double> number = parse_real(node.text);
      if (node.quoted || !number) return false;
      return in_range(field, *number) && (std::isfinite(*number) || allows_infinity(field));
    }
    case FieldType::choice:
    case FieldType::text: {
      if (!field.choices) return true;
      const std::vector<std::string> choices = choices_of(field);
      return std::find(choices.begin(), choices.end(), node.text) != choices.end();
    }
    case FieldType::path:
      return !node.text.empty();
    default:
      return false;
  }
}

}  // namespace

void Validator::expected(const Slot& slot, const SpecNode& node, const std::string& place, const std::string& remedy) {
  problems_.add(node.position, place + " must be " + expectation(slot) + ", but is " + shown(node) + remedy);
}

SpecNode Validator::scalar(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (!node.is_scalar()) {
    expected(slot, node, place);
    return node;
  }
  if (!fits(slot, node)) {
    expected(slot, node, place, remedy(slot.field, node));
    return node;
  }
  if (float32_ && slot.field.type == FieldType::real && !fits_float32(parse_real(node.text).value_or(0)))
    problems_.add(node.position, place + " is '" + node.text +
                                     "', which precision: float32 cannot hold (0, or 1.2e-38 " +
                                     "to 3.4e38 in size); give another number, or precision: float64");
  SpecNode resolved = node;
  if (slot.field.type == FieldType::path) resolved.text = absolute_path(node);
  return resolved;
}

SpecNode Validator::list(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (!node.is_list()) {
    expected(slot, node, place, node.is_scalar() ? "; write [" + node.text + "]" : "");
    return node;
  }
  Slot element = slot;
  element.field.type = element.field.choices ? FieldType::choice : element_of(slot.field.type);
  SpecNode resolved = SpecNode::list(node.position);
  for (std::size_t i = 0; i < node.items.size(); ++i)
    resolved.items.push_back(scalar(element, node.items[i], place + "[" + std::to_string(i) + "]"));
  return resolved;
}

SpecNode Validator::distribution_value(const Slot& slot, const SpecNode& node, const std::string& place) {
  Slot number = slot, numbers = slot;
  number.field.type = FieldType::real;
  numbers.field.type = FieldType::reals;
  if (node.is_list()) return list(numbers, node, place);
  if (node.is_scalar() && node.text == "learnable") return learnable(slot, node, place);
  if (is_number(node)) return scalar(number, node, place);
  if (!node.is_map() || node.entries.size() != 1) {
    expected(slot, node, place, node.is_scalar() ? remedy(slot.field, node) : "");
    return node;
  }
  const SpecNode::Entry& entry = node.entries.front();
  SpecNode resolved = SpecNode::map(node.position);
  if (entry.key == "network") {
    resolved.entries.push_back({entry.key, entry.position, component("network", entry.value, place + "." + entry.key)});
  } else if (entry.key == "learnable") {
    resolved.entries.push_back({entry.key, entry.position,
                                entry.value.is_list() ? list(numbers, entry.value, place + "." + entry.key)
                                                      : scalar(number, entry.value, place + "." + entry.key)});
  } else {
    problems_.add(entry.position, place + " must be " + expectation(slot) + ", but has the key '" + entry.key + "'" +
                                      did_you_mean(entry.key, {"network", "learnable"}));
  }
  return resolved;
}

/// `learnable` alone starts at the field's default, if that is a number.
SpecNode Validator::learnable(const Slot& slot, const SpecNode& node, const std::string& place) {
  if (!slot.field.fallback || !parse_real(slot.field.fallback)) return node;
  SpecNode start = SpecNode::scalar(slot.field.fallback, node.position);
  start.defaulted = true;
  SpecNode written = SpecNode::map(node.position);
  written.set("learnable", std::move(start));
  return distribution_value(slot, written, place);
}

}  // namespace pushforward
