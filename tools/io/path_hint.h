// What somebody who mistyped a path may have meant.
#pragma once

#include <filesystem>
#include <string>

namespace pushforward {

/// `; did you mean 'runs/circles-1'?` for a path that is not there while a similar name stands beside it, or nothing.
std::string path_hint(const std::filesystem::path& path);

}  // namespace pushforward
