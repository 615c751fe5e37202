// What every text must get that is given as a spec: it is valid, or it is refused at a place in it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "pushforward/registry/spec.h"
#include "support/temporary_folder.h"

namespace pushforward::test {

/// Every ready-made spec, and every wrong one that there is a test for.
inline std::vector<std::string> spec_seeds() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"/configs", "/tests/spec_errors"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(PUSHFORWARD_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) texts.push_back(read_text(path));
  return texts;
}

/// Throws std::logic_error unless every line of a message is `spec.yaml:LINE:COLUMN: error: ...` with a place that the
/// text has, in the order of the text, and can be shown on a terminal.
inline void require_placed(const std::string& message, const std::string& text) {
  const auto fail = [&](const std::string& why) { throw std::logic_error(why + ": " + message); };
  const auto lines_of_text =
      std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r') + 1;
  std::istringstream lines(message);
  std::string line;
  for (bool any = false; std::getline(lines, line) || !any; any = true) {
    int row = 0, column = 0, end = 0;
    if (std::sscanf(line.c_str(), "spec.yaml:%d:%d: error: %n", &row, &column, &end) != 2 || end == 0)
      fail("a message without a place");
    if (row < 1 || row > lines_of_text || column < 1) fail("a message about a place that is not there");
    if (static_cast<std::size_t>(end) == line.size()) fail("a place without a message");
    constexpr std::size_t kLongest = 8000;
    if (line.size() > kLongest) fail("a message of " + std::to_string(line.size()) + " bytes");
    for (const char c : line)
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') fail("a message with a control character");
  }
}

/// True if the text is a valid spec, which can then be written and read again; false if it was refused, rightly. What
/// else can happen is thrown.
inline bool accepts_or_refuses(const Registry& registry, const std::string& text) {
  std::string written;
  try {
    SpecNode root = parse_spec_text(text, "spec.yaml");
    plugin_folders(root);
    written = resolve_spec(registry, std::move(root)).to_yaml(registry);
  } catch (const SpecError& e) {
    require_placed(e.what(), text);
    return false;
  }
  std::string again;
  try {
    again = resolve_spec(registry, parse_spec_text(written, "spec")).to_yaml(registry);
  } catch (const SpecError& e) {
    throw std::logic_error(std::string("a valid spec cannot be read again: ") + e.what() + "\n" + written);
  }
  if (again != written) throw std::logic_error("a valid spec is another one when it is read again:\n" + written);
  return true;
}

}  // namespace pushforward::test
