// Splits: which rows train, which validate, which test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pushforward/registry/spec_tree.h"
#include "pushforward/shape.h"

namespace pushforward {

struct RowsOfSplit {
  std::string name;
  std::vector<Index> rows;  // in increasing order
};

/// Divides `rows` rows by a resolved `data.split`: disjoint and complete, a function of the seed alone. Each share is
/// rounded so that the sizes add up. Splits with a share of zero are absent. Throws SpecError if one gets no row.
std::vector<RowsOfSplit> split_rows(const SpecNode& split, Index rows, std::uint64_t seed);

}  // namespace pushforward
