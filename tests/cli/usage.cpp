// The command line itself: help, misspelt words, exit codes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "command.h"
#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using ::pushforward::all_commands;
using pushforward::test::pushforward;

TEST_CASE("The help of the program names every command, with an example") {
  const Outcome help = pushforward({"--help"});
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  std::size_t longest = 0;
  for (const ::pushforward::Command* command : all_commands()) longest = std::max(longest, std::strlen(command->name));
  std::string commands;
  for (const ::pushforward::Command* command : all_commands())
    commands += "  " + std::string(command->name) + std::string(longest + 2 - std::strlen(command->name), ' ') +
                command->summary + "\n";
  CHECK(help.out ==
        "Pushforward fits normalizing flows: densities that can be evaluated and sampled.\n"
        "\n"
        "usage: pushforward COMMAND [arguments] [options]\n"
        "\n"
        "commands:\n" +
            commands +
            "\n"
            "example:\n"
            "  pushforward fit configs/circles.yaml --output runs/circles\n"
            "  pushforward sample runs/circles -n 1000 --output samples.csv\n"
            "\n"
            "'pushforward COMMAND --help' says more about a command, 'pushforward list' what a spec can name.\n");
  CHECK(pushforward({"help"}).out == help.out);
  CHECK(pushforward({"-h"}).out == help.out);
  const Outcome nothing = pushforward({});
  CHECK(nothing.code == 2);
  CHECK(nothing.out.empty());
  CHECK(nothing.err == help.out);
}

TEST_CASE("The help of a command has its arguments, options and examples") {
  const Outcome help = pushforward({"evaluate", "--help"});
  CHECK(help.code == 0);
  CHECK(help.out ==
        "usage: pushforward evaluate RUN [DATA] [options]\n"
        "\n"
        "Evaluates a run on the splits of its own spec, or on the rows of a file. Gives the mean log-density\n"
        "in nats, of the preprocessed data as the model sees them and of the data as they came, and the\n"
        "standard error of the mean. Rows outside the support, whose density is zero, are counted, and so are\n"
        "rows whose log-density is not finite for another reason, such as an overflow. In JSON a number that\n"
        "is not finite is a text: \"-inf\", \"inf\", \"nan\".\n"
        "\n"
        "Columns of a file are found by their names, or by their places if it has exactly those that are\n"
        "needed.\n"
        "\n"
        "arguments:\n"
        "  RUN   folder of a run, or a checkpoint\n"
        "  DATA  rows to evaluate, .csv or .npy; the run's own splits by default\n"
        "\n"
        "options:\n"
        "      --set PATH=VALUE    where a file of the run is now: data.source.csv.file=moved.csv,\n"
        "                          plugins=[folder] (repeatable)\n"
        "  -o, --output FILE       write the result to a file in place of stdout\n"
        "      --format text|json  how results are written\n"
        "  -q, --quiet             no progress and no notes\n"
        "      --threads N         workers; as many as the machine has by default; never changes a result\n"
        "      --plugin-path DIR   one more folder of plugins (repeatable)\n"
        "  -h, --help              this text\n"
        "\n"
        "examples:\n"
        "  pushforward evaluate runs/wine\n"
        "  pushforward evaluate runs/wine new_wines.csv --format json\n");
  CHECK(pushforward({"help", "evaluate"}).out == help.out);
}

TEST_CASE("Every command explains itself") {
  for (const char* command :
       {"fit", "evaluate", "sample", "log-prob", "plot", "validate", "list", "describe", "check", "version"}) {
    const Outcome help = pushforward({command, "--help"});
    INFO(command);
    CHECK(help.code == 0);
    CHECK_THAT(help.out, StartsWith(std::string("usage: pushforward ") + command));
    CHECK_THAT(help.out, Contains("options:") && Contains("examples:\n  pushforward " + std::string(command)));
    CHECK(help.err.empty());
  }
}

TEST_CASE("A misspelt or wrong command line says what to type, with exit code 2") {
  const auto message = [](const std::vector<std::string>& arguments) {
    const Outcome outcome = pushforward(arguments);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  CHECK(message({"fti"}) ==
        "pushforward: error: there is no command 'fti'; did you mean 'fit'?\ntry 'pushforward --help'\n");
  CHECK(message({"logprob"}) ==
        "pushforward: error: there is no command 'logprob'; did you mean 'log-prob'?\ntry 'pushforward --help'\n");
  CHECK(message({"fit", "--outptu", "x"}) ==
        "pushforward: error: there is no option '--outptu'; did you mean '--output'?\ntry 'pushforward fit --help'\n");
  CHECK(message({"fit", "--out", "x", "a.yaml"}) ==
        "pushforward: error: there is no option '--out'; did you mean '--output'?\ntry 'pushforward fit --help'\n");
  CHECK_THAT(message({"list", "--set", "a=1"}), Contains("there is no option '--set'"));
  CHECK_THAT(message({"fit"}), Contains("SPEC is missing: the spec, a YAML file"));
  CHECK_THAT(message({"log-prob", "run"}), Contains("DATA is missing"));
  CHECK_THAT(message({"fit", "a.yaml", "b.yaml"}), Contains("'b.yaml' is one argument too many"));
  CHECK_THAT(message({"fit", "a.yaml", "--output"}), Contains("option '--output' needs a value"));
  CHECK_THAT(message({"fit", "a.yaml", "--quiet=yes"}), Contains("option '--quiet' takes no value"));
  CHECK_THAT(message({"fit", "a.yaml", "-o", "x", "--output", "y"}), Contains("option '--output' is given twice"));
  CHECK_THAT(message({"fit", "a.yaml", "--threads", "0"}),
             Contains("option '--threads' is '0'; it must be a whole number from 1 to 1024"));
  CHECK_THAT(message({"fit", "a.yaml", "--threads", "two"}), Contains("option '--threads' is 'two'"));
  CHECK_THAT(message({"fit", "a.yaml", "--format", "xml"}),
             Contains("option '--format' is 'xml'; it must be text or json"));
  CHECK_THAT(message({"--quiet", "fit"}), Contains("options come after the command"));
  CHECK_THAT(message({""}), Contains("there is no command ''"));
}

TEST_CASE("A spec or run that is not there is named, with the nearest one beside it") {
  const TemporaryFolder folder;
  folder.write("circles.yaml", "");
  std::filesystem::create_directory(folder / "circles-1");
  const Outcome spec = pushforward({"fit", "circels.yaml"}, folder.path());
  CHECK(spec.code == 2);
  CHECK(spec.err == "pushforward: error: there is no spec 'circels.yaml'; did you mean 'circles.yaml'?\n");
  const Outcome run = pushforward({"evaluate", "circle-1"}, folder.path());
  CHECK(run.code == 2);
  CHECK(run.err == "pushforward: error: there is no run 'circle-1'; did you mean 'circles-1'?\n");
  const Outcome empty = pushforward({"evaluate", "circles-1"}, folder.path());
  CHECK(empty.code == 1);
  CHECK_THAT(empty.err, Contains("the folder 'circles-1' holds no checkpoint.safetensors: it is not the folder of a"));
  CHECK_THAT(pushforward({"fit", "circles-1"}, folder.path()).err, Contains("'circles-1' is a folder"));
  folder.write("circles-1/spec.yaml", "");  // what a fit leaves that was killed at once
  CHECK_THAT(pushforward({"evaluate", "circles-1"}, folder.path()).err,
             Contains("circles-1' holds no checkpoint.safetensors: the fit ended before it had saved anything"));
  std::filesystem::create_symlink("round", folder / "round");
  const Outcome link = pushforward({"evaluate", "round"}, folder.path());
  CHECK(link.err == "pushforward: error: there is no run 'round'\n");
  std::filesystem::create_symlink("checkpoint.safetensors", folder / "circles-1/checkpoint.safetensors");
  const Outcome inside = pushforward({"evaluate", "circles-1"}, folder.path());
  CHECK(inside.code == 1);
  CHECK_THAT(inside.err, Contains("cannot read 'circles-1/checkpoint.safetensors': Too many levels of symbolic links"));
}

TEST_CASE("A condition that the model does not know is a mistake of the command line") {
  const TemporaryFolder folder;
  folder.write("labels.yaml",
               "data: {source: {csv: {text: \"x,y\\n1,0\\n2,1\\n3,0\\n4,1\\n\"}}, context: {labels: y, classes: 2}}\n"
               "model: {base: {normal: {mean: {network: mlp}}}, bijectors: [affine]}\n"
               "training: {steps: 2}\n");
  REQUIRE(pushforward({"fit", "labels.yaml", "-o", "run", "-q"}, folder.path()).code == 0);
  CHECK(pushforward({"sample", "run", "-n", "2", "--condition", "y=1"}, folder.path()).code == 0);
  CHECK(pushforward({"sample", "run", "-n", "2", "--label", "1"}, folder.path()).code == 0);
  for (const char* label : {"7", "red", "1.0"}) {
    const Outcome outcome = pushforward({"sample", "run", "-n", "2", "--label", label}, folder.path());
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains("option '--label' is '" + std::string(label) + "'; the classes are 0 to 1"));
  }
  CHECK_THAT(pushforward({"sample", "run"}, folder.path()).err, Contains("--label 0 (to 1)"));
  for (const char* condition : {"y=7", "y=-1", "y=0.5"}) {
    const Outcome outcome = pushforward({"sample", "run", "-n", "2", "--condition", condition}, folder.path());
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains("option '--condition': the column 'y' holds ") &&
                                Contains("but labels are whole numbers 0 to 1"));
  }
}

TEST_CASE("A spec where a run is wanted, and a run where a spec is, are told apart") {
  const TemporaryFolder folder;
  folder.write("a.yaml", "data: {source: circles}\nmodel: {base: normal, bijectors: [affine]}\n");
  const Outcome spec = pushforward({"evaluate", "a.yaml"}, folder.path());
  CHECK(spec.code == 2);
  CHECK_THAT(spec.err, Contains("'a.yaml' is no checkpoint: it looks like a spec; fit it first"));
  std::filesystem::create_directory(folder / "run");
  folder.write("run/spec.yaml", "");
  const Outcome run = pushforward({"fit", "run"}, folder.path());
  CHECK(run.code == 2);
  CHECK_THAT(run.err, Contains("'run' is a folder") && Contains("'run/spec.yaml'"));
}

TEST_CASE("Well-known models are said as what they are here") {
  const Outcome known = pushforward({"describe", "RealNVP"});
  CHECK(known.code == 2);
  CHECK_THAT(known.err, Contains("'RealNVP' is the name of a model") && Contains("coupling: {transformer: affine}"));
  CHECK_THAT(pushforward({"describe", "bijector", "maf"}).err, Contains("autoregressive layers are not there yet"));
  CHECK(pushforward({"describe", "affine"}).code != 1);
  // What is said to type is a spec.
  const TemporaryFolder folder;
  for (const char* name : {"nice", "realnvp", "nsf", "maf"}) {
    INFO(name);
    const std::string said = pushforward({"describe", name}).err;
    const std::size_t from = said.find("bijectors: [");
    REQUIRE(from != std::string::npos);
    folder.write("a.yaml", "data: {source: circles}\nmodel: {base: normal, " +
                               said.substr(from, said.find('\n', from) - from) + "}\ntraining: {steps: 1}\n");
    const Outcome valid = pushforward({"validate", "a.yaml"}, folder.path());
    CHECK(valid.err == "");
    CHECK(valid.code == 0);
  }
}

TEST_CASE("An override of the folders of plugins is searched, or refused") {
  const TemporaryFolder folder;
  folder.write("a.yaml", "data: {source: circles}\nmodel: {base: normal, bijectors: [affine]}\ntraining: {steps: 2}\n");
  std::filesystem::create_directory(folder / "mine");
  CHECK(pushforward({"validate", "a.yaml", "--set", "plugins=[mine]"}, folder.path()).code == 0);
  const Outcome outcome = pushforward({"validate", "a.yaml", "--set", "plugins=[yours]"}, folder.path());
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.err, Contains("--set plugins=[yours]: error: plugins[0] is 'yours', but there is no folder '"));
}

TEST_CASE("version prints what plugins must agree with") {
  const Outcome text = pushforward({"version"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("pushforward ") && Contains("gcc"));
  CHECK(pushforward({"--version"}).out == text.out);
  const auto object = nlohmann::json::parse(pushforward({"version", "--format", "json"}).out);
  CHECK_THAT(text.out, Contains(object["version"].get<std::string>()));
  CHECK(object["plugin_api"].is_number_integer());
}

TEST_CASE("A result goes to a file if one is named; what cannot be written is a failure") {
  const TemporaryFolder folder;
  const Outcome outcome = pushforward({"version", "--output", "v.txt"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK_THAT(read_text(folder / "v.txt"), StartsWith("pushforward "));
  const Outcome nowhere = pushforward({"version", "--output", "none/v.txt"}, folder.path());
  CHECK(nowhere.code == 1);
  CHECK_THAT(nowhere.err, Contains("there is no folder 'none'"));
  const Outcome full = Process("/bin/sh", {"-c", kProgram + " version > /dev/full"}, folder.path()).finish();
  CHECK(full.code == 1);
  CHECK_THAT(full.err, Contains("cannot write to stdout: No space left on device"));
}

}  // namespace
