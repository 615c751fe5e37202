// Work that may end its process, done in copies of this process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace pushforward {

/// How a copy ended.
struct Ending {
  bool complete = false;   // its job returned
  bool timed_out = false;  // it was ended because nothing was heard of it for too long
  int status = 0;          // as waitpid gives it
  bool clean() const { return complete && !timed_out && status == 0; }
  /// `was ended by signal 11 (Segmentation fault)`.
  std::string text() const;
};

/// What is done in the copies, and told about them. All but `run` are called in this process, by the caller's thread.
class IsolatedWork {
 public:
  using Send = std::function<void(const std::string& message)>;
  IsolatedWork() = default;
  virtual ~IsolatedWork() = default;
  IsolatedWork(const IsolatedWork&) = delete;
  IsolatedWork& operator=(const IsolatedWork&) = delete;

  /// Job number `job`, in a copy of its own; what it writes to stdout goes to stderr. Must not throw.
  virtual void run(std::size_t job, const Send& send) = 0;
  /// A message that the job sent, whole; in their order.
  virtual void received(std::size_t job, const std::string& message) = 0;
  /// Nothing was heard of the job for a while; told once for each message.
  virtual void silent(std::size_t job, std::chrono::seconds how_long) = 0;
  virtual void ended(std::size_t job, const Ending& ending) = 0;
};

/// Runs jobs 0 to `jobs` - 1, `at_once` of them at a time. A copy that is silent for `limit` is ended (0: never). To be
/// called while this process has one thread, whose memory and open libraries the copies see as they are now. Throws
/// FileError if the system gives no more processes.
void run_isolated(IsolatedWork& work, std::size_t jobs, int at_once, std::chrono::seconds limit);

}  // namespace pushforward
