#include "interruption.h"

namespace pushforward {
namespace {

volatile std::sig_atomic_t g_signal = 0;

void remember(int signal) { g_signal = signal; }

}  // namespace

Interruption::Interruption() {
  g_signal = 0;
  struct sigaction action = {};
  action.sa_handler = &remember;
  sigemptyset(&action.sa_mask);
  // Reset: who presses twice does not want to wait. Restart: no read or write fails because of it.
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
  sigaction(SIGHUP, nullptr, &old_hangup_);
  if (old_hangup_.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // `nohup` means what it says
}

Interruption::~Interruption() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  sigaction(SIGHUP, &old_hangup_, nullptr);
}

int Interruption::signal() { return g_signal; }

}  // namespace pushforward
