// new: the project's files, and what is refused. tests/install builds, checks and trains what it makes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Json = nlohmann::json;
using pushforward::test::pushforward;

namespace fs = std::filesystem;

/// The message of a command that is refused with a code, and makes nothing.
std::string refusal(int code, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  std::vector<std::string> words = {"new"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Outcome outcome = pushforward(words, folder.path());
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(folder.names().empty());
  return outcome.err;
}

TEST_CASE("new makes a project and says what to type next") {
  const TemporaryFolder folder;
  const Outcome outcome = pushforward({"new", "transformer", "two_words", "--quiet"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK_THAT(outcome.out, StartsWith("two_words: a transformer that builds") && Contains("\n  cd two_words\n") &&
                              Contains("\n  cmake --build build\n") &&
                              Contains("\n  pushforward check build/lib/pushforward/plugins/two_words.so\n") &&
                              Contains("\n  pushforward fit two_words.yaml\n"));
  const std::string source = read_text(folder / "two_words/two_words.cpp");
  CHECK_THAT(source, StartsWith("// two_words: y = ") && Contains("class TwoWords final") &&
                         Contains("PUSHFORWARD_PLUGIN(\"two_words\", \"0.1.0\", \"MIT\", kComponents);"));
  CHECK_THAT(read_text(folder / "two_words/CMakeLists.txt"),
             Contains("pushforward_add_plugin(two_words two_words.cpp)"));
  CHECK_THAT(read_text(folder / "two_words/README.md"),
             StartsWith("# two_words\n\nA transformer ") && Contains("identity") && !Contains("my_"));
  CHECK_THAT(read_text(folder / "two_words/two_words.yaml"), Contains("plugins: [build/lib/pushforward/plugins]"));
  CHECK(read_text(folder / "two_words/.gitignore") == "/build/\n/runs/\n");
}

TEST_CASE("new tells machines what it made") {
  const TemporaryFolder folder;
  const Outcome outcome =
      pushforward({"new", "optimizer", "ball", "--directory", "a/b", "--format", "json"}, folder.path());
  REQUIRE(outcome.code == 0);
  const Json object = Json::parse(outcome.out);
  CHECK(object["kind"] == "optimizer");
  CHECK(object["directory"] == "a/b");
  CHECK(object["files"].size() == 5);
  for (const std::string file : object["files"]) CHECK(fs::is_regular_file(folder / "a/b" / file));
  CHECK(object["commands"][0] == "cd a/b");
  // A build folder is no package.
  CHECK(object["commands"][1] == "cmake -S . -B build -DCMAKE_PREFIX_PATH=DIR");
  CHECK_THAT(outcome.err, Contains("runs from its build folder"));
}

TEST_CASE("every kind that a plugin can have has a project") {
  const TemporaryFolder folder;
  for (const char* kind : {"bijector", "dataset", "distribution", "network", "objective", "optimizer", "preprocess",
                           "procedure", "schedule", "target", "tracker", "transformer"}) {
    INFO(kind);
    CHECK(pushforward({"new", kind, std::string("new_") + kind}, folder.path()).code == 0);
    CHECK_THAT(pushforward({"new", "--help"}).out, Contains(kind));
    // What the source says of itself is what the program will read.
    CHECK_THAT(read_text(folder / (std::string("new_") + kind) / (std::string("new_") + kind + ".cpp")),
               Contains(std::string("\"") + kind + "\"") && !Contains("my_name") && !Contains("MyName"));
  }
}

TEST_CASE("new refuses kinds and names, and says which would do") {
  CHECK_THAT(refusal(2, {"transfromer", "a"}), Contains("no kind 'transfromer'; did you mean 'transformer'?"));
  CHECK_THAT(refusal(2, {"zzz", "a"}), Contains("no kind 'zzz'; there are bijector, dataset, "));
  CHECK_THAT(refusal(2, {"transformer"}), Contains("NAME is missing"));
  CHECK_THAT(refusal(2, {"transformer", "GompertzMap"}), Contains("snake_case") && Contains("as in 'gompertz_map'"));
  CHECK_THAT(refusal(2, {"transformer", "g-and-h"}), Contains("as in 'g_and_h'"));
  CHECK_THAT(refusal(2, {"transformer", "../there"}), Contains("as in 'there'"));
  for (const char* name : {"", "2d", "_a", "a_", "a__b", "caf\xc3\xa9"})
    CHECK_THAT(refusal(2, {"transformer", name}), Contains("snake_case"));
  CHECK_THAT(refusal(2, {"transformer", "union"}), Contains("a word of C++"));
  CHECK_THAT(refusal(2, {"transformer", "null"}), Contains("YAML"));
  CHECK_THAT(refusal(2, {"bijector", "mapped"}),
             Contains("its class 'Mapped' would hide") && Contains("'mapped_bijector'"));
  CHECK_THAT(refusal(2, {"transformer", "t"}), Contains("choose another"));
  CHECK_THAT(refusal(2, {"transformer", std::string(49, 'a')}), Contains("49 characters"));
  CHECK_THAT(refusal(2, {"transformer", "a", "--directory="}), Contains("--directory"));
}

TEST_CASE("new refuses the name of a component that is there already") {
  CHECK_THAT(refusal(2, {"transformer", "affine"}),
             Contains("there is a transformer of that name already, in ") && Contains("transformers_affine.so") &&
                 Contains("cannot be loaded together") && Contains("such as 'my_affine'"));
  CHECK_THAT(refusal(2, {"optimizer", "adam"}), Contains("there is an optimizer of that name already"));
  // A list of bijectors names both kinds.
  CHECK_THAT(refusal(2, {"bijector", "affine"}), Contains("a transformer of that name") && Contains("either"));
  CHECK_THAT(refusal(2, {"transformer", "chain"}), Contains("a bijector of that name") && Contains("either"));
  const TemporaryFolder folder;
  const Outcome other = pushforward({"new", "optimizer", "affine", "-q"}, folder.path());
  CHECK(other.code == 0);
  CHECK(other.err.empty());
  CHECK_THAT(other.out, StartsWith("affine: an optimizer that builds"));
}

TEST_CASE("new prints commands that a shell reads, whatever the folder is called") {
  const TemporaryFolder folder;
  const Outcome outcome = pushforward({"new", "tracker", "lines", "--directory", "it's mine", "-q"}, folder.path());
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("\n  cd 'it'\\''s mine'\n"));
  CHECK(fs::exists(folder / "it's mine/lines.cpp"));
}

TEST_CASE("new overwrites nothing") {
  const TemporaryFolder folder;
  folder.write("file", "mine");
  fs::create_directories(folder / "full");
  folder.write("full/README.md", "mine");
  fs::create_directories(folder / "empty");
  fs::create_directory_symlink(folder / "empty", folder / "link");
  fs::create_symlink("nowhere", folder / "dangling");

  const Outcome full = pushforward({"new", "transformer", "full"}, folder.path());
  CHECK(full.code == 1);
  CHECK_THAT(full.err, Contains("the folder 'full' is not empty, and nothing is ever overwritten"));
  CHECK(read_text(folder / "full/README.md") == "mine");
  CHECK_FALSE(fs::exists(folder / "full/full.cpp"));
  const Outcome file = pushforward({"new", "transformer", "a", "--directory", "file"}, folder.path());
  CHECK(file.code == 1);
  CHECK_THAT(file.err, Contains("'file' is a file"));
  CHECK(read_text(folder / "file") == "mine");
  CHECK(pushforward({"new", "transformer", "a", "--directory", "dangling"}, folder.path()).code == 1);
  CHECK_FALSE(fs::exists(folder / "nowhere"));

  CHECK(pushforward({"new", "transformer", "a", "--directory", "link"}, folder.path()).code == 0);
  CHECK(fs::exists(folder / "empty/a.cpp"));
  const Outcome again = pushforward({"new", "transformer", "a", "--directory", "empty"}, folder.path());
  CHECK(again.code == 1);
}

}  // namespace
