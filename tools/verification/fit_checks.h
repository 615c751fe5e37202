// How well does the model fit: are the base points of rows distributed as the base, are there more rows in the tails
// than there should be, does the model know the rows it was fitted to better than others.
#pragma once

#include "verification/finding.h"
#include "verification/subject.h"

namespace pushforward::verification {

/// Probability that a check, all its single comparisons together (Bonferroni), is for a look although the model is
/// right.
inline constexpr double kLevel = 1e-3;
/// Probability of the base beyond which a point is in the tails.
inline constexpr double kTail = 1e-4;
inline constexpr Index kFewestRows = 5;

/// An interval that a spline bends, straight beyond it.
struct SplineInterval {
  double low, high;
};
/// What the splines next to the data, and next to the base, bend; none where there is another map. `model`: that of a
/// resolved spec.
struct SplineIntervals {
  std::optional<SplineInterval> data, base;
};
SplineIntervals spline_intervals(const SpecNode& model);

/// The part whose rows say most about a fit: test, else validation, else the first.
const Part& held_out(const std::vector<Part>& parts);

/// All of them, in the order of the report.
template <class T>
std::vector<Finding> fit_checks(const Subject<T>& subject, const SplineIntervals& splines);

}  // namespace pushforward::verification
