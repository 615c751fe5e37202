// Random damage of specs: whatever a text holds, it is valid or is refused at a place in it.
//
// RapidCheck shrinks a failure to the few edits that matter; tests/fuzz/spec.cpp draws the same edits by the million.
#include <catch2/catch.hpp>

#include "support/components.h"
#include "support/edits.h"
#include "support/random_components.h"
#include "support/spec_refusals.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

const PropertySettings kSettings(4000);

std::uint32_t number() { return *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>()); }

rc::Gen<std::vector<Edit>> some_edits() {
  return rc::gen::container<std::vector<Edit>>(
      rc::gen::exec([] { return Edit{.kind = number(), .place = number(), .what = number()}; }));
}

/// What a text says in a failure's report.
std::string excerpt(const std::string& text) {
  constexpr std::size_t kLongest = 3000;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "\n[" + std::to_string(text.size()) + " bytes]";
}

}  // namespace

namespace pushforward::test {
std::ostream& operator<<(std::ostream& out, const Edit& edit) {
  return out << "{" << edit.kind << ", " << edit.place << ", " << edit.what << "}";
}
}  // namespace pushforward::test

TEST_CASE("damaged specs are valid, or refused at a place in them") {
  REQUIRE(plugins().failures().empty());
  const std::vector<std::string> seeds = spec_seeds();
  REQUIRE(seeds.size() > 50);
  const Material material{.seeds = seeds, .tokens = spec_tokens()};
  std::size_t accepted = 0, refused = 0;
  CHECK(rc::check("any text is a valid spec or is refused", [&] {
    const std::size_t seed = choose(seeds.size());
    const std::vector<Edit> edits = *rc::gen::resize(6, some_edits());
    const std::string text = edited(seeds[seed], edits, material);
    RC_LOG() << excerpt(text);
    ++(accepts_or_refuses(plugins(), text) ? accepted : refused);
  }));
  CHECK(accepted > 300);
  CHECK(refused > 300);
}

TEST_CASE("random components with random fields are valid, or refused at a place in them") {
  std::size_t accepted = 0;
  CHECK(rc::check("fields drawn from the schema are valid", [&] {
    RandomComponents random(plugins());
    const std::vector<std::string> kinds = plugins().kinds();
    const std::string kind = kinds[choose(kinds.size())];
    const std::string text = write_spec(random.component(kind, 2));
    RC_LOG() << kind << ":\n" << text;
    try {
      resolve_component(plugins(), kind, parse_spec_text(text, "spec.yaml"));
      ++accepted;
    } catch (const SpecError& e) {
      RC_LOG() << e.what();
      require_placed(e.what(), text);
      // Only what no schema tells may be missing: files, names.
      RC_ASSERT(std::string(e.what()).find("needs the field") != std::string::npos);
    }
  }));
  CHECK(accepted > 1000);
}

TEST_CASE("enormous and hostile specs are refused in no time") {
  const auto repeated = [](std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  std::string keys, nested_anchors = "a: ";
  for (int i = 0; i < 150000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 150; ++i) nested_anchors += "&a" + std::to_string(i) + " [";
  const std::string texts[] = {
      keys,                                      // each is compared with all before
      nested_anchors + repeated("1, ", 100000),  // each anchor keeps a copy
      "model: {base: normal, bijectors: [" + repeated("coupling, ", 50000) + "affine]}\ntraining: {steps: 1}\n",
      "model: {base: normal, bijectors: [" + repeated("{coupling: {transformer: affine}}, ", 30000) + "affine]}\n",
      "model: " + repeated("{invert: {bijector: ", 5000),
      repeated("[", 1000000),
      repeated("- ", 1000000),
      repeated("a: ", 500000),
      std::string(3000000, 'a') + ": 1\n",
      "seed: " + std::string(3000000, '7') + "\n",
      "model: {base: '" + std::string(3000000, 'x') + "'}\n",
      repeated("#", 3000000),
      repeated("\n", 3000000),
      repeated("? ", 100000),
      repeated("*a ", 100000),
      repeated("'", 1000001),
      "a: |\n" + repeated(" x\n", 500000),
  };
  constexpr double kHangs = 10;  // seconds of processor time: far more than any of them takes on a busy machine
  for (const std::string& text : texts) {
    INFO(text.substr(0, 60) << ", " << text.size() << " bytes");
    timespec before{}, after{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    CHECK_FALSE(accepts_or_refuses(plugins(), text));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    CHECK(static_cast<double>(after.tv_sec - before.tv_sec) +
              1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec) <
          kHangs);
  }
}
