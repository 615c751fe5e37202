#include "checked_example.h"

#include <optional>

#include "pushforward/registry/subjects.h"

namespace pushforward {

using testing::CheckResult;

std::vector<CheckedExample> examples_to_check(const RegisteredComponent& component, const std::string* only) {
  const ComponentInfo& info = *component.info;
  std::vector<CheckedExample> all;
  if (testing::checks_of(info.kind).empty()) return all;
  if (info.example_count == 0 && !only) all.push_back({&component, nullptr});
  for (std::size_t i = 0; i < info.example_count; ++i)
    if (!only || *only == info.examples[i].name) all.push_back({&component, &info.examples[i]});
  return all;
}

CheckResult failure_of(const CheckedExample& checked, const std::string& finding, const std::string& check,
                       const std::string& precision) {
  const ComponentInfo& info = *checked.component->info;
  return testing::unchecked(info.kind, info.name, checked.example ? checked.example->name : "(none)", finding, check,
                            precision);
}

std::vector<CheckResult> check_example(const Registry& registry, const CheckedExample& checked,
                                       const testing::Options& options) {
  const auto unchecked = [&](const std::string& finding) {
    CheckResult result = failure_of(checked, finding);
    if (options.on_result) options.on_result(result);
    return std::vector<CheckResult>{result};
  };
  if (!checked.example)
    return unchecked("the component has no example, so nothing of it is checked; add one to its table");
  const std::string unreadable = "the example cannot be read: ";
  std::optional<testing::Subject> subject;
  try {
    subject = make_subject(registry, *checked.component, *checked.example);
  } catch (const std::exception& e) {
    return unchecked(unreadable + e.what());
  }
  try {
    return testing::check(*subject, options);
  } catch (const SpecError& e) {
    return unchecked(unreadable + e.what());
  }
}

}  // namespace pushforward
