// The program: picks the command, and turns what was thrown into a message and an exit code.
#pragma once

#include <string>
#include <vector>

#include "console.h"

namespace pushforward {

/// Exit codes of every command; what a signal ended is 128 + its number.
inline constexpr int kSuccess = 0;
inline constexpr int kRunFailed = 1;
inline constexpr int kUsage = 2;

/// How to call this program again: by its name if the shell finds it in PATH, else as it was called.
std::string called_as(const std::string& argv0);

/// `words` are the arguments of main without the program's name. Never throws.
int run_program(const std::vector<std::string>& words, Console& console);

}  // namespace pushforward
