// What somebody who mistyped a path may have meant.
#pragma once

#include <filesystem>
#include <string>

namespace pushforward {

/// `; did you mean 'runs/circles-1'?` for a path that is not there while a similar name stands beside it, or nothing.
std::string path_hint(const std::filesystem::path& path);

/// A file or folder that an argument names must be there: otherwise SpecError with the nearest name beside it.
void require_path(const std::filesystem::path& path, const char* what);

}  // namespace pushforward
