// The conformance kit: what every component must show.
//
//   std::vector<CheckResult> results = check(subject);
//   if (!passed(results)) std::cerr << to_text(failures(results));
//
// No test framework inside: the project's tests and `pushforward check` are two front ends of this library.
#pragma once

#include <span>

#include "pushforward/testing/report.h"
#include "pushforward/testing/subject.h"
#include "pushforward/testing/tolerances.h"

namespace pushforward::testing {

struct Options {
  std::vector<std::string> only;  // ids or numbers of checks; empty: all
  bool float64 = true, float32 = true;
};

/// Every check that the subject's kind has, in the order of the table. Never throws for what the component does: an
/// exception from it is a finding. Throws SpecError if `only` names no check.
std::vector<CheckResult> check(const Subject& subject, const Options& options = {});

/// The failed check 17 of what never became a subject: a component without an example, an example that is not valid.
CheckResult unchecked(const std::string& kind, const std::string& name, const std::string& example,
                      const std::string& finding);

/// The checks of a kind.
std::vector<const CheckInfo*> checks_of(const std::string& kind);
/// By id or by number, or none.
const CheckInfo* find_check(const std::string& id_or_number);

}  // namespace pushforward::testing
