#include "process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace pushforward {
namespace {

pid_t g_refusing = 0;  // the process in which an exit is refused

void refuse_exit() {
  if (g_refusing != getpid()) return;
  constexpr std::string_view kMessage = "pushforward: error: a plugin ended the program by calling exit\n";
  (void)!::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  std::_Exit(EXIT_FAILURE);
}

}  // namespace

RefusedExit::RefusedExit() {
  g_refusing = getpid();
  std::atexit(&refuse_exit);
}
RefusedExit::~RefusedExit() { g_refusing = 0; }

void prepare_process() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    // The lowest number that is free is the one that is missing. For reading alone, so that what is written is missed.
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) (void)::open("/dev/null", O_RDONLY);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace pushforward
