#include "data_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "problem_text.h"
#include "pushforward/random.h"
#include "scalars.h"

namespace pushforward {

namespace {

/// Dealing out the rows must not repeat the draws of a dataset or a model under the same seed.
constexpr std::uint32_t kStreamOfSplits = 0x5b117000u;

}  // namespace

std::vector<RowsOfSplit> split_rows(const SpecNode& split, Index rows, std::uint64_t seed) {
  std::vector<Index> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), Index{0});
  if (*parse_boolean(split.find("shuffle")->text)) random_permutation(seed, kStreamOfSplits, 0, rows, order.data());
  std::vector<RowsOfSplit> splits;
  std::vector<std::uint8_t> owner(order.size());  // of each row
  double share = 0;
  Index begin = 0;
  for (const char* name : {"train", "validation", "test"}) {
    const double own = *parse_real(split.find(name)->text);
    if (own == 0) continue;
    share += own;
    // The shares add up to 1 to rounding: the last split ends with the last row.
    const Index end = std::min(rows, static_cast<Index>(std::llround(share * static_cast<double>(rows))));
    if (end <= begin)
      throw SpecError(problem_text(split.position, std::string("data.split.") + name + ": a share of " +
                                                       split.find(name)->text + " of " + std::to_string(rows) +
                                                       " rows is no row; give it a larger share, or 0"));
    for (Index k = begin; k < end; ++k)
      owner[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = static_cast<std::uint8_t>(splits.size());
    splits.push_back({name, {}});
    splits.back().rows.reserve(static_cast<std::size_t>(end - begin));
    begin = end;
  }
  for (std::size_t row = 0; row < owner.size(); ++row) splits[owner[row]].rows.push_back(static_cast<Index>(row));
  return splits;
}

}  // namespace pushforward
