// What a verification found: a line for each check.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pushforward::verification {

enum class Verdict : std::uint8_t {
  ok,
  look,      ///< deserves a look; of a numerical check: most rows pass, single ones do not
  failed,    ///< of numerical checks alone: the model's figures cannot be trusted
  not_done,  ///< `advice` says why
};
const char* to_string(Verdict verdict);

/// Numerical checks ask whether the model computes what it stands for; they decide. The others ask how well it fits.
enum class Kind : std::uint8_t { numerical, fit };

struct Finding {
  std::string check;  // its title, unique in a report
  Kind kind = Kind::numerical;
  Verdict verdict = Verdict::not_done;
  std::string measured;  // for the table; empty: not measured
  std::string expected;
  std::string advice;       // a sentence about what to do, or why the check was not done
  bool row_errors = false;  // `measured` begins with the errors of the median row, of one in a hundred, and the largest
  std::string where = {};   // the row, parameter or element that is worst
  std::vector<std::pair<std::string, double>> numbers = {};  // what the texts are made of, for machines
};

/// A check that makes no sense here, or cannot be done.
inline Finding not_done(std::string check, Kind kind, std::string reason) {
  return {.check = std::move(check),
          .kind = kind,
          .verdict = Verdict::not_done,
          .measured = {},
          .expected = {},
          .advice = std::move(reason)};
}

struct Report {
  std::string rows_of;  // the part whose rows the fit is judged by
  long rows = 0;        // that were verified, of all parts
  std::vector<Finding> findings;

  /// No numerical check failed.
  bool passed() const;
  std::size_t count(Kind kind, Verdict verdict) const;
};

/// The table, a sentence for each check that is not ok, and the sum of it. `width`: columns of the terminal.
std::string to_text(const Report& report, std::size_t width);
/// `{"passed": ..., "rows_of": ..., "rows": ..., "checks": [{"check", "kind", "verdict", "measured", "expected",
/// "where", "advice", "numbers": {...}}]}`; a number that is not finite is a text (json_number.h).
nlohmann::ordered_json to_json(const Report& report);

}  // namespace pushforward::verification
