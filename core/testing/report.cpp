#include "pushforward/testing/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pushforward::testing {

namespace {

std::string number(double v, const char* format = "%.9g") {
  if (std::isnan(v)) return "nan";  // its sign says nothing
  char text[64];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

std::string pad(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// Green, red or grey, if wanted.
std::string paint(const std::string& text, Status s, bool coloured) {
  if (!coloured) return text;
  const char* const colour = s == Status::passed ? "32" : s == Status::failed ? "1;31" : "90";
  return std::string("\033[") + colour + "m" + text + "\033[0m";
}

const char* word(Status s) {
  switch (s) {
    case Status::passed:
      return "passed";
    case Status::failed:
      return "FAILED";
    case Status::not_applicable:
      return "n/a";
  }
  return "";
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> cells = {
      {"where", "sample", "entry", "analytic", "numeric", "difference", "allowed"}};
  for (const Row& r : rows)
    cells.push_back({r.where, r.sample < 0 ? "-" : std::to_string(r.sample), r.entry, number(r.analytic),
                     number(r.numeric), number(r.difference, "%.2e"), number(r.allowed, "%.2e")});
  std::vector<std::size_t> widths(cells[0].size(), 0);
  for (const auto& line : cells)
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  std::string text;
  for (const auto& line : cells) {
    text += "    ";
    for (std::size_t c = 0; c < line.size(); ++c) text += c + 1 < line.size() ? pad(line[c], widths[c] + 2) : line[c];
    text += '\n';
  }
  return text;
}

std::string heading(const CheckResult& r, bool coloured) {
  std::string text = paint(pad(word(r.status), 8), r.status, coloured) + pad(std::to_string(r.number), 4) +
                     pad(r.check, 20) + pad(r.precision, 9);
  const std::string compared = std::to_string(r.compared) + " compared";
  if (r.status != Status::not_applicable)
    text += r.worst.empty()
                ? compared
                : "measured " + number(r.measured, "%.1e") + ", allowed " + number(r.allowed, "%.1e") + ", " + compared;
  if (!r.note.empty()) text += (r.status == Status::not_applicable ? "" : "; ") + r.note;
  return text + '\n';
}

bool has_table(const CheckResult& r) {
  return std::any_of(r.worst.begin(), r.worst.end(), [](const Row& row) { return !(row.difference <= row.allowed); });
}

/// Whether all that there is to say of a failure was said of another one: a factory that throws fails every check.
bool says_the_same(const CheckResult& a, const CheckResult& b) {
  return a.subject == b.subject && !a.findings.empty() && a.findings == b.findings && !has_table(a) && !has_table(b);
}

/// The names of the checks that failed, in their order.
std::string failed_checks(const std::vector<CheckResult>& failed) {
  std::vector<std::string> names;
  for (const CheckResult& r : failed)
    if (std::find(names.begin(), names.end(), r.check) == names.end()) names.push_back(r.check);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "failed: " : ", ") + name;
  return text + '\n';
}

}  // namespace

std::string to_text(const CheckResult& r, bool coloured) {
  std::string text = heading(r, coloured);
  if (r.status != Status::failed) return text;
  text += "    " + r.subject + ": " + r.title + '\n';
  for (const std::string& finding : r.findings) text += "    " + finding + '\n';
  if (has_table(r)) text += table(r.worst);
  return text + "    again: " + r.command + '\n';
}

std::string to_text(const std::vector<CheckResult>& results, bool coloured, bool failures_only) {
  std::string text;
  std::string subject;
  const CheckResult* told = nullptr;  // the last failure that was shown in full
  for (const CheckResult& r : results) {
    if (failures_only && r.status != Status::failed) continue;
    if (r.subject != subject) text += (subject = r.subject) + '\n';
    const bool repeats = r.status == Status::failed && told && says_the_same(*told, r);
    if (r.status == Status::failed && !repeats) told = &r;
    text += "  " + (repeats ? heading(r, coloured) + "    as check " + std::to_string(told->number) + " in " +
                                  told->precision + " says\n"
                            : to_text(r, coloured));
  }
  const auto count = [&](Status s) {
    return std::count_if(results.begin(), results.end(), [s](const CheckResult& r) { return r.status == s; });
  };
  text += std::to_string(results.size()) + " checks: " + std::to_string(count(Status::passed)) + " passed, " +
          std::to_string(count(Status::failed)) + " failed, " + std::to_string(count(Status::not_applicable)) +
          " not applicable\n";
  const std::vector<CheckResult> failed = failures(results);
  return failed.empty() ? text : text + failed_checks(failed);
}

bool passed(const std::vector<CheckResult>& results) {
  return std::none_of(results.begin(), results.end(), [](const CheckResult& r) { return r.status == Status::failed; });
}

std::vector<CheckResult> failures(const std::vector<CheckResult>& results) {
  std::vector<CheckResult> failed;
  for (const CheckResult& r : results)
    if (r.status == Status::failed) failed.push_back(r);
  return failed;
}

}  // namespace pushforward::testing
