// Every ready-made spec fits, and its run can be evaluated and sampled.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Json = nlohmann::json;
using pushforward::test::pushforward;

TEST_CASE("Every spec in configs/ runs") {
  const TemporaryFolder folder;
  int specs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PUSHFORWARD_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    ++specs;
    const std::string run = entry.path().stem().string();
    INFO(entry.path());
    const Outcome fit =
        pushforward({"fit", entry.path().string(), "-o", run, "-q", "--format", "json", "--set", "training.steps=20"},
                    folder.path());
    CAPTURE(fit.err);
    REQUIRE(fit.code == 0);
    const Json object = Json::parse(fit.out);
    CHECK(object["steps"] == 20);
    const Outcome evaluation = pushforward({"evaluate", run, "--format", "json"}, folder.path());
    CHECK(Json::parse(evaluation.out) == object["evaluation"]);
    CHECK(std::filesystem::exists(folder / run / "samples.npy"));
  }
  CHECK(specs > 0);
}

}  // namespace
