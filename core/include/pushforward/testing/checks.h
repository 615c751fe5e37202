// The conformance kit: what every component must show.
//
//   std::vector<CheckResult> results = check(subject);
//   if (!passed(results)) std::cerr << to_text(failures(results));
//
// No test framework inside: the project's tests and `pushforward check` are two front ends of this library.
#pragma once

#include <functional>
#include <span>

#include "pushforward/testing/report.h"
#include "pushforward/testing/subject.h"
#include "pushforward/testing/tolerances.h"

namespace pushforward::testing {

struct Options {
  std::vector<std::string> only;  // ids or numbers of checks; empty: all
  bool float64 = true, float32 = true;
  /// Called before and after each check, if given: with its id and precision, with what it found.
  std::function<void(const std::string& check, const std::string& precision)> on_start = {};
  std::function<void(const CheckResult&)> on_result = {};
};

/// Every check that the subject's kind has, in the order of the table. Never throws for what the component does: an
/// exception from it is a finding. Throws SpecError if `only` names no check.
std::vector<CheckResult> check(const Subject& subject, const Options& options = {});

/// A check that failed without having been made: that of the fields (17) for what never became a subject, such as a
/// component without an example; another where a component ended its process. Throws SpecError if there is none such.
CheckResult unchecked(const std::string& kind, const std::string& name, const std::string& example,
                      const std::string& finding, const std::string& check = "fields",
                      const std::string& precision = "float64");

/// The checks of a kind.
std::vector<const CheckInfo*> checks_of(const std::string& kind);
/// By id or by number, or none.
const CheckInfo* find_check(const std::string& id_or_number);

}  // namespace pushforward::testing
