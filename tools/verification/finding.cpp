#include "verification/finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "json_number.h"
#include "number_format.h"
#include "text_table.h"

namespace pushforward::verification {
namespace {

/// `round trip of the rows` and what to do about it, under the table.
std::string sentences(const Report& report, std::size_t width) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (finding.advice.empty() || finding.verdict == Verdict::ok) continue;
    bool first = true;
    for (const std::string& line : wrap(finding.check + ": " + finding.advice, width - 2)) {
      text += (first ? "" : "  ") + line + "\n";
      first = false;
    }
  }
  return text.empty() ? text : "\n" + text;
}

std::string sum_of(const Report& report) {
  const auto number = [&](Kind kind, Verdict verdict) {
    return static_cast<std::int64_t>(report.count(kind, verdict));
  };
  const std::int64_t failed = number(Kind::numerical, Verdict::failed), digits = number(Kind::numerical, Verdict::look);
  const std::int64_t fits = number(Kind::fit, Verdict::look);
  std::string text = failed ? fmt::format("{} FAILED: do not trust the figures of this model.",
                                          counted(failed, "numerical check", "numerical checks"))
                            : "No numerical check failed.";
  if (digits) text += fmt::format(" {} for a look at single rows.", counted(digits, "of them asks", "of them ask"));
  if (fits)
    text += fmt::format(" {} for a look.", counted(fits, "check of the fit asks", "checks of the fit ask"));
  else if (const std::int64_t missing = number(Kind::fit, Verdict::not_done); missing > 0)
    text += fmt::format(" {} of the fit could not be made{}.", counted(missing, "check"),
                        number(Kind::fit, Verdict::ok) > 0 ? "; the others show nothing unusual" : "");
  else if (number(Kind::fit, Verdict::ok) > 0)
    text += " The fit shows nothing unusual.";
  return text;
}

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::look:
      return "look";
    case Verdict::failed:
      return "FAILED";
    case Verdict::not_done:
      break;
  }
  return "-";
}

std::size_t Report::count(Kind kind, Verdict verdict) const {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.kind == kind && finding.verdict == verdict;
  }));
}

bool Report::passed() const { return count(Kind::numerical, Verdict::failed) == 0; }

std::string to_text(const Report& report, std::size_t width) {
  std::string text;
  for (const Kind kind : {Kind::numerical, Kind::fit}) {
    const std::string rows = report.rows_of.empty() ? "" : " the rows of " + report.rows_of;
    TextTable table({{kind == Kind::numerical ? "does it compute what it says" : "does it fit" + rows},
                     {"verdict"},
                     {"measured"},
                     {"expected"}});
    for (const Finding& finding : report.findings)
      if (finding.kind == kind)
        table.add({finding.check, to_string(finding.verdict), finding.measured, finding.expected});
    if (!table.empty()) text += (text.empty() ? "" : "\n") + table.to_text(width);
  }
  if (std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& f) { return f.row_errors; }))
    text += "\nErrors are relative: of the middle row, of one row in a hundred, and the largest.\n";
  text += sentences(report, width) + "\n";
  for (const std::string& line : wrap(sum_of(report), width)) text += line + "\n";
  return text;
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const Finding& finding : report.findings) {
    nlohmann::ordered_json numbers = nlohmann::ordered_json::object();
    for (const auto& [name, value] : finding.numbers) numbers[name] = json_number(value);
    const char* const verdicts[] = {"ok", "look", "failed", "not_done"};
    checks.push_back({{"check", finding.check},
                      {"kind", finding.kind == Kind::numerical ? "numerical" : "fit"},
                      {"verdict", verdicts[static_cast<std::size_t>(finding.verdict)]},
                      {"measured", finding.measured},
                      {"expected", finding.expected},
                      {"where", finding.where},
                      {"advice", finding.verdict == Verdict::ok ? std::string() : finding.advice},
                      {"numbers", numbers}});
  }
  return {{"passed", report.passed()}, {"rows_of", report.rows_of}, {"rows", report.rows}, {"checks", checks}};
}

}  // namespace pushforward::verification
