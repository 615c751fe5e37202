// evaluate, sample and log-prob: a run is used from its checkpoint alone.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "io/npy.h"
#include "io/safetensors.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Json = nlohmann::json;
using pushforward::test::pushforward;

Outcome use(const std::vector<std::string>& arguments) { return pushforward(arguments, small_run().folder.path()); }

std::vector<double> column_of(const std::string& csv) {
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  std::vector<double> values;
  while (std::getline(lines, line)) values.push_back(std::stod(line));
  return values;
}

/// A conditional run whose spec and data are gone.
const TemporaryFolder& conditional() {
  static const TemporaryFolder folder;
  static const bool fitted = [] {
    folder.write("points.csv", points_csv());
    folder.write("spec.yaml", kConditionalSpec);
    const Outcome fit = pushforward({"fit", "spec.yaml", "-o", "run", "-q"}, folder.path());
    if (fit.code != 0) throw std::runtime_error("the fit failed: " + fit.err);
    std::filesystem::remove(folder / "points.csv");
    std::filesystem::remove(folder / "spec.yaml");
    return true;
  }();
  REQUIRE(fitted);
  return folder;
}

TEST_CASE("evaluate repeats what fit found, from the folder or from the checkpoint") {
  const Json found = Json::parse(small_run().fit.out)["evaluation"];
  CHECK(Json::parse(use({"evaluate", "run", "--format", "json"}).out) == found);
  CHECK(Json::parse(use({"evaluate", "run/checkpoint.safetensors", "--format", "json", "--threads", "1"}).out) ==
        found);
  const Outcome text = use({"evaluate", "run"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("train         140") && Contains("validation     40"));
}

TEST_CASE("evaluate on a file gives one mean, in both units") {
  const Outcome outcome = use({"evaluate", "run", "run/samples.npy", "--format", "json"});
  REQUIRE(outcome.code == 0);
  const Json object = Json::parse(outcome.out);
  REQUIRE(object.size() == 1);
  CHECK(object["data"]["rows"] == 1000);
  const Json log_prob = Json::parse(use({"log-prob", "run", "run/samples.npy", "--format", "json"}).out)["log_prob"];
  REQUIRE(log_prob.size() == 1000);
  double sum = 0;
  for (const Json& value : log_prob) sum += value.get<double>();
  CHECK(object["data"]["mean_log_prob_data_units"].get<double>() == Approx(sum / 1000).epsilon(1e-12));
  CHECK(object["data"]["mean_log_prob_data_units"] != object["data"]["mean_log_prob"]);
}

TEST_CASE("samples.npy is what sample draws; NPY, CSV and stdout hold the same numbers") {
  const std::filesystem::path folder = small_run().folder.path();
  REQUIRE(use({"sample", "run", "-n", "1000", "-o", "again.npy"}).code == 0);
  CHECK(read_text(folder / "again.npy") == read_text(folder / "run/samples.npy"));
  REQUIRE(use({"sample", "run", "-n", "1000", "--output", "again.csv", "--threads", "1"}).code == 0);
  CHECK(read_text(folder / "again.csv") == use({"sample", "run"}).out);
  CHECK(read_text(folder / "again.csv").substr(0, 6) == "x0,x1\n");
  const Json columns = Json::parse(use({"sample", "run", "--format", "json"}).out);
  const ::pushforward::NpyArray array = ::pushforward::read_npy(folder / "again.npy");
  REQUIRE(columns["x1"].size() == 1000);
  std::istringstream lines(read_text(folder / "again.csv"));
  std::string line;
  std::getline(lines, line);
  for (std::size_t i = 0; std::getline(lines, line); ++i) {
    CHECK(std::stod(line) == array.values[2 * i]);
    CHECK(std::stod(line.substr(line.find(',') + 1)) == array.values[2 * i + 1]);
    CHECK(columns["x1"][i] == array.values[2 * i + 1]);
  }
}

TEST_CASE("In JSON a log-density that is not finite is a text, and its rows are counted by the reason") {
  const TemporaryFolder folder;
  folder.write("bounded.yaml",
               "data: {source: {csv: {text: \"x\\n0.2\\n0.4\\n0.9\\n\"}}}\n"
               "model: {base: uniform, bijectors: [elementwise: {transformer: affine}]}\n"
               "training: {steps: 3, optimizer: {adam: {learning_rate: 1e-3}}}\n");
  const Outcome fit = pushforward({"fit", "bounded.yaml", "-q", "-o", "run"}, folder.path());
  CAPTURE(fit.err);
  REQUIRE(fit.code == 0);
  folder.write("rows.csv", "x\n0.5\n2\n");
  const Json values = Json::parse(pushforward({"log-prob", "run", "rows.csv", "--format", "json"}, folder.path()).out);
  CHECK(values["log_prob"][0].is_number());
  CHECK(values["log_prob"][1] == "-inf");
  const Json data = Json::parse(pushforward({"evaluate", "run", "rows.csv", "--format", "json"}, folder.path()).out);
  CHECK(data["data"]["outside"] == 1);
  CHECK(data["data"]["not_finite"] == 0);
  CHECK(data["data"]["mean_log_prob"] == "-inf");
  // Where every number has a density, minus infinity is an overflow.
  small_run().folder.write("far.csv", "x0,x1\n1e30,0\n0,0\n");
  const Json far = Json::parse(use({"evaluate", "run", "far.csv", "--format", "json"}).out)["data"];
  CHECK(far["outside"] == 0);
  CHECK(far["not_finite"] == 1);
  CHECK_THAT(use({"evaluate", "run", "far.csv"}).out, Contains("not finite") && !Contains("outside"));
}

TEST_CASE("A seed is another set of samples, the same each time") {
  const std::string first = use({"sample", "run", "-n", "5", "--seed", "7"}).out;
  CHECK(first == use({"sample", "run", "-n", "5", "--seed", "7"}).out);
  CHECK(first != use({"sample", "run", "-n", "5"}).out);
  // More samples begin with the same ones.
  const std::string more = use({"sample", "run", "-n", "9", "--seed", "7"}).out;
  CHECK(more.substr(0, first.size()) == first);
}

TEST_CASE("log-prob gives the same bits from every form of the same data, and in every form of output") {
  const std::filesystem::path folder = small_run().folder.path();
  REQUIRE(use({"sample", "run", "-n", "50", "-o", "rows.csv"}).code == 0);
  REQUIRE(use({"sample", "run", "-n", "50", "-o", "rows.npy"}).code == 0);
  const Outcome printed = use({"log-prob", "run", "rows.csv"});
  CHECK(printed.out.substr(0, 9) == "log_prob\n");
  const std::vector<double> values = column_of(printed.out);
  REQUIRE(values.size() == 50);
  CHECK(use({"log-prob", "run", "rows.npy"}).out == printed.out);
  REQUIRE(use({"log-prob", "run", "rows.csv", "-o", "density.npy"}).code == 0);
  const ::pushforward::NpyArray array = ::pushforward::read_npy(folder / "density.npy");
  CHECK(array.shape == std::vector<::pushforward::Index>{50});
  CHECK(array.values == values);
  REQUIRE(use({"log-prob", "run", "rows.csv", "-o", "density.csv"}).code == 0);
  CHECK(read_text(folder / "density.csv") == printed.out);
}

TEST_CASE("Columns are found by their names, in any order and among others") {
  const std::filesystem::path folder = small_run().folder.path();
  small_run().folder.write("plain.csv", "x0,x1\n0.5,-0.25\n1,2\n");
  small_run().folder.write("mixed.csv", "x1,note,x0\n-0.25,7,0.5\n2,8,1\n");
  small_run().folder.write("nameless.csv", "0.5,-0.25\n1,2\n");
  const std::string expected = use({"log-prob", "run", "plain.csv"}).out;
  CHECK(column_of(expected).size() == 2);
  CHECK(use({"log-prob", "run", "mixed.csv"}).out == expected);
  CHECK(use({"log-prob", "run", "nameless.csv"}).out == expected);
}

TEST_CASE("A file is read as the run's own, and only the columns that the model needs") {
  const TemporaryFolder folder;
  std::string rows = "name;x;note;y\n";
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    rows += "\"row; " + n + "\";" + std::to_string(0.1 * i) + ";why " + n + ";" + std::to_string(i % 7) + "\n";
  }
  folder.write("data.csv", rows);
  folder.write("spec.yaml",
               "data:\n  source: {csv: {file: data.csv, delimiter: ';', drop: [name, note]}}\n"
               "model: {base: normal, bijectors: [elementwise: {transformer: affine}]}\ntraining: {steps: 3}\n");
  const Outcome fit = pushforward({"fit", "spec.yaml", "-q", "-o", "run", "--format", "json"}, folder.path());
  CAPTURE(fit.err);
  REQUIRE(fit.code == 0);
  const Outcome scored = pushforward({"log-prob", "run", "data.csv"}, folder.path());
  CAPTURE(scored.err);
  REQUIRE(scored.code == 0);
  CHECK(column_of(scored.out).size() == 40);
  const Json evaluation =
      Json::parse(pushforward({"evaluate", "run", "data.csv", "--format", "json"}, folder.path()).out);
  CHECK(evaluation["data"] == Json::parse(fit.out)["evaluation"]["train"]);
  folder.write("other.csv", "y;name;z\n1;Oslo;2\n");
  const Outcome missing = pushforward({"log-prob", "run", "other.csv"}, folder.path());
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("there is no column 'x'"));
}

TEST_CASE("Nothing that a command reads is overwritten by what it writes") {
  const TemporaryFolder& folder = conditional();
  folder.write("rows.csv", "angle,y,x\n1,0.5,0.25\n");
  std::filesystem::create_hard_link(folder / "rows.csv", folder / "same.csv");
  std::filesystem::create_directory_symlink("run", folder / "link");
  const std::string rows = read_text(folder / "rows.csv"), samples = read_text(folder / "run/samples.npy");
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Outcome outcome = pushforward(arguments, folder.path());
    INFO(arguments.back());
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains("name another file with --output"));
    CHECK(read_text(folder / "rows.csv") == rows);
    CHECK(read_text(folder / "run/samples.npy") == samples);
    return outcome.err;
  };
  CHECK_THAT(refused({"log-prob", "run", "rows.csv", "-o", "./rows.csv"}), Contains("which is the file that is read"));
  refused({"log-prob", "run", "rows.csv", "-o", "same.csv"});
  refused({"evaluate", "run", "rows.csv", "-o", "rows.csv"});
  refused({"sample", "run", "--context", "rows.csv", "-o", "rows.csv"});
  CHECK_THAT(refused({"evaluate", "run", "rows.csv", "-o", "run/evaluation.json"}), Contains("which lies in the run"));
  refused({"log-prob", "run/", "rows.csv", "-o", "link/samples.npy"});
  refused({"evaluate", "run/checkpoint.safetensors", "rows.csv", "-o", "link/checkpoint.safetensors"});
  const Outcome empty = pushforward({"log-prob", "run", "rows.csv", "-o", ""}, folder.path());
  CHECK(empty.code == 2);
  CHECK_THAT(empty.err, Contains("option '--output' is empty"));
}

TEST_CASE("Data that changed after the fit are not evaluated as the run's own") {
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  REQUIRE(pushforward({"fit", "spec.yaml", "-q", "-o", "run"}, folder.path()).code == 0);
  CHECK(pushforward({"evaluate", "run"}, folder.path()).code == 0);
  std::string changed = points_csv();
  changed[changed.find("0.1")] = '5';
  for (const std::string& text : {points_csv(59), changed}) {
    folder.write("points.csv", text);
    const Outcome outcome = pushforward({"evaluate", "run"}, folder.path());
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, Contains("but the run was fitted to 60 ") && Contains("pushforward evaluate RUN DATA"));
    CHECK(pushforward({"evaluate", "run", "points.csv"}, folder.path()).code == 0);
  }
}

TEST_CASE("A plugin that is not the one of the run is said, once for each") {
  const TemporaryFolder folder;
  auto file = ::pushforward::read_safetensors(small_run().folder / "run/checkpoint.safetensors");
  std::string& spec = file.metadata.at("spec");
  const std::size_t line = spec.find("normal 0.1.0 ") + 13;
  const std::string stored = spec.substr(line, 4);
  spec.replace(line, 4, "0bad");
  ::pushforward::write_safetensors(folder / "c.safetensors", file);
  const Outcome outcome = pushforward({"sample", "c.safetensors", "-n", "1", "-q"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains("warning: the plugin normal is not the one that the run was made with") &&
                              Contains("is " + stored) && Contains("the run has 0bad") && Contains("--plugin-path"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  spec.replace(spec.find("normal 0.1.0 "), 6, "custom");
  spec.replace(spec.find("normal:"), 7, "custom:");
  ::pushforward::write_safetensors(folder / "c.safetensors", file);
  const Outcome missing = pushforward({"sample", "c.safetensors", "-n", "1", "-q"}, folder.path());
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err,
             Contains("made with the plugin custom 0.1.0, which is not there") && Contains("--plugin-path"));
}

TEST_CASE("A run whose folder of plugins is gone works where its plugins are found, and else says what is missing") {
  const TemporaryFolder folder;
  auto file = ::pushforward::read_safetensors(small_run().folder / "run/checkpoint.safetensors");
  std::string& spec = file.metadata.at("spec");
  REQUIRE(spec.find("\nplugins: []") != std::string::npos);
  spec.replace(spec.find("\nplugins: []"), 12, "\nplugins: [/no/such/folder]");
  ::pushforward::write_safetensors(folder / "c.safetensors", file);
  const Outcome found = pushforward({"sample", "c.safetensors", "-n", "1", "-q"}, folder.path());
  CHECK(found.code == 0);
  CHECK(found.err.empty());

  const std::string whole = spec;
  spec.replace(spec.find("normal 0.1.0 "), 6, "custom");
  spec.replace(spec.find("normal:"), 7, "custom:");
  ::pushforward::write_safetensors(folder / "c.safetensors", file);
  const Outcome missing = pushforward({"sample", "c.safetensors", "-n", "1", "-q"}, folder.path());
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err, Contains("made with the plugin custom 0.1.0, which is not there") &&
                              Contains("'/no/such/folder', which the run names, is not there"));

  // A field that the plugin of today does not have, and that the one of the run had.
  spec = whole;
  spec.replace(spec.find("normal 0.1.0 ") + 13, 4, "0bad");
  spec.replace(spec.find("mean:", spec.find("normal:")), 4, "of_old");
  ::pushforward::write_safetensors(folder / "c.safetensors", file);
  const Outcome changed = pushforward({"sample", "c.safetensors", "-n", "1", "-q"}, folder.path());
  CHECK(changed.code == 2);
  CHECK_THAT(changed.err, Contains("of_old") && Contains("normal is not the one that the run was made with"));
}

TEST_CASE("Messages show no control characters and nothing endless") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const Outcome escape = pushforward({"evaluate", "no\033[31mrun"}, folder.path());
  CHECK(escape.code == 2);
  CHECK_THAT(escape.err, Contains("no\\x1b[31mrun") && !Contains("\033"));
  const Outcome endless =
      pushforward({"fit", "small.yaml", "--set", "seed=" + std::string(100'000, '7')}, folder.path());
  CHECK(endless.code == 2);
  CHECK(endless.err.size() < 5000);
  CHECK_THAT(endless.err, Contains("bytes left out"));
  std::string damaged = read_text(small_run().folder / "run/checkpoint.safetensors");
  damaged[damaged.find("\"spec\":\"") + 8] = '\n';
  folder.write("c.safetensors", damaged);
  const Outcome broken = pushforward({"sample", "c.safetensors"}, folder.path());
  CHECK(broken.code == 1);
  CHECK(broken.err.size() < 500);
}

TEST_CASE("Bad data files are refused with the place and the reason") {
  const TemporaryFolder& folder = small_run().folder;
  const auto refused = [&](const std::string& name, const std::string& text, int code = 1) {
    folder.write(name, text);
    const Outcome outcome = use({"log-prob", "run", name, "-o", "never.csv"});
    INFO(name);
    CHECK(outcome.code == code);
    CHECK(outcome.out.empty());
    CHECK_FALSE(std::filesystem::exists(folder / "never.csv"));
    return outcome.err;
  };
  CHECK_THAT(refused("bad.csv", "x0,x1\n1,2\n1,two\n"), Contains("bad.csv:3:3: error: ") && Contains("'two'"));
  CHECK_THAT(refused("short.csv", "x0,x1\n1,2\n1\n"), Contains("short.csv:3"));
  CHECK_THAT(refused("nan.csv", "x0,x1\n1,nan\n"), Contains("nan.csv:2:3: error: ") && Contains("its value is missing"));
  CHECK_THAT(refused("empty.csv", ""), Contains("empty.csv"));
  CHECK_THAT(refused("other.csv", "x0,y\n1,2\n3,4\n5,6\n").substr(0), Contains("x1") || Contains("error"));
  CHECK_THAT(refused("wide.csv", "a,b,c\n1,2,3\n"), Contains("x0"));
  CHECK_THAT(refused("text.npy", "x0,x1\n1,2\n"), Contains("text.npy") && Contains("does not begin as one"));
  const double values[] = {1, 2, 3, std::nan(""), 5, 6};
  const std::string npy = ::pushforward::encode_npy<double>(::pushforward::compact(values, 3, 2));
  CHECK_THAT(refused("cut.npy", npy.substr(0, npy.size() - 4)), Contains("cut.npy") && Contains("needs 48 bytes"));
  CHECK_THAT(refused("nan.npy", npy), Contains("holds nan in row 0, column 1"));
  CHECK_THAT(refused("data.txt", "1 2\n", 2), Contains("'data.txt' has the suffix '.txt'") && Contains(".npy or .csv"));
  const Outcome missing = use({"log-prob", "run", "bda.csv"});
  CHECK(missing.code == 2);
  CHECK(missing.err == "pushforward: error: there is no file 'bda.csv'; did you mean 'bad.csv'?\n");
}

TEST_CASE("A damaged or foreign checkpoint is refused") {
  const TemporaryFolder folder;
  const std::string good = read_text(small_run().folder / "run/checkpoint.safetensors");
  const auto refused = [&](const std::string& bytes) {
    folder.write("c.safetensors", bytes);
    const Outcome outcome = pushforward({"sample", "c.safetensors"}, folder.path());
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("'c.safetensors'"));
    return outcome.err;
  };
  CHECK_THAT(refused(good.substr(0, good.size() / 2)), Contains("the file was cut short"));
  std::string changed = good;
  changed[changed.size() - 10] ^= 4;
  CHECK_THAT(refused(changed), Contains("its checksum is"));
  CHECK_THAT(refused(::pushforward::encode_npy(std::span<const double>())), Contains("no safetensors file"));
}

TEST_CASE("What a run was made with cannot be overridden in its evaluation, only where its files are") {
  // Another seed would deal the splits anew: rows that were fitted to would be called test rows.
  for (const char* set : {"seed=4", "data.split={train: 0.5, test: 0.5}", "data.preprocess=[]", "training.steps=7",
                          "data.source.circles.samples=100", "precision=float64", "model.base=uniform"}) {
    const std::string place = std::string(set).substr(0, std::string(set).find('='));
    INFO(set);
    for (const char* command : {"evaluate", "compare", "sample", "plot", "verify"}) {
      const Outcome outcome = use({command, "run", "--set", set});
      CHECK(outcome.code == 2);
      CHECK(outcome.out.empty());
      CHECK_THAT(outcome.err, Contains("'" + place + "' belongs to the run") && Contains("fit again"));
    }
  }
  const TemporaryFolder folder;
  folder.write("points.csv", points_csv());
  folder.write("spec.yaml", kConditionalSpec);
  REQUIRE(pushforward({"fit", "spec.yaml", "-o", "run", "-q", "--no-plots"}, folder.path()).code == 0);
  const std::string before = pushforward({"evaluate", "run"}, folder.path()).out;
  std::filesystem::rename(folder / "points.csv", folder / "moved.csv");
  const Outcome moved =
      pushforward({"evaluate", "run", "--set", "data.source.csv.file=moved.csv", "--set", "plugins=[]"}, folder.path());
  CAPTURE(moved.err);
  CHECK(moved.code == 0);
  CHECK(moved.out == before);
  folder.write("moved.csv", points_csv(61));
  const Outcome other = pushforward({"evaluate", "run", "--set", "data.source.csv.file=moved.csv"}, folder.path());
  CHECK(other.code == 1);
  CHECK_THAT(other.err, Contains("checksum"));
}

TEST_CASE("Rows without their context are told what they lack, once") {
  const Outcome outcome = pushforward({"transform", "run", "run/samples.npy"}, conditional().path());
  CHECK(outcome.code == 1);
  CHECK(outcome.err ==
        "pushforward: error: the data have as many columns as the model's events, but lack its context: angle. Add "
        "that column behind the others\n");
}

TEST_CASE("A conditional model is sampled from its checkpoint alone, at a value or along a table") {
  const TemporaryFolder& folder = conditional();
  const auto sample = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"sample", "run"});
    return pushforward(arguments, folder.path());
  };
  const Outcome at = sample({"-n", "4", "--condition", "angle=1.5"});
  CHECK(at.code == 0);
  CHECK(at.out.substr(0, 4) == "x,y\n");
  folder.write("angles.csv", "angle\n1.5\n1.5\n1.5\n1.5\n");
  CHECK(sample({"--context", "angles.csv"}).out == at.out);
  const Outcome label = sample({"--rows", "4", "--label", "1"});
  CHECK(label.code == 2);
  CHECK_THAT(label.err, Contains("option '--label' is '1', but the model is not conditioned on labels; give "
                                 "--condition angle=VALUE"));
  folder.write("two.csv", "id,angle\n1,1.5\n2,3\n");
  const Outcome two = sample({"-n", "4", "--context", "two.csv"});
  CHECK(two.code == 0);
  const std::size_t half = at.out.find('\n', at.out.find('\n', 4) + 1);
  CHECK(two.out.substr(0, half) == at.out.substr(0, half));
  CHECK(two.out != at.out);

  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Outcome outcome = sample(arguments);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  CHECK_THAT(refused({"-n", "3", "--context", "two.csv"}), Contains("'--rows' is 3, and the context has 2 rows"));
  CHECK_THAT(refused({}), Contains("the model is conditioned on angle") && Contains("--condition angle=VALUE"));
  CHECK_THAT(refused({"--label", "1", "--context", "two.csv"}), Contains("give its context in one way"));
  CHECK_THAT(refused({"--condition", "angel=1"}), Contains("no context 'angel'; did you mean 'angle'?"));
  CHECK_THAT(refused({"--condition", "angle=wide"}), Contains("must be a number"));
  CHECK_THAT(refused({"--condition", "angle"}), Contains("it must be NAME=VALUE"));
  CHECK_THAT(refused({"--condition", "angle=1", "--condition", "angle=2"}), Contains("gives 'angle' twice"));
  CHECK_THAT(use({"sample", "run", "--condition", "angle=1"}).err, Contains("the model has no context"));
}

TEST_CASE("A conditional log-density takes its context from the file") {
  const TemporaryFolder& folder = conditional();
  folder.write("rows.csv", "angle,y,x\n1,0.5,0.25\n2,0.5,0.25\n");
  const Outcome outcome = pushforward({"log-prob", "run", "rows.csv"}, folder.path());
  CHECK(outcome.code == 0);
  const std::vector<double> values = column_of(outcome.out);
  REQUIRE(values.size() == 2);
  CHECK(values[0] != values[1]);
  folder.write("rows.csv", "y,x,z\n1,0.5,0.25\n");
  const Outcome missing = pushforward({"log-prob", "run", "rows.csv"}, folder.path());
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("angle"));
}

TEST_CASE("Rows with weights count by them") {
  const TemporaryFolder folder;
  std::string rows = "x,angle,y,w\n";
  for (int i = 0; i < 40; ++i) {
    const double w = 0.5 + i % 4;
    rows += std::to_string(0.1 * i) + "," + std::to_string(i % 7) + "," + std::to_string(1 - 0.2 * (i % 5)) + "," +
            std::to_string(w) + "\n";
  }
  folder.write("points.csv", rows);
  folder.write("spec.yaml", kConditionalSpec);
  const Outcome fit = pushforward(
      {"fit", "spec.yaml", "-q", "-o", "run", "--format", "json", "--set", "data.weights=w"}, folder.path());
  CAPTURE(fit.err);
  REQUIRE(fit.code == 0);
  const std::vector<double> values = column_of(pushforward({"log-prob", "run", "points.csv"}, folder.path()).out);
  REQUIRE(values.size() == 40);
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w = 0.5 + static_cast<double>(i % 4);
    sum += w * values[i];
    total += w;
  }
  const Json train = Json::parse(fit.out)["evaluation"]["train"];
  CHECK(train["mean_log_prob_data_units"].get<double>() == Approx(sum / total).epsilon(1e-6));
  CHECK(train["standard_error"].get<double>() > 0);
}

TEST_CASE("Averaged parameters are what is evaluated, in fit and afterwards") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const auto fit = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"fit", "small.yaml", "-q", "-o", run, "--format", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = pushforward(arguments, folder.path());
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out)["evaluation"];
  };
  const Json averaged = fit("averaged", {"--set", "training.averaging={ema: {decay: 0.9}}"});
  CHECK(averaged != fit("plain", {}));
  CHECK(Json::parse(pushforward({"evaluate", "averaged", "--format", "json"}, folder.path()).out) == averaged);
}

}  // namespace
