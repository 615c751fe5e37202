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

}  // namespace

std::string to_text(const CheckResult& r, bool coloured) {
  std::string text = paint(pad(word(r.status), 8), r.status, coloured) + pad(std::to_string(r.number), 4) +
                     pad(r.check, 20) + pad(r.precision, 9);
  const std::string compared = std::to_string(r.compared) + " compared";
  if (r.status != Status::not_applicable)
    text += r.worst.empty()
                ? compared
                : "measured " + number(r.measured, "%.1e") + ", allowed " + number(r.allowed, "%.1e") + ", " + compared;
  if (!r.note.empty()) text += (r.status == Status::not_applicable ? "" : "; ") + r.note;
  text += '\n';
  if (r.status != Status::failed) return text;
  text += "    " + r.subject + ": " + r.title + '\n';
  for (const std::string& finding : r.findings) text += "    " + finding + '\n';
  const bool beyond =
      std::any_of(r.worst.begin(), r.worst.end(), [](const Row& row) { return !(row.difference <= row.allowed); });
  if (beyond) text += table(r.worst);
  return text + "    again: " + r.command + '\n';
}

std::string to_text(const std::vector<CheckResult>& results, bool coloured) {
  std::string text;
  std::string subject;
  for (const CheckResult& r : results) {
    if (r.subject != subject) text += (subject = r.subject) + '\n';
    text += "  " + to_text(r, coloured);
  }
  const auto count = [&](Status s) {
    return std::count_if(results.begin(), results.end(), [s](const CheckResult& r) { return r.status == s; });
  };
  return text + std::to_string(results.size()) + " checks: " + std::to_string(count(Status::passed)) + " passed, " +
         std::to_string(count(Status::failed)) + " failed, " + std::to_string(count(Status::not_applicable)) +
         " not applicable\n";
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
