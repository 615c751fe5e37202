#include "checking.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "check_results.h"
#include "isolation.h"
#include "number_format.h"

namespace pushforward {
namespace {

using Json = nlohmann::ordered_json;
using testing::CheckResult;
using Results = std::vector<CheckResult>;

constexpr const char* kBeforeChecks = "fields";  // the check that tells of what happens outside of all

std::string name_of(const CheckedExample& checked) {
  return fmt::format("{}/{}, example {}", checked.component->info->kind, checked.component->info->name,
                     checked.example ? checked.example->name : "(none)");
}

/// Tells of each example that is done.
class Progress {
 public:
  Progress(std::size_t total, Console& console) : total_(total), console_(console) {}
  void done(const CheckedExample& checked, const Results& results) {
    const auto failed = static_cast<std::int64_t>(testing::failures(results).size());
    console_.note("[{}/{}] {}: {}", ++done_, total_, name_of(checked),
                  failed ? counted(failed, "check") + " FAILED" : "passed");
  }

 private:
  std::size_t total_, done_ = 0;
  Console& console_;
};

/// The examples in processes of their own. A message is the check that begins, or what it found.
class IsolatedChecks final : public IsolatedWork {
 public:
  IsolatedChecks(const Registry& registry, const std::vector<CheckedExample>& examples, const CheckSettings& settings,
                 Console& console)
      : registry_(registry),
        examples_(examples),
        settings_(settings),
        console_(console),
        progress_(examples.size(), console),
        found_(examples.size()),
        current_(examples.size()) {}

  void run(std::size_t job, const Send& send) override {
    const auto send_json = [&](const Json& object) {
      std::string bytes;  // keeps numbers that are not finite, and text of any bytes
      Json::to_cbor(object, bytes);
      send(bytes);
    };
    testing::Options options{.only = settings_.only};
    options.on_start = [&](const std::string& check, const std::string& precision) {
      send_json({{"check", check}, {"precision", precision}});
    };
    options.on_result = [&](const CheckResult& result) { send_json({{"result", to_json(result)}}); };
    check_example(registry_, examples_[job], options);
  }

  void received(std::size_t job, const std::string& message) override {
    try {
      const Json object = Json::from_cbor(message);
      if (object.contains("result")) {
        found_[job].push_back(check_result(object.at("result")));
        current_[job].reset();
      } else {
        current_[job] = Current{object.at("check"), object.at("precision")};
      }
    } catch (const Json::exception&) {
      found_[job].push_back(failure_of(examples_[job], "something else wrote into the descriptor of the results"));
    }
  }

  void silent(std::size_t job, std::chrono::seconds how_long) override {
    console_.note("{}: {}, for {} s so far", name_of(examples_[job]), doing(job), how_long.count());
  }

  void ended(std::size_t job, const Ending& ending) override {
    if (!ending.clean()) {
      const Current at = current_[job].value_or(Current{kBeforeChecks, "float64"});
      const char* const rest = ending.complete ? "" : "; the checks behind it were not made";
      found_[job].push_back(failure_of(examples_[job],
                                       fmt::format("the process {}, {}{}", ending.text(), doing(job), rest), at.check,
                                       at.precision));
    }
    progress_.done(examples_[job], found_[job]);
  }

  std::vector<Results>& found() { return found_; }

 private:
  struct Current {
    std::string check, precision;
  };

  std::string doing(std::size_t job) const {
    if (const std::optional<Current>& at = current_[job])
      return fmt::format("in the check {} ({})", at->check, at->precision);
    return found_[job].empty() ? "before its first check" : "after the check " + found_[job].back().check;
  }

  const Registry& registry_;
  const std::vector<CheckedExample>& examples_;
  const CheckSettings& settings_;
  Console& console_;
  Progress progress_;
  std::vector<Results> found_;
  std::vector<std::optional<Current>> current_;
};

std::vector<Results> found_isolated(const Registry& registry, const std::vector<CheckedExample>& examples,
                                    const CheckSettings& settings, Console& console) {
  IsolatedChecks work(registry, examples, settings, console);
  run_isolated(work, examples.size(), settings.workers, settings.timeout);
  return std::move(work.found());
}

std::vector<Results> found_in_process(const Registry& registry, const std::vector<CheckedExample>& examples,
                                      const CheckSettings& settings, Console& console) {
  std::vector<Results> found(examples.size());
  std::atomic<std::size_t> next = 0;
  Progress progress(examples.size(), console);
  std::mutex speaking;
  const testing::Options options{.only = settings.only};
  const auto work = [&] {
    for (std::size_t i = next++; i < examples.size(); i = next++) {
      found[i] = check_example(registry, examples[i], options);
      const std::lock_guard<std::mutex> lock(speaking);
      progress.done(examples[i], found[i]);
    }
  };
  std::vector<std::jthread> workers;
  for (int k = 1; k < std::min(settings.workers, static_cast<int>(examples.size())); ++k) workers.emplace_back(work);
  work();
  workers.clear();  // waits for them
  return found;
}

}  // namespace

Results check_examples(const Registry& registry, const std::vector<CheckedExample>& examples,
                       const CheckSettings& settings, Console& console) {
  std::vector<Results> found =
      (settings.in_process ? found_in_process : found_isolated)(registry, examples, settings, console);
  Results results;
  for (Results& some : found) std::move(some.begin(), some.end(), std::back_inserter(results));
  return results;
}

}  // namespace pushforward
