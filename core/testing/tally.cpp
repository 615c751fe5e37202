#include "tally.h"

#include <algorithm>
#include <cmath>

namespace pushforward::testing {

double difference(double a, double b) {
  if (a == b) return 0;
  const double d = std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

std::string indexed(const std::string& name, Index j) { return name + "[" + std::to_string(j) + "]"; }

Tally::Tally(const CheckInfo& info, const Subject& subject, Precision precision)
    : info_(info), subject_(subject), precision_(precision) {
  result_.check = info.id;
  result_.number = info.number;
  result_.title = info.title;
  result_.subject = subject.kind + "/" + subject.name + ", example " + subject.example;
  result_.precision = to_string(precision);
  result_.command = "pushforward check --component " + subject.kind + "/" + subject.name + " --example " +
                    subject.example + " --check " + info.id;
}

double Tally::tolerance(bool iterative) const {
  const double t =
      in_double() ? (iterative ? info_.iterative64 : info_.float64) : (iterative ? info_.iterative32 : info_.float32);
  return t * subject_.tolerance_factor;
}

void Tally::same(const std::string& name, const Array& a, const Array& b) {
  if (a.rows != b.rows || a.columns != b.columns) return finding(where_ + ": " + name + " has another shape");
  for (Index j = 0; j < a.columns; ++j)
    for (Index i = 0; i < a.rows; ++i)
      same(
          i, [&] { return indexed(name, j); }, a(i, j), b(i, j));
}

void Tally::compare(const std::string& name, const Array& a, const Array& b, double allowed) {
  if (a.rows != b.rows || a.columns != b.columns) return finding(where_ + ": " + name + " has another shape");
  for (Index j = 0; j < a.columns; ++j)
    for (Index i = 0; i < a.rows; ++i)
      compare(
          i, [&] { return indexed(name, j); }, a(i, j), b(i, j), allowed);
}

void Tally::finite(const std::string& name, const Array& a) {
  for (Index j = 0; j < a.columns; ++j)
    for (Index i = 0; i < a.rows; ++i) {
      ++result_.compared;
      if (std::isfinite(a(i, j))) continue;
      const std::string value = std::isnan(a(i, j)) ? "nan" : std::to_string(a(i, j));  // its sign says nothing
      finding(where_ + ": " + indexed(name, j) + " of sample " + std::to_string(i) + " is " + value);
      return;
    }
}

void Tally::finding(const std::string& message) {
  constexpr std::size_t kMost = 8;
  if (result_.findings.size() < kMost) result_.findings.push_back(message);
  result_.status = Status::failed;
}

void Tally::note(const std::string& message) {
  if (result_.note.find(message) != std::string::npos) return;
  result_.note += (result_.note.empty() ? "" : "; ") + message;
}

void Tally::skip(const std::string& reason) { skipped_.push_back(reason); }

void Tally::insert(Row row, double ratio) {
  const auto place = std::upper_bound(ratios_.begin(), ratios_.end(), ratio, std::greater<>());
  const auto index = place - ratios_.begin();
  ratios_.insert(place, ratio);
  result_.worst.insert(result_.worst.begin() + index, std::move(row));
  if (result_.worst.size() > kWorst) {
    result_.worst.pop_back();
    ratios_.pop_back();
  }
  if (result_.worst.size() == kWorst) floor_ = ratios_.back();
}

CheckResult Tally::result() const {
  CheckResult r = result_;
  if (!ratios_.empty()) {
    if (ratios_.front() > 1) r.status = Status::failed;
    r.measured = r.worst.front().difference;
    r.allowed = r.worst.front().allowed;
  }
  if (r.status == Status::passed && r.compared == 0) {
    r.status = Status::not_applicable;
    if (skipped_.empty()) r.note += r.note.empty() ? "nothing to compare" : "";
  }
  for (const std::string& reason : skipped_)
    if (r.note.find(reason) == std::string::npos)
      r.note += std::string(r.note.empty() ? "" : "; ") + (r.compared > 0 ? "in part: " : "") + reason;
  if (subject_.tolerance_factor != 1)
    r.note += (r.note.empty() ? "" : "; ") + std::string("tolerances times ") +
              std::to_string(subject_.tolerance_factor) + ": " + subject_.reason;
  return r;
}

}  // namespace pushforward::testing
