// resume: a fit that was killed goes on to the same bits, and what cannot be gone on with is said.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "io/safetensors.h"
#include "pictures/plot_numbers.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;

/// Weights that average, a schedule that watches, a map with random starts: everything that a checkpoint must hold.
const char kSpec[] = R"(seed: 5
data:
  source: {csv: {file: points.csv}}
  split: {train: 0.8, validation: 0.2}
  preprocess: [standardize]
model:
  base: normal
  bijectors:
    - autoregressive: {transformer: affine, network: {made: {hidden: [16], activation: tanh}}}
training:
  optimizer: {adam: {learning_rate: 1e-3}}
  schedule: reduce_on_plateau
  averaging: {ema: {decay: 0.99}}
  steps: 20000
  batch_size: 16
  report_every: 100
  validate_every: 100
  checkpoint_every: 70
)";

std::string points() {
  std::string text = "x,y,z\n";
  for (int i = 0; i < 90; ++i)
    text += std::to_string(i * 37 % 90) + "," + std::to_string(i * i % 61) + "," + std::to_string(i % 7 - i % 3) + "\n";
  return text;
}

/// All arrays of a run's checkpoint, but those that tell of time.
std::map<std::string, std::string> arrays(const std::filesystem::path& run) {
  const auto file = ::pushforward::read_safetensors(run / "checkpoint.safetensors");
  std::map<std::string, std::string> all;
  for (const auto& [name, tensor] : file.tensors)
    all[name] = std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  all["step"] = file.metadata.at("step");
  return all;
}

/// Fits `spec.yaml` into `run` and kills it once stderr holds a text.
void fit_until(const std::string& text, const std::string& run, const TemporaryFolder& folder,
               const std::vector<std::string>& more = {}, int signal = SIGKILL) {
  std::vector<std::string> words = {"fit", "spec.yaml", "-o", run, "--no-plots"};
  words.insert(words.end(), more.begin(), more.end());
  Process process(kProgram, words, folder.path());
  REQUIRE(process.wait_for_message(text));
  process.send(signal);
  REQUIRE(process.finish().code == 128 + signal);
}

TEST_CASE("A fit that was killed twice ends with the bits of one that was not") {
  const TemporaryFolder folder;
  folder.write("points.csv", points());
  folder.write("spec.yaml", kSpec);
  REQUIRE(pushforward({"fit", "spec.yaml", "-o", "whole", "--no-plots"}, folder.path()).code == 0);

  fit_until(" 1,000 / ", "run", folder);
  CHECK(std::stoll(arrays(folder / "run").at("step")) >= 910);
  const Outcome first = pushforward({"resume", "run", "--no-plots", "--threads", "2"}, folder.path());
  INFO(first.err);
  CHECK(first.code == 0);
  CHECK_THAT(first.err, Contains("going on with run after step "));
  CHECK(arrays(folder / "run") == arrays(folder / "whole"));
  CHECK(read_text(folder / "run/evaluation.json") == read_text(folder / "whole/evaluation.json"));

  // One that is not done so soon, ended again by a signal that lets it save: its table has every step once.
  fit_until(" 1,000 / ", "killed", folder, {"--set", "training.steps=100000000"});
  Process process(kProgram, {"resume", "killed", "--no-plots"}, folder.path());
  REQUIRE(process.wait_for_message("\nstep"));
  process.send(SIGINT);
  const Outcome second = process.finish();
  CHECK(second.code == 130);
  CHECK_THAT(second.err, Contains("to go on: ") && Contains(" resume killed"));
  const ::pushforward::Table rows = ::pushforward::losses_of(read_text(folder / "killed/metrics.csv"), "metrics.csv");
  CHECK(rows.rows > 3);
  for (::pushforward::Index i = 1; i < rows.rows; ++i)
    CHECK(rows.column(0)[static_cast<std::size_t>(i)] > rows.column(0)[static_cast<std::size_t>(i - 1)]);
}

TEST_CASE("Early stopping is gone on with, too") {
  const TemporaryFolder folder;
  folder.write("points.csv", points());
  std::string text = kSpec;
  const auto replace = [&text](const std::string& what, const std::string& with) {
    text.replace(text.find(what), what.size(), with);
  };
  replace("averaging: {ema: {decay: 0.99}}", "early_stopping: {patience: 100}");
  replace("1e-3", "3e-2");
  replace("[16]", "[200, 200]");
  replace("validate_every: 100", "validate_every: 20");
  folder.write("spec.yaml", text);
  const Outcome whole = pushforward({"fit", "spec.yaml", "-o", "whole", "--no-plots"}, folder.path());
  REQUIRE(whole.code == 0);
  REQUIRE_THAT(whole.out, Contains("stopped early"));
  fit_until(" 100 / ", "run", folder);
  CHECK(std::stoll(arrays(folder / "run").at("step")) >= 70);
  const Outcome rest = pushforward({"resume", "run", "--no-plots"}, folder.path());
  CHECK(rest.code == 0);
  CHECK_THAT(rest.out, Contains("stopped early"));
  CHECK(arrays(folder / "run") == arrays(folder / "whole"));

  // Ended between its last step and its evaluation: nothing is trained any more.
  std::filesystem::remove(folder / "run/evaluation.json");
  const Outcome again = pushforward({"resume", "run", "--no-plots"}, folder.path());
  CHECK(again.code == 0);
  CHECK(again.out.substr(again.out.find("loss")) == rest.out.substr(rest.out.find("loss")));
  CHECK(arrays(folder / "run") == arrays(folder / "whole"));
}

TEST_CASE("What cannot be gone on with is said") {
  const Outcome complete = pushforward({"resume", "run"}, small_run().folder.path());
  CHECK(complete.code == 2);
  CHECK_THAT(complete.err,
             Contains("the run 'run' is complete") && Contains("fit run/spec.yaml --set training.steps="));

  const TemporaryFolder folder;
  CHECK(pushforward({"resume", "nowhere"}, folder.path()).code == 2);
  folder.write("file", "text");
  CHECK_THAT(pushforward({"resume", "file"}, folder.path()).err,
             Contains("'file' is a file; name the folder of a run"));
  std::filesystem::create_directory(folder / "empty");
  const Outcome empty = pushforward({"resume", "empty"}, folder.path());
  CHECK(empty.code == 1);
  CHECK_THAT(empty.err, Contains("it is not the folder of a run"));

  folder.write("points.csv", points());
  folder.write("spec.yaml", kSpec);
  fit_until("\nstep", "run", folder, {"--set", "training.steps=100000000"}, SIGTERM);
  const std::map<std::string, std::string> before = arrays(folder / "run");
  const Outcome other = pushforward({"resume", "run", "--set", "training.steps=10"}, folder.path());
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("belongs to the run"));
  folder.write("points.csv", points() + "1,2,3\n");
  const Outcome changed = pushforward({"resume", "run"}, folder.path());
  CHECK(changed.code == 1);
  CHECK_THAT(changed.err, Contains("changed"));
  folder.write("points.csv", points());
  const std::string spec_of_run = read_text(folder / "run/spec.yaml");
  folder.write("run/spec.yaml", spec_of_run + "# changed\n");
  const Outcome edited = pushforward({"resume", "run"}, folder.path());
  CHECK(edited.code == 2);
  CHECK_THAT(edited.err, Contains("'run/spec.yaml' is not the spec that the run was begun with"));
  std::filesystem::remove(folder / "run/spec.yaml");
  folder.write("run/.checkpoint.safetensors.1-2.tmp", "half of one");
  {
    Process writing(kProgram, {"resume", "run", "--no-plots"}, folder.path());
    REQUIRE(writing.wait_for_message("\nstep"));
    const Outcome second = pushforward({"resume", "run"}, folder.path());
    CHECK(second.code == 2);
    CHECK_THAT(second.err, Contains("another program is writing into the run 'run'; wait for its end"));
    writing.send(SIGINT);
    CHECK(writing.finish().code == 130);
  }
  CHECK(std::stoll(arrays(folder / "run").at("step")) > std::stoll(before.at("step")));
  CHECK(read_text(folder / "run/spec.yaml") == spec_of_run);
  CHECK_FALSE(std::filesystem::exists(folder / "run/.checkpoint.safetensors.1-2.tmp"));
}

}  // namespace
