// The nearest of several names, for messages: "did you mean 'alcohol'?".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pushforward/shape.h"

namespace pushforward {

/// The candidate nearest to `word`, or empty if none is near: a third of the word's length away at most, counted in
/// inserted, deleted, replaced and swapped neighbouring characters (Damerau-Levenshtein). The first of equally near
/// ones. None is near to a word of more than 100 bytes.
PUSHFORWARD_EXPORT std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace pushforward
