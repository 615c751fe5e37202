// Damaged specs: whatever a text holds, it resolves or is refused with the toolkit's own error.
#include <catch2/catch.hpp>
#include <random>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

const char* const kSpecs[] = {
    R"(seed: 3
precision: float64
data:
  source: {counting: {rows: 12}}
  preprocess: [standardize]
  split: {train: 0.5, validation: 0.25, test: 0.25}
  context: {labels: label, classes: 3}
model:
  base: {tiny: {location: learnable, scale: {network: {mlp: {hidden: [4]}}}}}
  bijectors:
    - &layer
      coupling: {transformer: affine, mask: halves}
    - *layer
    - {invert: {bijector: nothing}}
training:
  steps: 1
  optimizer: {adam: {<<: {beta1: 0.5}, learning_rate: 1e-2}}
  groups: [{match: "*", weight_decay: 0.1}]
)",
    "target: {tiny: {shape: [2]}}\nmodel: {tiny: {location: learnable}}\ntraining: {steps: 2, objective: to_target}\n",
};

/// One to four characters replaced, removed, doubled or swapped for pieces that mean something in YAML.
std::string damaged(std::string text, std::mt19937& random) {
  static const std::string pieces[] = {
      "",     ":",    "- ", "{",  "}",   "[",     "]", "\n", "  ", "\t",
      "'",    "\"",   "&a", "*a", "!!x", "<<: ",  "#", "|",  "~",  "-1",
      ".inf", "\x80", "0",  ",",  "? ",  "---\n", "%", "\\", "@",  "999999999999999999999"};
  const std::size_t edits = 1 + random() % 4;
  const bool digits_alone = random() % 2 == 0;  // the form stays, the numbers change
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t at = random() % text.size(), length = random() % 4;
    if (!digits_alone)
      text.replace(at, std::min(length, text.size() - at), pieces[random() % std::size(pieces)]);
    else if (const std::size_t digit = text.find_first_of("0123456789", at); digit != std::string::npos)
      text[digit] = static_cast<char>('0' + random() % 10);
    if (text.empty()) text = " ";
  }
  return text;
}

}  // namespace

TEST_CASE("the specs are valid before they are damaged") {
  for (const char* spec : kSpecs)
    CHECK(message_of([&] {
            const ResolvedSpec resolved = resolve_spec(tiny_registry(), parse_spec_text(spec, "spec"));
            if (resolved.float64)
              build_experiment<double>(tiny_registry(), resolved, true);
            else
              build_experiment<float>(tiny_registry(), resolved, true);
          }).empty());
}

TEST_CASE("damaged specs are refused in the toolkit's own words") {
  std::mt19937 random(7);
  int refused = 0, accepted = 0;
  for (const char* spec : kSpecs)
    for (int i = 0; i < 1500; ++i) {
      const std::string text = damaged(spec, random);
      INFO(text);
      try {
        const ResolvedSpec resolved = resolve_spec(tiny_registry(), parse_spec_text(text, "spec"));
        // What was accepted can be written and read again.
        const std::string written = resolved.to_yaml(tiny_registry());
        CHECK(resolve_spec(tiny_registry(), parse_spec_text(written, "spec")).to_yaml(tiny_registry()) == written);
        if (resolved.float64)
          build_experiment<double>(tiny_registry(), resolved, true);
        else
          build_experiment<float>(tiny_registry(), resolved, true);
        ++accepted;
      } catch (const Error& e) {
        CHECK_FALSE(std::string(e.what()).empty());
        ++refused;
      } catch (const std::exception& e) {
        FAIL(e.what());
      }
    }
  CHECK(refused > 1000);
  CHECK(accepted > 100);
}

TEST_CASE("damaged overrides are refused in the toolkit's own words") {
  std::mt19937 random(11);
  const std::string overrides[] = {"model.bijectors[1].coupling.network.mlp.hidden=[3]", "training.optimizer.beta1=0.5",
                                   "data.split={train: 1.0}", "model.base.scale.network.hidden[0]=7",
                                   "training.groups[0].match='*'"};
  for (int i = 0; i < 1500; ++i) {
    const std::string override = damaged(overrides[random() % std::size(overrides)], random);
    INFO(override);
    try {
      resolve_spec(tiny_registry(), parse_spec_text(kSpecs[0], "spec"), {override});
    } catch (const Error& e) {
      CHECK_FALSE(std::string(e.what()).empty());
    } catch (const std::exception& e) {
      FAIL(e.what());
    }
  }
}
