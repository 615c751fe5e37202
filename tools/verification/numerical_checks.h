// Does the model compute what it stands for: each direction undoes the other, log_det is that of the map, densities are
// those of the base and the map together and integrate to 1.
#pragma once

#include "verification/finding.h"
#include "verification/subject.h"

namespace pushforward::verification {

inline constexpr Index kDraws = 10'000;     // of the base, at most
inline constexpr Index kCostlyDraws = 500;  // where sampling takes a pass for each element, or iterates

/// All of them, in the order of the report. If a parameter is not finite, that one alone.
template <class T>
std::vector<Finding> numerical_checks(const Subject<T>& subject);

/// The single ones.
template <class T>
Finding check_parameters(const Subject<T>& subject);
template <class T>
Finding check_rows(const Subject<T>& subject);
template <class T>
Finding check_integral(const Subject<T>& subject);

}  // namespace pushforward::verification
