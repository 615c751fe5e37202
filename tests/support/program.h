// Runs the built program as a user does, in a folder of its own.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace pushforward::test {

/// How a program ended; 128 + signal where a signal ended it.
struct Outcome {
  int code = -1;
  std::string out, err;
};

/// One run of a program, with its output in files, so that nothing ever waits for a reader.
class Process {
 public:
  Process(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder,
          const std::vector<std::string>& environment = {}) {
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> added = environment;
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) return;
    const int out = open((output_ / "out").c_str(), O_WRONLY | O_CREAT, 0600);
    const int err = open((output_ / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    const int in = open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    for (std::string& variable : added) putenv(variable.data());
    if (chdir(folder.c_str()) == 0) execv(argv[0], argv.data());
    _exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const { ::kill(pid_, signal); }
  /// Waits until stderr holds a text; false after half a minute, or if the program ended without it.
  bool wait_for_message(const std::string& text) const {
    for (int i = 0; i < 3000; ++i) {
      const bool ended =
          waitid(P_PID, static_cast<id_t>(pid_), &info_, WEXITED | WNOHANG | WNOWAIT) == 0 && info_.si_pid;
      if (std::filesystem::exists(output_ / "err") && read_text(output_ / "err").find(text) != std::string::npos)
        return true;
      if (ended) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  Outcome finish() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_text(output_ / "out"),
            read_text(output_ / "err")};
  }

 private:
  TemporaryFolder output_;
  pid_t pid_ = 0;
  mutable siginfo_t info_ = {};
};

inline const std::string kProgram = PUSHFORWARD_BINARY_DIR "/bin/pushforward";

/// `pushforward ARGUMENTS` in a folder.
inline Outcome pushforward(const std::vector<std::string>& arguments, const std::filesystem::path& folder = ".",
                           const std::vector<std::string>& environment = {}) {
  return Process(kProgram, arguments, folder, environment).finish();
}

}  // namespace pushforward::test
