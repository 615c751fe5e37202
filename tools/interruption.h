// Ctrl-C, `kill` and a terminal that closes, asked for between two steps.
#pragma once

#include <csignal>

namespace pushforward {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP (unless that was ignored before) is only remembered; a second
/// one ends the program as usual. One at a time in a program.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The signal that came, or 0.
  static int signal();

 private:
  struct sigaction old_interrupt_, old_terminate_, old_hangup_;
};

}  // namespace pushforward
