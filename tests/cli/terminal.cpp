// What a person at a terminal sees: a bar below the lines, and colour where it is wanted.
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

/// Everything that the program writes to a terminal of so many columns.
std::string on_terminal(const std::vector<std::string>& arguments, const TemporaryFolder& folder,
                        unsigned short columns = 200, const std::string& variable = "TERM=xterm") {
  std::vector<std::string> words = {kProgram};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string term = "TERM=xterm", extra = variable;
  winsize size{.ws_row = 40, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
  REQUIRE(pid >= 0);
  if (pid == 0) {
    putenv(term.data());
    putenv(extra.data());
    if (chdir(folder.path().c_str()) == 0) execv(argv[0], argv.data());
    _exit(127);
  }
  std::string text;
  char buffer[4096];
  // A terminal whose other side is gone gives an error where a file would end.
  for (ssize_t n; (n = read(terminal, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(terminal);
  int status = 0;
  waitpid(pid, &status, 0);
  return text;
}

std::vector<std::string> long_fit(const std::string& run) {
  return {"fit", "small.yaml", "-o", run, "--set", "training.steps=6000", "--set", "training.report_every=3000"};
}

TEST_CASE("A fit on a terminal draws a bar that is gone in the end") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const std::string text = on_terminal(long_fit("run"), folder);
  CHECK_THAT(text, Contains("\r\033[K[") && Contains("%  step ") && Contains(" left"));
  CHECK_THAT(text, Contains("\033[Kstep 6,000 / 6,000   loss "));
  // The result comes last, below an empty line that no bar stands on.
  CHECK(text.find("run: 6,000 steps in ") > text.rfind('['));
}

TEST_CASE("A bar is never longer than the terminal is wide") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  const std::string text = on_terminal(long_fit("run"), folder, 50);
  const std::string clear = "\r\033[K[";
  std::size_t bars = 0;
  for (std::size_t at = text.find(clear); at != std::string::npos; at = text.find(clear, at + 1), ++bars) {
    const std::size_t begin = at + clear.size() - 1;
    CHECK(text.find_first_of("\r\n", begin) - begin < 50);
  }
  CHECK(bars > 0);
}

TEST_CASE("Errors are coloured on a terminal, unless NO_COLOR is set") {
  const TemporaryFolder folder;
  CHECK_THAT(on_terminal({"fti"}, folder), Contains("\033[1;31merror:\033[0m there is no command 'fti'"));
  CHECK_THAT(on_terminal({"fti"}, folder, 200, "NO_COLOR=1"),
             Contains("pushforward: error: there is no command 'fti'"));
  CHECK_THAT(on_terminal({"fti"}, folder, 200, "TERM=dumb"), Contains("pushforward: error: there is no command 'fti'"));
}

TEST_CASE("A quiet fit shows its result alone") {
  const TemporaryFolder folder;
  folder.write("small.yaml", kSmallSpec);
  std::vector<std::string> arguments = long_fit("run");
  arguments.emplace_back("--quiet");
  const std::string text = on_terminal(arguments, folder);
  CHECK(text.find("run: 6,000 steps in ") == 0);
}

}  // namespace
