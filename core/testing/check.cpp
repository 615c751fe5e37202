#include <algorithm>
#include <sstream>

#include "environment.h"
#include "kit.h"
#include "pushforward/testing/checks.h"

namespace pushforward::testing {

namespace {

struct Entry {
  const char* id;
  CaseCheck of_case;
  SubjectCheck of_subject = nullptr;
  bool sizes = false;  // other event sizes, too
};

void check_subject_allocations(const Subject& s, Tally& t) {
  s.kind == "optimizer" ? check_optimizer_allocations(s, t) : check_loss_allocations(s, t);
}

void check_resume(const Subject& s, Tally& t) {
  if (s.kind == "optimizer") return check_optimizer_resume(s, t);
  s.kind == "schedule" ? check_schedule_resume(s, t) : check_training_resume(s, t);
}

constexpr Entry kEntries[] = {
    {"round_trip", check_round_trip, nullptr, true},
    {"log_det_cancel", check_log_det_cancel, nullptr, true},
    {"log_det_numeric", check_log_det_numeric, nullptr, true},
    {"structure", check_structure, nullptr, true},
    {"values", check_values, nullptr, true},
    {"input_gradient", check_input_gradient, nullptr, true},
    {"parameter_gradient", check_parameter_gradient, nullptr, true},
    {"context_gradient", check_context_gradient, nullptr, true},
    {"taylor", check_taylor},
    {"recording", check_recording},
    {"accumulation", check_accumulation},
    {"rows", check_rows},
    {"sizes", check_sizes},
    {"edges", check_edges},
    {"bad_input", check_bad_input},
    {"threads", check_threads},
    {"checkpoint", check_checkpoint},
    {"fields", nullptr, check_subject_fields},
    {"reached", check_reached},
    {"density", check_density},
    {"fast_path", check_fast_path},
    {"draws", check_draws},
    {"parameter_vector", check_parameter_vector},
    {"chi_square", check_chi_square},
    {"sampled_log_prob", check_sampled_log_prob},
    {"moments", check_moments},
    {"tangent", check_tangent},
    {"allocations", check_allocations, check_subject_allocations},
    {"fixed_point", nullptr, check_fixed_point},
    {"descent", nullptr, check_descent},
    {"resume", nullptr, check_resume},
    {"ranges", nullptr, check_ranges},
    {"factor", nullptr, check_factor},
    {"table", nullptr, check_table},
    {"preprocess", nullptr, check_preprocess},
    {"fit", nullptr, check_fit},
    {"loss", nullptr, check_loss},
    {"loss_gradient", nullptr, check_loss_gradient},
    {"weights", nullptr, check_weights},
    {"shards", nullptr, check_shards},
    {"training", nullptr, check_training},
    {"tracking", nullptr, check_tracking},
};

const Entry& entry_of(const CheckInfo& info) {
  const auto found = std::find_if(std::begin(kEntries), std::end(kEntries),
                                  [&](const Entry& e) { return std::string_view(e.id) == info.id; });
  if (found == std::end(kEntries)) throw std::logic_error(std::string("no code for the check ") + info.id);
  return *found;
}

bool has_kind(const CheckInfo& info, const std::string& kind) {
  std::istringstream in(info.kinds);
  for (std::string word; in >> word;)
    if (word == kind) return true;
  return false;
}

/// The exception that is being handled, whatever it is.
std::string describe_current(const std::string& label) {
  std::string what = "something that is no std::exception";
  try {
    throw;
  } catch (const WrongResult& e) {
    return (label.empty() ? "" : label + ": ") + e.what();
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  return (label.empty() ? "" : label + ": ") + "it threw: " + what;
}

/// The cases of a subject, built once and used by every check; one that cannot be built keeps its reason.
class Cases {
 public:
  explicit Cases(const Subject& subject) : subject_(subject) {
    try {
      variants_ = variants(subject, false);
      first_count_ = variants_.size();
      const std::vector<Variant> all = variants(subject, true);
      variants_.insert(variants_.end(), all.begin() + static_cast<std::ptrdiff_t>(first_count_), all.end());
    } catch (...) {
      failure_ = describe_current("");
    }
    cases_.resize(variants_.size());
    failures_.resize(variants_.size());
  }

  void run(const Entry& entry, Tally& t) {
    if (!failure_.empty()) return t.finding(failure_);
    const std::size_t count = entry.sizes ? variants_.size() : first_count_;
    for (std::size_t i = 0; i < count; ++i) {
      Case* c = at(i, t);
      if (!c) continue;
      try {
        entry.of_case(*c, t);
      } catch (...) {
        t.finding(describe_current(variants_[i].label));
      }
    }
  }

 private:
  /// A case, or none: then the tally knows why. Only the example's own event size must be possible.
  Case* at(std::size_t i, Tally& t) {
    if (!cases_[i] && failures_[i].empty()) {
      try {
        cases_[i] = std::make_unique<Case>(subject_, variants_[i]);
      } catch (const Error&) {
        failures_[i] = describe_current(variants_[i].label);
        refused_.push_back(i);
      } catch (...) {
        failures_[i] = describe_current(variants_[i].label);
      }
    }
    if (cases_[i]) return cases_[i].get();
    const bool refused = i >= first_count_ && std::find(refused_.begin(), refused_.end(), i) != refused_.end();
    if (refused)
      t.note(failures_[i]);
    else
      t.finding(failures_[i]);
    return nullptr;
  }

  const Subject& subject_;
  std::vector<Variant> variants_;
  std::size_t first_count_ = 0;
  std::vector<std::unique_ptr<Case>> cases_;
  std::vector<std::string> failures_;
  std::vector<std::size_t> refused_;
  std::string failure_;
};

CheckResult run_check(const CheckInfo& info, const Subject& subject, Cases* cases, Precision precision) {
  Tally tally(info, subject, precision);
  const Entry& entry = entry_of(info);
  const Environment environment;
  if (precision == Precision::float32 && info.float32 == kNotDone) {
    tally.skip("done in float64");
  } else if (precision == Precision::float32 && !subject.make_float) {
    tally.skip("not registered for float32");
  } else if (entry.of_case && cases) {
    cases->run(entry, tally);
  } else {
    try {
      entry.of_subject(subject, tally);
    } catch (...) {
      tally.finding(describe_current(""));
    }
  }
  if (const std::string changed = environment.restore(); !changed.empty())
    tally.finding("the component changed " + changed + ", which is the whole program's; put it back before returning");
  return tally.result();
}

}  // namespace

const CheckInfo* find_check(const std::string& id_or_number) {
  for (const CheckInfo& info : kChecks)
    if (info.id == id_or_number || std::to_string(info.number) == id_or_number) return &info;
  return nullptr;
}

CheckResult unchecked(const std::string& kind, const std::string& name, const std::string& example,
                      const std::string& finding, const std::string& id, const std::string& precision) {
  Subject subject;
  subject.kind = kind;
  subject.name = name;
  subject.example = example;
  const CheckInfo* info = find_check(id);
  if (!info) throw SpecError("there is no check '" + id + "'; give a check's name or its number");
  const bool single = precision == to_string(Precision::float32);
  Tally tally(*info, subject, single ? Precision::float32 : Precision::float64);
  tally.finding(finding);
  return tally.result();
}

std::vector<const CheckInfo*> checks_of(const std::string& kind) {
  std::vector<const CheckInfo*> all;
  for (const CheckInfo& info : kChecks)
    if (has_kind(info, kind)) all.push_back(&info);
  return all;
}

std::vector<CheckResult> check(const Subject& subject, const Options& options) {
  std::vector<const CheckInfo*> wanted = checks_of(subject.kind);
  if (!options.only.empty()) {
    std::vector<const CheckInfo*> named;
    for (const std::string& name : options.only) {
      const CheckInfo* info = find_check(name);
      if (!info) throw SpecError("there is no check '" + name + "'; give a check's name or its number");
      if (has_kind(*info, subject.kind)) named.push_back(info);
    }
    wanted = named;
  }
  if (!subject.make_double)
    throw SpecError(subject.kind + "/" + subject.name +
                    " is not registered for float64, with "
                    "which the kit compares");
  std::vector<CheckResult> results;
  const bool evaluated = has_kind(*find_check("recording"), subject.kind);
  std::unique_ptr<Cases> cases = evaluated ? std::make_unique<Cases>(subject) : nullptr;
  const auto run = [&](const CheckInfo& info, Precision precision) {
    if (options.on_start) options.on_start(info.id, to_string(precision));
    results.push_back(run_check(info, subject, cases.get(), precision));
    if (options.on_result) options.on_result(results.back());
  };
  for (const CheckInfo* info : wanted) {
    if (options.float64 && info->float64 != kNotDone) run(*info, Precision::float64);
    if (options.float32 && info->float32 != kNotDone) run(*info, Precision::float32);
  }
  return results;
}

}  // namespace pushforward::testing
