// Text of a message as a terminal may show it.
#pragma once

#include <string>

namespace pushforward {

/// Control characters, except line ends and tabs, as `\x1b`: what a file or an argument holds never reaches the
/// terminal as a command. Words and lines of more than a sensible length are cut in the middle, and say so.
std::string shown_text(const std::string& text);

}  // namespace pushforward
