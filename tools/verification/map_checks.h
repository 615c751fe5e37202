// Checks of the map between data and base, preprocessing included: the way there and back, and its log_det.
#pragma once

#include <functional>

#include "verification/finding.h"
#include "verification/subject.h"

namespace pushforward::verification {

/// Rows whose density is finite: those that numerical checks are made on.
template <class T>
struct Usable {
  Matrix<T> events, context;
  std::function<std::string(Index)> name_of;
};
template <class T>
Usable<T> usable_rows(const Subject<T>& subject);

/// What a row of condition 1 is allowed: the conformance kit's for one map, times the maps that the model has.
template <class T>
double tolerance_of(const Subject<T>& subject);

/// In the order of the report. Of a model that is no flow, a single one that says so.
template <class T>
std::vector<Finding> map_checks(const Subject<T>& subject, const Usable<T>& usable);

}  // namespace pushforward::verification
