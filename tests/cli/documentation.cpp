// What the README, the guides, the specs and the program's own help tell somebody to type, typed.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using pushforward::test::pushforward;

namespace fs = std::filesystem;

const fs::path kSource = PUSHFORWARD_SOURCE_DIR;

/// A folder that looks like the project after its build, with the runs and data that the examples speak of.
const TemporaryFolder& project() {
  static const TemporaryFolder folder;
  static const bool prepared = [] {
    fs::create_directory_symlink(kSource / "configs", folder / "configs");
    fs::create_directory_symlink(PUSHFORWARD_BINARY_DIR, folder / "build");
    fs::copy_file(kSource / "configs/data/wine.csv", folder / "new_wines.csv");
    fs::create_directories(folder / "docs");
    for (const auto& [spec, run] : {std::pair("circles", "circles"), std::pair("realnvp_wine", "wine"),
                                    std::pair("realnvp_wine", "wine-2"), std::pair("conditional", "conditional")}) {
      const Outcome fit = pushforward({"fit", std::string("configs/") + spec + ".yaml", "--output",
                                       std::string("runs/") + run, "--quiet", "--set", "training.steps=20"},
                                      folder.path());
      if (fit.code != 0) throw std::runtime_error("the fit failed: " + fit.err);
    }
    const Outcome points =
        pushforward({"transform", "runs/circles", "runs/circles/samples.npy", "--output", "points.npy"}, folder.path());
    if (points.code != 0) throw std::runtime_error("no points: " + points.err);
    return true;
  }();
  REQUIRE(prepared);
  return folder;
}

/// The words of a command line as a shell splits them, with quotes of both kinds.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  char quote = 0;
  bool in_word = false;
  for (const char c : line) {
    if (quote ? c == quote : c == '"' || c == '\'') {
      quote = quote ? 0 : c;
      if (!in_word) words.emplace_back();
      in_word = true;
    } else if (!quote && c == ' ') {
      in_word = false;
    } else {
      if (!in_word) words.emplace_back();
      in_word = true;
      words.back() += c;
    }
  }
  return words;
}

/// Commands of the program among the lines of a text, after what stands before them in its lines.
std::vector<std::string> commands_in(const std::string& text, const std::string& before) {
  std::vector<std::string> commands;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(before + "pushforward ")) commands.push_back(line.substr(before.size() + 12));
  return commands;
}

/// What a command makes: a file, or the folder of a project.
std::string made_by(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == "--output" || words[i] == "--directory") return words[i + 1];
  return words.front() == "new" ? words.back() : std::string();
}

/// Runs a command in the project's folder; an output that an earlier example made gives way.
void check_command(const std::string& command, const std::string& from) {
  std::vector<std::string> words = words_of(command);
  if (const std::string made = made_by(words); !made.empty()) fs::remove_all(project() / made);
  if (words.front() == "fit") words.insert(words.end(), {"--set", "training.steps=20"});
  INFO(from << ": pushforward " << command);
  const Outcome outcome = pushforward(words, project().path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
}

TEST_CASE("Every example of the program's help works") {
  for (const char* name : {"fit", "evaluate", "sample", "log-prob", "transform", "plot", "compare", "verify",
                           "validate", "list", "describe", "new", "check", "document", "completion", "version"}) {
    const std::vector<std::string> commands = commands_in(pushforward({name, "--help"}).out, "  ");
    CHECK(!commands.empty());
    for (const std::string& command : commands) check_command(command, name);
  }
  for (const std::string& command : commands_in(pushforward({"--help"}).out, "  ")) check_command(command, "--help");
}

TEST_CASE("Every command in the README and the guides works") {
  std::vector<fs::path> pages = {kSource / "README.md"};
  for (const auto& entry : fs::directory_iterator(kSource / "docs"))
    // The tutorial builds plugins: tests/install/tutorial.sh walks it.
    if (entry.path().extension() == ".md" && entry.path().filename() != "writing-a-plugin.md")
      pages.push_back(entry.path());
  for (const fs::path& page : pages)
    for (const char* before : {"build/bin/", "$ ", "$ build/bin/", ""})
      for (const std::string& command : commands_in(read_text(page), before)) check_command(command, page.string());
}

/// The whole specs among the YAML blocks of a page: those that name data, a model and a training.
std::vector<std::string> specs_in(const std::string& page) {
  const std::string fence = "```yaml\n";
  std::vector<std::string> specs;
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const std::string block = page.substr(at + fence.size(), page.find("```\n", at + 1) - at - fence.size());
    const auto has = [&](const char* key) { return ("\n" + block).find(key) != std::string::npos; };
    if (has("\ndata:") && has("\nmodel:") && has("\ntraining:")) specs.push_back(block);
  }
  return specs;
}

TEST_CASE("Every spec in the README and the guides can be fitted") {
  const TemporaryFolder folder;
  fs::create_directory_symlink(kSource / "configs/data", folder / "data");
  int count = 0;
  for (const char* page : {"README.md", "docs/spec.md"})
    for (const std::string& spec : specs_in(read_text(kSource / page))) {
      const std::string name = std::to_string(count++);
      std::ofstream(folder / (name + ".yaml")) << spec;
      const Outcome fit = pushforward({"fit", name + ".yaml", "--no-plots", "--output", name}, folder.path());
      INFO(page << ": " << spec << fit.err);
      CHECK(fit.code == 0);
    }
  CHECK(count >= 2);
}

TEST_CASE("Every command in the comments of the ready-made specs works") {
  for (const auto& entry : fs::directory_iterator(kSource / "configs")) {
    if (entry.path().extension() != ".yaml") continue;
    for (const std::string& command : commands_in(read_text(entry.path()), "#   "))
      check_command(command, entry.path().string());
  }
}

}  // namespace
