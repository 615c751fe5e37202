#include "pushforward/nearest.h"

#include <algorithm>
#include <array>

namespace pushforward {

namespace {

/// Edits between two words, a swap of neighbours counting as one (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b) {
  // Rows i-2, i-1 and i of the table of distances between prefixes.
  std::array<std::vector<std::size_t>, 3> rows;
  for (auto& row : rows) row.resize(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) rows[1][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    rows[2][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = rows[1][j - 1] + (a[i - 1] != b[j - 1]);
      rows[2][j] = std::min({rows[1][j] + 1, rows[2][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        rows[2][j] = std::min(rows[2][j], rows[0][j - 2] + 1);
    }
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
  }
  return rows[1][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // Nobody types so much by mistake, and the table of distances grows as the square.
  constexpr std::size_t kLongest = 100;
  if (word.size() > kLongest) return {};
  std::string best;
  std::size_t limit = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    // Every character more is an edit.
    if (std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size()) >= limit) continue;
    const std::size_t distance = edits(word, candidate);
    if (distance >= limit) continue;
    limit = distance;
    best = candidate;
  }
  return best;
}

}  // namespace pushforward
