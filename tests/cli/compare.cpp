// `compare`: the ranking, the differences row by row, and what is no contest. `completion` and `document` beside it.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/npy.h"
#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using pushforward::test::pushforward;

const std::string kSpec = PUSHFORWARD_SOURCE_DIR "/configs/circles.yaml";

Outcome fit(const TemporaryFolder& folder, const char* name, std::vector<std::string> sets) {
  std::vector<std::string> words = {"fit", kSpec,        "-o",    name,
                                    "-q",  "--no-plots", "--set", "data.split={train: 0.8, test: 0.2}"};
  for (const std::string& set : sets) words.insert(words.end(), {"--set", set});
  return pushforward(words, folder.path());
}

const TemporaryFolder& runs() {
  static const TemporaryFolder folder;
  static const bool fitted = [] {
    for (const Outcome& outcome :
         {fit(folder, "short", {"training.steps=5"}), fit(folder, "long", {"training.steps=300"}),
          fit(folder, "raw", {"training.steps=300", "data.preprocess=[]"}),
          fit(folder, "other", {"training.steps=5", "seed=1"})})
      if (outcome.code != 0) throw std::runtime_error(outcome.err);
    return true;
  }();
  REQUIRE(fitted);
  return folder;
}

TEST_CASE("The best run comes first, and differences are those of the rows") {
  const auto& folder = runs();
  const Outcome outcome = pushforward({"compare", "short", "long", "raw", "--format", "json"}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  const auto list = nlohmann::json::parse(outcome.out);
  REQUIRE(list.size() == 3);
  CHECK(list[2]["run"] == "short");
  CHECK(list[0]["difference"] == 0.0);
  CHECK(list[0]["rows_of"] == "test");
  CHECK(list[0]["rows"] == 200);
  for (const auto& run : list) {
    const Outcome evaluation = pushforward({"evaluate", run["run"], "--format", "json"}, folder.path());
    const auto test = nlohmann::json::parse(evaluation.out)["test"];
    CHECK(run["mean_log_prob_data_units"].get<double>() ==
          Approx(test["mean_log_prob_data_units"].get<double>()).epsilon(1e-9));
    CHECK(run["standard_error"].get<double>() > 0);
    CHECK(run["difference"].get<double>() ==
          Approx(run["mean_log_prob_data_units"].get<double>() - list[0]["mean_log_prob_data_units"].get<double>())
              .margin(1e-9));
  }
  // Row by row, what the rows have in common does not count: this is what makes small differences visible.
  CHECK(list[1]["difference_standard_error"].get<double>() < 0.5 * list[1]["standard_error"].get<double>());
}

TEST_CASE("Runs with other rows are no contest, unless a file has rows for all") {
  const auto& folder = runs();
  const Outcome apart = pushforward({"compare", "short", "other", "--format", "json"}, folder.path());
  REQUIRE(apart.code == 0);
  CHECK(apart.err.find("different rows") != std::string::npos);
  CHECK(!nlohmann::json::parse(apart.out)[0].contains("difference"));
  const Outcome together =
      pushforward({"compare", "short", "other", "--data", "long/samples.npy", "--format", "json"}, folder.path());
  CAPTURE(together.err);
  REQUIRE(together.code == 0);
  CHECK(together.err.empty());
  CHECK(nlohmann::json::parse(together.out)[1].contains("difference"));
  CHECK(pushforward({"compare"}, folder.path()).code == 2);
}

TEST_CASE("The table names runs and models") {
  const Outcome outcome = pushforward({"compare", "short", "long"}, runs().path());
  REQUIRE(outcome.code == 0);
  for (const char* part : {"run", "short", "long", "±", "flow(normal,", "to the best", "log_prob in data units"})
    CHECK(outcome.out.find(part) != std::string::npos);
}

TEST_CASE("Densities given a context are no contest for densities without one, and it is said") {
  const TemporaryFolder folder;
  std::string csv = "x,y\n";
  for (int i = 0; i < 40; ++i) csv += std::to_string(0.1 * i) + "," + std::to_string(i % 2) + "\n";
  folder.write("data.csv", csv);
  const std::string common = "model: {base: {normal: {mean: learnable}}, bijectors: [affine]}\ntraining: {steps: 2}\n";
  folder.write("plain.yaml", "data: {source: {csv: {file: data.csv, drop: [y]}}}\n" + common);
  folder.write("given.yaml",
               "data: {source: {csv: {file: data.csv}}, context: {columns: [y]}}\n"
               "model: {base: {normal: {mean: {network: mlp}}}, bijectors: [affine]}\ntraining: {steps: 2}\n");
  for (const std::string name : {"plain", "given"}) {
    const Outcome fit = pushforward({"fit", name + ".yaml", "-o", name, "-q", "--no-plots"}, folder.path());
    CAPTURE(fit.err);
    REQUIRE(fit.code == 0);
  }
  const Outcome both = pushforward({"compare", "plain", "given", "--data", "data.csv"}, folder.path());
  CHECK(both.code == 0);
  CHECK(both.err.find("some of the runs are conditional and some are not") != std::string::npos);
  CHECK(pushforward({"compare", "given", "given", "--data", "data.csv"}, folder.path()).err.empty());
}

/// What bash would offer for the last word of a command line.
std::string offered(const std::vector<std::string>& words) {
  std::string line = "source <(" + kProgram + " completion bash); COMP_WORDS=(" + kProgram;
  for (const std::string& word : words) line += " '" + word + "'";
  line += "); COMP_CWORD=" + std::to_string(words.size()) + "; _pushforward; echo \"${COMPREPLY[@]}\"";
  return Process("/bin/bash", {"-c", line}, ".").finish().out;
}

TEST_CASE("bash completes commands, options, values, kinds and names") {
  CHECK(offered({"tran"}) == "transform\n");
  CHECK(offered({"sample", "--ro"}) == "--rows\n");
  CHECK(offered({"transform", "--direction", "f"}) == "forward\n");
  CHECK(offered({"describe", "linear_rat"}) == "linear_rational_spline\n");
  CHECK(offered({"list", "transf"}) == "transformer\n");
  CHECK(offered({"list", "linear_rat"}) == "\n");  // no kind
  CHECK(offered({"plot", "runs/none", "--only", "war"}) == "warp\n");
  const TemporaryFolder run;
  std::filesystem::create_directory(run / "plots");
  run.write("plots/mine.gp", "");
  CHECK(offered({"plot", run.path(), "--only", ""}) == "mine\n");
  CHECK(pushforward({"completion", "fish"}).code == 2);
}

TEST_CASE("The pages of components are made anew, and only those that were made") {
  const TemporaryFolder folder;
  REQUIRE(pushforward({"document", "pages"}, folder.path()).code == 0);
  const std::string page = read_text(folder / "pages/transformer/affine.md");
  CHECK(page.find("| `minimum_scale` | number | `1e-3` | >= 0, < 1 |") != std::string::npos);
  CHECK(read_text(folder / "pages/sections.md").find("## data.split") != std::string::npos);
  std::ofstream(folder / "pages/mine.md") << "mine\n";
  std::ofstream(folder / "pages/transformer/gone.md") << page;
  std::ofstream(folder / "pages/transformer/affine.md") << "changed\n";
  REQUIRE(pushforward({"document", "pages"}, folder.path()).code == 0);
  CHECK(read_text(folder / "pages/transformer/affine.md") == page);
  CHECK(read_text(folder / "pages/mine.md") == "mine\n");
  CHECK(!std::filesystem::exists(folder / "pages/transformer/gone.md"));
}

TEST_CASE("The pages in docs/components are those of the components") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "pages");
  const std::filesystem::path kept = PUSHFORWARD_SOURCE_DIR "/docs/components";
  if (std::filesystem::exists(kept / "pictures"))
    std::filesystem::create_directory_symlink(kept / "pictures", folder / "pages/pictures");
  REQUIRE(pushforward({"document", "pages"}, folder.path()).code == 0);
  const Outcome difference =
      Process("/usr/bin/diff", {"-r", "-q", "--exclude=pictures", kept.string(), (folder / "pages").string()}, ".")
          .finish();
  INFO("make them anew: build/bin/pushforward document docs/components");
  CHECK(difference.out == "");
}

}  // namespace
