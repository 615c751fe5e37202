// Wrong specs: every NAME.yaml of this folder is resolved and built with the plugins of this build, and must fail with
// the text of NAME.expected, word for word.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "pushforward/registry/experiment.h"

using namespace pushforward;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// What a user sees: the message of the first exception on the way from the text to an experiment.
std::string message_of(const Registry& registry, const fs::path& file) {
  try {
    const ResolvedSpec spec = resolve_spec(registry, parse_spec_text(text_of(file), file.filename().string()));
    if (spec.float64)
      build_experiment<double>(registry, spec, true);
    else
      build_experiment<float>(registry, spec, true);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("wrong specs are refused with the right words") {
  Registry registry;
  registry.add_folder(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins");
  REQUIRE(registry.failures().empty());
  std::vector<fs::path> specs;
  for (const fs::directory_entry& entry : fs::directory_iterator(PUSHFORWARD_SOURCE_DIR "/tests/spec_errors"))
    if (entry.path().extension() == ".yaml") specs.push_back(entry.path());
  std::sort(specs.begin(), specs.end());
  REQUIRE(specs.size() >= 25);
  for (const fs::path& spec : specs) {
    INFO(spec.filename());
    CHECK(message_of(registry, spec) + "\n" == text_of(fs::path(spec).replace_extension(".expected")));
  }
}
