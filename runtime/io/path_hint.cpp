#include "io/path_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "pushforward/error.h"
#include "pushforward/nearest.h"

namespace pushforward {

std::string path_hint(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::vector<std::string> beside;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    beside.push_back(entry->path().filename().string());
  std::erase(beside, path.filename().string());  // a link to nowhere has the name, and is not there
  std::sort(beside.begin(), beside.end());  // the order of a folder is the system's; a message should not be
  const std::string near = nearest(path.filename().string(), beside);
  return near.empty() ? std::string() : "; did you mean '" + (path.parent_path() / near).string() + "'?";
}

void require_path(const std::filesystem::path& path, const char* what) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return;
  throw SpecError(fmt::format("there is no {} '{}'{}", what, path.string(), path_hint(path)));
}

}  // namespace pushforward
