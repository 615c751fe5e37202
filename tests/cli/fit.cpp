// fit: what it prints, what a run's folder holds, and how it ends when it cannot go on.
#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "io/npy.h"
#include "io/safetensors.h"
#include "pictures/plot_numbers.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;

TEST_CASE("With --format json stdout is one object") {
  const Json object = Json::parse(small_run().fit.out);
  CHECK(object["run"] == "run");
  CHECK(object["steps"] == 20);
  CHECK(object["loss"].is_number());
  CHECK(object["seconds"].get<double>() > 0);
  CHECK(object.size() == 5);
  const Json& evaluation = object["evaluation"];
  CHECK(evaluation.size() == 3);
  CHECK(evaluation["train"]["rows"] == 140);
  CHECK(evaluation["validation"]["rows"] == 40);
  CHECK(evaluation["test"]["rows"] == 20);
  for (const auto& [name, split] : evaluation.items()) {
    INFO(name);
    CHECK(split.size() == 6);
    CHECK(split["outside"] == 0);
    CHECK(split["not_finite"] == 0);
    CHECK(split["mean_log_prob"].is_number());
    CHECK(split["mean_log_prob_data_units"].is_number());
    CHECK(split["standard_error"].get<double>() > 0);
  }
}

TEST_CASE("A run's folder holds its files and nothing else") {
  const std::filesystem::path run = small_run().folder / "run";
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(run)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"checkpoint.safetensors", "evaluation.json", "metrics.csv", "plots",
                                          "samples.npy", "spec.yaml"});

  CHECK(Json::parse(read_text(run / "evaluation.json")) == Json::parse(small_run().fit.out)["evaluation"]);

  const ::pushforward::NpyArray samples = ::pushforward::read_npy(run / "samples.npy");
  CHECK(samples.shape == std::vector<::pushforward::Index>{1000, 2});
  CHECK(samples.type == "<f8");

  const std::string metrics = read_text(run / "metrics.csv");
  CHECK_THAT(metrics, Contains("step,loss,validation_loss,learning_rate,seconds\n1,"));
  CHECK_THAT(metrics, Contains("\n10,") && Contains("\n20,"));
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 4);

  const ::pushforward::TensorFile checkpoint = ::pushforward::read_safetensors(run / "checkpoint.safetensors");
  CHECK(checkpoint.metadata.at("step") == "20");
  CHECK(checkpoint.metadata.at("spec") == read_text(run / "spec.yaml"));
  CHECK(checkpoint.metadata.at("columns") == R"(["x0","x1"])");
  CHECK(checkpoint.tensors.contains("preprocess/0"));
  CHECK(checkpoint.tensors.contains("optimizer_step/0"));
}

/// The losses in metrics.csv.
std::vector<double> reported_losses(const std::filesystem::path& run) {
  const ::pushforward::Table losses = ::pushforward::losses_of(read_text(run / "metrics.csv"), "metrics.csv");
  const std::span<const double> column = losses.column(1);
  return {column.begin(), column.end()};
}

TEST_CASE("The loss of batches is reported as its mean since the last report, that of all rows as it is") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const auto fit = [&](const std::string& run, const std::string& batch_size, const std::string& report_every) {
    const Outcome outcome =
        pushforward({"fit", "small.yaml", "--output", run, "--format", "json", "-q", "--no-plots", "--set",
                     "training.batch_size=" + batch_size, "--set", "training.report_every=" + report_every},
                    folder.path());
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out)["loss"].get<double>();
  };
  for (const std::string batch_size : {"50", "139", "140", "all"}) {
    INFO("batch_size " << batch_size);
    fit(batch_size + "_each", batch_size, "1");
    const double told = fit(batch_size, batch_size, "10");
    const std::vector<double> each = reported_losses(folder / (batch_size + "_each"));
    const std::vector<double> rows = reported_losses(folder / batch_size);
    REQUIRE(each.size() == 20);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0] == each[0]);
    CHECK(told == rows[2]);
    if (batch_size == "140" || batch_size == "all") {
      CHECK(rows[1] == each[9]);
      CHECK(rows[2] == each[19]);
    } else {
      CHECK(rows[1] == Approx(std::accumulate(&each[1], &each[10], 0.0) / 9).epsilon(1e-12));
      CHECK(rows[2] == Approx(std::accumulate(each.begin() + 10, each.end(), 0.0) / 10).epsilon(1e-12));
      CHECK(rows[2] != each[19]);
    }
  }
}

TEST_CASE("The resolved spec of a run fits to the same numbers") {
  const TemporaryFolder folder;
  const std::string spec = (small_run().folder / "run/spec.yaml").string();
  const Outcome again = pushforward({"fit", spec, "--output", "run", "--format", "json", "-q"}, folder.path());
  REQUIRE(again.code == 0);
  CHECK(again.err.empty());
  const Json first = Json::parse(small_run().fit.out), second = Json::parse(again.out);
  CHECK(second["loss"] == first["loss"]);
  CHECK(second["evaluation"] == first["evaluation"]);
  CHECK(read_text(folder / "run/samples.npy") == read_text(small_run().folder / "run/samples.npy"));
}

TEST_CASE("Any number of threads gives the same bits") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  for (const char* threads : {"1", "3"})
    REQUIRE(pushforward({"fit", "small.yaml", "-q", "--threads", threads, "--output", threads}, folder.path()).code ==
            0);
  for (const char* file : {"checkpoint.safetensors", "samples.npy", "evaluation.json"})
    CHECK(read_text(folder / "1" / file) == read_text(folder / "3" / file));
}

TEST_CASE("Messages say what is fitted and how it goes on; the result alone goes to stdout") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome outcome = pushforward({"fit", "small.yaml"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("runs/small-1: 20 steps in ") && Contains(", loss ") &&
                              Contains("rows of     count  mean log_prob  in data units  standard error\n"
                                       "train         140"));
  CHECK_THAT(outcome.err,
             Contains("fitting small.yaml\n"
                      "  data        circles: 200 rows (train 140, validation 40, test 20), columns x0, x1\n"
                      "  preprocess  standardize\n"
                      "  model       flow(normal, elementwise(linear_rational_spline))\n"));
  CHECK_THAT(outcome.err, Contains("maximum_likelihood by adam, 20 steps of 50 rows"));
  CHECK_THAT(outcome.err, Contains("\nstep  1 / 20   loss ") && Contains("\nstep 10 / 20   loss ") &&
                              Contains("\nstep 20 / 20   loss ") && Contains("   validation "));
  CHECK_THAT(outcome.err, Contains("next: " + kProgram + " sample runs/small-1 "));
  CHECK_THAT(outcome.err, !Contains("\033") && !Contains("\r"));
  const Outcome quiet = pushforward({"fit", "small.yaml", "--quiet"}, folder.path());
  CHECK(quiet.err.empty());
  CHECK_THAT(quiet.out, Contains("runs/small-2: 20 steps"));
}

TEST_CASE("Nothing is overwritten") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  std::filesystem::create_directory(folder / "taken");
  folder.write("taken/mine.txt", "precious");
  const Outcome refused = pushforward({"fit", "small.yaml", "--output", "taken"}, folder.path());
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err,
             Contains("the folder 'taken' is not empty, and a run overwrites nothing: it holds 'mine.txt'"));
  CHECK(read_text(folder / "taken/mine.txt") == "precious");
  CHECK_THAT(pushforward({"fit", "small.yaml", "--output", "small.yaml"}, folder.path()).err,
             Contains("which is a file"));
  CHECK(read_text(folder / "small.yaml") == kSmallSpec);
  std::filesystem::create_directory(folder / "empty");
  CHECK(pushforward({"fit", "small.yaml", "-q", "--output", "empty"}, folder.path()).code == 0);
  CHECK(pushforward({"fit", "small.yaml", "-q", "--output", "empty"}, folder.path()).code == 2);
}

TEST_CASE("A file that may not grow is an error of writing, and leaves nothing behind") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome outcome =
      Process("/bin/sh", {"-c", "ulimit -f 1; exec " + kProgram + " fit small.yaml -q -o run"}, folder.path()).finish();
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, Contains("cannot write 'run/spec.yaml': File too large"));
  CHECK(!std::filesystem::exists(folder / "run"));
}

TEST_CASE("Results never go into a file that took the number of a stdout that was closed") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome outcome =
      Process("/bin/sh", {"-c", "exec " + kProgram + " fit small.yaml -q --no-plots -o run >&-"}, folder.path())
          .finish();
  CHECK(outcome.code == 1);
  CHECK(outcome.err == "pushforward: error: cannot write to stdout: Bad file descriptor\n");
  CHECK(pushforward({"evaluate", "run"}, folder.path()).code == 0);
}

TEST_CASE("JSON is valid whatever bytes the name of a folder holds") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome outcome =
      pushforward({"fit", "small.yaml", "-q", "--no-plots", "--format", "json", "-o", "odd\xff"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK(Json::parse(outcome.out)["run"] == "odd\uFFFD");
}

TEST_CASE("An output without a name is refused") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome outcome = pushforward({"fit", "small.yaml", "-q", "-o", ""}, folder.path());
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.err, Contains("option '--output' is empty; give a name, or leave the option out"));
  CHECK_FALSE(std::filesystem::exists(folder / "runs"));
}

TEST_CASE("A spec with mistakes fits nothing and makes no folder") {
  const TemporaryFolder folder;
  folder.write("bad.yaml", "model: {base: nromal, bijectors: []}\ntraining: {steps: -1}\n");
  const Outcome outcome = pushforward({"fit", "bad.yaml"}, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("bad.yaml:1:15: error: ") && Contains("did you mean 'normal'?") &&
                              Contains("bad.yaml:2:19: error: "));
  CHECK(folder.names() == std::vector<std::string>{"bad.yaml"});
  folder.write("small.yaml", kSmallSpec);
  const Outcome set = pushforward({"fit", "small.yaml", "--set", "training.stesp=3"}, folder.path());
  CHECK(set.code == 2);
  CHECK_THAT(set.err, Contains("--set training.stesp=3") && Contains("did you mean 'steps'?"));
}

TEST_CASE("Data that cannot be read are a failure of the run, with the place") {
  const TemporaryFolder folder;
  folder.write("conditional.yaml", kConditionalSpec);
  const Outcome missing = pushforward({"fit", "conditional.yaml"}, folder.path());
  CHECK(missing.code == 2);  // a name without a file is a mistake of the spec
  CHECK_THAT(missing.err, Contains("points.csv: error: the file cannot be opened: No such file"));
  folder.write("points.csv", "x,angle,y\n1,2,3\n1,oops,3\n");
  const Outcome broken = pushforward({"fit", "conditional.yaml"}, folder.path());
  CHECK(broken.code == 1);
  CHECK_THAT(broken.err, Contains("points.csv:3:3: error: ") && Contains("'oops'"));
  CHECK_FALSE(std::filesystem::exists(folder / "runs"));
}

TEST_CASE("A loss that is not finite ends the run and keeps the last good checkpoint") {
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  const Outcome outcome =
      pushforward({"fit", "spec.yaml", "-o", "run", "-q", "--set", "training.optimizer.adam.learning_rate=1e18",
                   "--set", "training.report_every=1"},
                  folder.path());
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("warning: the last good checkpoint, of step ") &&
                              Contains("run/checkpoint.safetensors") && Contains("error: ") && Contains("step"));
  // It is good indeed: its density is finite.
  const Outcome evaluation = pushforward({"evaluate", "run", "--format", "json"}, folder.path());
  REQUIRE(evaluation.code == 0);
  CHECK(Json::parse(evaluation.out)["train"]["mean_log_prob"].is_number());
}

TEST_CASE("Data outside of what the model can produce are refused before the first step, and leave no folder") {
  const TemporaryFolder folder;
  folder.write("spec.yaml",
               "data: {source: {csv: {text: \"x,y\\n1,2\\n3,-1\\n-2,5\\n4,4\\n\"}}}\n"
               "model: {base: normal, bijectors: [{elementwise: {transformer: affine}}, {elementwise: {transformer: "
               "exp}}]}\ntraining: {steps: 3}\n");
  const Outcome outcome = pushforward({"fit", "spec.yaml", "-o", "run"}, folder.path());
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, Contains("2 of 4 training rows lie outside of what the model can produce") &&
                              Contains("(counted from 0)") && Contains("model.bijectors[1]") &&
                              Contains("values from 0 to inf") && !Contains("checkpoint"));
  CHECK(folder.names() == std::vector<std::string>{"spec.yaml"});
  // A folder that was there stays.
  std::filesystem::create_directory(folder / "run");
  CHECK(pushforward({"fit", "spec.yaml", "-o", "run", "--set", "model.base=uniform"}, folder.path()).code == 1);
  CHECK(std::filesystem::is_empty(folder / "run"));
  const Outcome mended = pushforward(
      {"fit", "spec.yaml", "-o", "run", "-q", "--no-plots", "--set", "model.bijectors=[affine]"}, folder.path());
  CHECK(mended.code == 0);
}

TEST_CASE("Two fits cannot write into one folder at once") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  Process first(kProgram, {"fit", "small.yaml", "-o", "run", "--set", "training.steps=1000000000"}, folder.path());
  REQUIRE(first.wait_for_message(" 1 / 1,000,000,000"));
  const Outcome second = pushforward({"fit", "small.yaml", "-o", "run"}, folder.path());
  CHECK(second.code == 2);
  CHECK_THAT(second.err, Contains("another run is writing into the folder 'run'"));
  first.send(SIGINT);
  CHECK(first.finish().code == 130);
  CHECK_THAT(pushforward({"fit", "small.yaml", "-o", "run"}, folder.path()).err, Contains("is not empty"));
  // However close together they start, one of them wins.
  std::vector<std::unique_ptr<Process>> fits;
  for (int i = 0; i < 4; ++i)
    fits.push_back(std::make_unique<Process>(
        kProgram, std::vector<std::string>{"fit", "small.yaml", "-o", "both", "-q", "--no-plots"}, folder.path()));
  int won = 0;
  for (const auto& fit : fits) won += fit->finish().code == 0;
  CHECK(won == 1);
}

TEST_CASE("What is said to type next can be typed, for a conditional model too") {
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  const auto next_works = [&](const std::string& err) {
    const std::size_t from = err.find("next: ");
    REQUIRE(from != std::string::npos);
    const std::string line = err.substr(from + 6, err.find('\n', from) - from - 6);
    INFO(line);
    const Outcome next = Process("/bin/sh", {"-c", line}, folder.path()).finish();
    CHECK(next.err == "samples.csv: 1,000 samples of 2 columns\n");
    CHECK(next.code == 0);
  };
  next_works(pushforward({"fit", "spec.yaml", "-o", "my run", "--no-plots"}, folder.path()).err);
  folder.write("labels.csv", "x,y,kind\n1,2,0\n2,1,1\n3,3,0\n4,1,1\n");
  folder.write("labels.yaml",
               "data: {source: {csv: {file: labels.csv}}, context: {labels: kind, classes: 2}}\n"
               "model: {base: {normal: {mean: {network: mlp}}}, bijectors: [affine]}\ntraining: {steps: 2}\n");
  const std::string err = pushforward({"fit", "labels.yaml", "-o", "labels", "--no-plots"}, folder.path()).err;
  CHECK_THAT(err, Contains("-n 1000 --label 0 --output"));
  next_works(err);
  // By its name, where the shell finds it.
  const std::string path = "PATH=" + std::filesystem::path(kProgram).parent_path().string() + ":/bin:/usr/bin";
  CHECK_THAT(pushforward({"fit", "labels.yaml", "-o", "named", "--no-plots"}, folder.path(), {path}).err,
             Contains("next: pushforward sample named "));
}

TEST_CASE("The parameters of the last step are judged before they replace the checkpoint") {
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  for (const std::string rate : {"1e30", "3e38"}) {
    const std::string run = "run" + rate;
    const Outcome outcome = pushforward({"fit", "spec.yaml", "-o", run, "-q", "--set",
                                         "training.optimizer.learning_rate=" + rate, "--set", "training.steps=1"},
                                        folder.path());
    INFO(rate << ": " << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err,
               Contains("step 1. A lower learning rate") && Contains("the last good checkpoint, of step 0,"));
    CHECK_FALSE(std::filesystem::exists(folder / run / "samples.npy"));
    const Outcome evaluation = pushforward({"evaluate", run, "--format", "json"}, folder.path());
    REQUIRE(evaluation.code == 0);
    CHECK(Json::parse(evaluation.out)["train"]["mean_log_prob"].is_number());
  }
}

TEST_CASE("SIGINT, SIGTERM and SIGHUP end the run after a step, with a checkpoint that works") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string run = "run" + std::to_string(signal);
    Process process(kProgram, {"fit", "small.yaml", "-o", run, "--set", "training.steps=1000000000"}, folder.path());
    REQUIRE(process.wait_for_message("\nstep"));
    process.send(signal);
    const Outcome outcome = process.finish();
    CHECK(outcome.code == 128 + signal);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("interrupted after step ") &&
                                Contains("the checkpoint of that step is " + run + "/checkpoint.safetensors"));
    const auto checkpoint = ::pushforward::read_safetensors(folder / run / "checkpoint.safetensors");
    CHECK(std::stoll(checkpoint.metadata.at("step")) > 0);
    CHECK(pushforward({"evaluate", run}, folder.path()).code == 0);
    for (const auto& entry : std::filesystem::directory_iterator(folder / run))
      CHECK(entry.path().filename().string().front() != '.');
  }
}

TEST_CASE("Checkpoints during a run are written when they are due") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  Process process(kProgram,
                  {"fit", "small.yaml", "-o", "run", "--set", "training.steps=1000000000", "--set",
                   "training.checkpoint_every=50", "--set", "training.report_every=200"},
                  folder.path());
  REQUIRE(process.wait_for_message("\nstep"));
  REQUIRE(process.wait_for_message("step           200"));
  process.send(SIGKILL);
  CHECK(process.finish().code == 128 + SIGKILL);
  const auto checkpoint = ::pushforward::read_safetensors(folder / "run/checkpoint.safetensors");
  const long long step = std::stoll(checkpoint.metadata.at("step"));
  CHECK(step >= 150);
  CHECK(step % 50 == 0);
}

}  // namespace
