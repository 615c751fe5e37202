#include "known_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace pushforward {
namespace {

constexpr const char* kAutoregressive =
    "autoregressive layers are not there yet; the nearest are coupling layers, which are as fast in both directions: "
    "bijectors: [repeat: {times: 6, bijectors: [coupling: {transformer: affine}]}]";

struct KnownName {
  const char *name, *text;
};
constexpr KnownName kKnownNames[] = {
    {"nice",
     "its additive coupling layers are affine ones without their scale, which there is no transformer for; affine ones "
     "can do all that they can: bijectors: [repeat: {times: 6, bijectors: [coupling: {transformer: affine}]}]"},
    {"realnvp",
     "affine coupling layers: bijectors: [repeat: {times: 6, bijectors: [coupling: {transformer: affine}]}]"},
    {"nsf",
     "coupling layers of rational-quadratic splines: bijectors: [repeat: {times: 4, bijectors: [coupling: "
     "{transformer: "
     "rational_quadratic_spline}]}]"},
    {"neuralsplineflow",
     "coupling layers of rational-quadratic splines: bijectors: [repeat: {times: 4, bijectors: [coupling: "
     "{transformer: "
     "rational_quadratic_spline}]}]"},
    {"maf", kAutoregressive},
    {"iaf", kAutoregressive},
    {"made", kAutoregressive},
    {"naf", kAutoregressive},
};

}  // namespace

std::string known_name_text(const std::string& name) {
  std::string plain;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* known =
      std::find_if(std::begin(kKnownNames), std::end(kKnownNames), [&](const KnownName& k) { return plain == k.name; });
  return known == std::end(kKnownNames)
             ? std::string()
             : fmt::format("'{}' is the name of a model, not of a component. Here: {}", name, known->text);
}

}  // namespace pushforward
