// A word of a command that a person may paste into a shell.
#pragma once

#include <string>

namespace pushforward {

/// The word as a POSIX shell reads it back: itself, or between quotation marks where that is needed.
std::string shell_word(const std::string& word);

}  // namespace pushforward
