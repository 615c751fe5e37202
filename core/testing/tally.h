// Tally: collects one check's comparisons into its result.
#pragma once

#include <algorithm>
#include <limits>

#include "case.h"
#include "pushforward/testing/report.h"

namespace pushforward::testing {

/// |a - b| / max(1, |a|, |b|); infinite where one of them is no number.
double difference(double a, double b);

class Tally {
 public:
  Tally(const CheckInfo& info, const Subject& subject, Precision precision);

  Precision precision() const { return precision_; }
  bool in_double() const { return precision_ == Precision::float64; }
  /// The table's, times the example's factor.
  double tolerance(bool iterative = false) const;

  /// Heads the rows that follow.
  void at(std::string where) { where_ = std::move(where); }
  /// `entry()` gives the name of what is compared; called for the worst only.
  template <class Entry>
  void compare(Index sample, Entry&& entry, double analytic, double numeric, double allowed) {
    add(sample, entry, analytic, numeric, difference(analytic, numeric), allowed);
  }
  /// The same bits; two NaNs are the same.
  template <class Entry>
  void same(Index sample, Entry&& entry, double analytic, double numeric) {
    const double d = difference(analytic, numeric);
    add(sample, entry, analytic, numeric,
        same_bits(analytic, numeric) ? 0 : std::max(d, std::numeric_limits<double>::denorm_min()), 0);
  }
  /// Every element of two arrays, which must have the same shape.
  void same(const std::string& name, const Array& a, const Array& b);
  void compare(const std::string& name, const Array& a, const Array& b, double allowed);
  void finite(const std::string& name, const Array& a);
  /// Counts as a comparison; the message is a finding if it does not hold.
  template <class Message>
  void require(bool holds, Message&& message) {
    ++result_.compared;
    if (!holds) finding(message());
  }
  void finding(const std::string& message);
  void note(const std::string& message);
  /// A part that does not apply; if no part does, neither does the check.
  void skip(const std::string& reason);

  CheckResult result() const;

 private:
  template <class Entry>
  void add(Index sample, Entry& entry, double analytic, double numeric, double d, double allowed) {
    ++result_.compared;
    // A condition that is no number, because a derivative is none, allows nothing.
    const bool wide = allowed > 0 && allowed < std::numeric_limits<double>::infinity();
    const double ratio = wide ? d / allowed : d > 0 ? std::numeric_limits<double>::infinity() : 0;
    if (!(ratio > floor_) && !(ratio == floor_ && result_.worst.size() < kWorst)) return;
    insert({where_, sample, entry(), analytic, numeric, d, allowed}, ratio);
  }
  void insert(Row row, double ratio);

  static constexpr std::size_t kWorst = 5;
  const CheckInfo& info_;
  const Subject& subject_;
  Precision precision_;
  CheckResult result_;
  std::vector<double> ratios_;
  std::vector<std::string> skipped_;
  std::string where_;
  double floor_ = 0;
};

/// `x[2]`
std::string indexed(const std::string& name, Index j);

}  // namespace pushforward::testing
