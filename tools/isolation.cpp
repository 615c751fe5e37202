#include "isolation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <system_error>

#include "io/file_error.h"

namespace pushforward {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{30};  // of silence, before it is told
constexpr int kPoll = 500, kPollAtEnd = 2;     // milliseconds

/// A message is its length and its bytes; the last one, of length 0, says that the job returned.
using Length = std::uint64_t;

struct Copy {
  std::size_t job = 0;
  pid_t process = 0;
  int pipe = -1;
  std::string buffer;
  bool closed = false, told = false;
  Clock::time_point heard = Clock::now();
  Ending ending;
};

void write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(descriptor, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) std::_Exit(EXIT_FAILURE);  // nobody listens, or the job closed what is not its own
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

void send(int descriptor, const std::string& message) {
  const Length length = message.size();
  write_all(descriptor, reinterpret_cast<const char*>(&length), sizeof length);
  write_all(descriptor, message.data(), message.size());
}

/// The life of a copy. Nothing may leave it: what called is another process's business.
[[noreturn]] void live(IsolatedWork& work, std::size_t job, int descriptor, pid_t parent) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // an interrupted program leaves no copies behind
  if (getppid() != parent) std::_Exit(EXIT_FAILURE);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  work.run(job, [descriptor](const std::string& message) { send(descriptor, message); });
  send(descriptor, {});
  std::exit(EXIT_SUCCESS);  // as a program would, so that what goes wrong there is seen, too
}

Copy start(IsolatedWork& work, std::size_t job) {
  const auto fail = [](const char* what) {
    throw FileError(
        fmt::format("cannot make {}: {}; --in-process needs none", what, std::generic_category().message(errno)));
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("a pipe");
  std::fflush(nullptr);  // or each copy would write what waits here
  const pid_t parent = getpid(), process = fork();
  if (process == 0) live(work, job, ends[1], parent);
  close(ends[1]);
  if (process < 0) {
    close(ends[0]);
    fail("a process");
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Copy copy;
  copy.job = job;
  copy.process = process;
  copy.pipe = ends[0];
  return copy;
}

/// Reads what is there, and hands on the messages that are whole.
void listen(IsolatedWork& work, Copy& copy) {
  char bytes[1 << 16];
  for (;;) {
    const ssize_t n = ::read(copy.pipe, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) copy.closed = true;
    if (n <= 0) break;
    copy.buffer.append(bytes, static_cast<std::size_t>(n));
    copy.heard = Clock::now();
    copy.told = false;
  }
  std::size_t begin = 0;
  for (Length length; copy.buffer.size() - begin >= sizeof length; begin += sizeof length + length) {
    std::memcpy(&length, copy.buffer.data() + begin, sizeof length);
    if (copy.buffer.size() - begin - sizeof length < length) break;
    if (length == 0)
      copy.ending.complete = true;
    else
      work.received(copy.job, copy.buffer.substr(begin + sizeof length, length));
  }
  copy.buffer.erase(0, begin);
}

/// True once the process is gone; then all that it sent was heard.
bool gone(IsolatedWork& work, Copy& copy) {
  if (waitpid(copy.process, &copy.ending.status, WNOHANG) != copy.process) return false;
  listen(work, copy);
  close(copy.pipe);
  return true;
}

void watch(IsolatedWork& work, Copy& copy, std::chrono::seconds limit) {
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - copy.heard);
  if (limit.count() > 0 && silence >= limit) {
    copy.ending.timed_out = true;
    kill(copy.process, SIGKILL);
  } else if (silence >= kPatience && !copy.told) {
    copy.told = true;
    work.silent(copy.job, silence);
  }
}

/// Waits until one of the copies says something or ends.
void wait_for(const std::list<Copy>& copies) {
  std::vector<pollfd> pipes;
  bool ending = false;
  for (const Copy& copy : copies) {
    if (!copy.closed) pipes.push_back({copy.pipe, POLLIN, 0});
    ending = ending || copy.closed;
  }
  poll(pipes.data(), pipes.size(), ending ? kPollAtEnd : kPoll);
}

}  // namespace

std::string Ending::text() const {
  if (timed_out) return "was ended because it was silent for longer than --timeout allows";
  if (WIFSIGNALED(status))
    return fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("ended itself with exit code {}", WEXITSTATUS(status));
}

void run_isolated(IsolatedWork& work, std::size_t jobs, int at_once, std::chrono::seconds limit) {
  std::list<Copy> copies;
  struct Cleanup {
    std::list<Copy>& copies;
    ~Cleanup() {
      for (const Copy& copy : copies) {
        kill(copy.process, SIGKILL);
        waitpid(copy.process, nullptr, 0);
        close(copy.pipe);
      }
    }
  } cleanup{copies};
  for (std::size_t next = 0; next < jobs || !copies.empty();) {
    while (next < jobs && copies.size() < static_cast<std::size_t>(std::max(at_once, 1)))
      copies.push_back(start(work, next++));
    wait_for(copies);
    for (auto copy = copies.begin(); copy != copies.end();) {
      listen(work, *copy);
      if (!gone(work, *copy)) {
        watch(work, *copy, limit);
        ++copy;
        continue;
      }
      const Copy done = std::move(*copy);
      copy = copies.erase(copy);
      work.ended(done.job, done.ending);
    }
  }
}

}  // namespace pushforward
