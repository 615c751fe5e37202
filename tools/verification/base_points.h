// Rows beside what the model makes of them, in double, and what they are held against.
#pragma once

#include <optional>

#include "verification/statistics.h"
#include "verification/subject.h"

namespace pushforward::verification {

/// Base points of the rows of one part. Of a model that is no flow, or whose flow cannot take rows to the base, the
/// rows themselves, held against samples.
struct BasePoints {
  bool of_base = true;
  std::vector<Index> places;  // of the rows, among all
  std::string name;           // `z`, or `x` for rows
  Index size = 0;             // elements
  Matrix<double> points;
  std::vector<std::vector<double>> columns;  // each element's values; standardized where the base is normal
  std::vector<double> weights;               // or none
  std::vector<double> log_prob;              // the base's, or the model's, at these points
  bool normal = false;                       // the base is, with independent elements: the columns are standard normal
  std::vector<std::vector<double>> reference;  // draws, where the base is not normal
  std::vector<double> reference_log_prob;

  Index rows() const { return columns.empty() ? 0 : static_cast<Index>(columns.front().size()); }
  Sample column(Index j) const { return {columns[static_cast<std::size_t>(j)], weights}; }
  /// Squared distance of each row from the middle, where the base is normal.
  std::vector<double> radii() const;
};

/// Of the rows of `part` whose density is finite and whose weight is not zero. Without reference draws if the base can
/// neither be sampled nor is normal: then nothing can be said.
template <class T>
BasePoints base_points(const Subject<T>& subject, const Part& part);

}  // namespace pushforward::verification
