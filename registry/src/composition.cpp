#include "composition.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "pushforward/chain.h"
#include "pushforward/number_text.h"

namespace pushforward {

namespace {

template <class T>
class Checker {
 public:
  Checker(const Composed<T>& composed, Problems& problems)
      : c_(composed), problems_(problems), objective_(*composed.model.objective) {}

  void run() {
    sections();
    abilities();
    context();
    for (const Component<T>* component : c_.model.components)
      if (const auto* flow = dynamic_cast<const Flow<T>*>(component)) neighbours(*flow);
    if (c_.model.target && !(c_.model.target->event_shape() == c_.model.distribution->event_shape()))
      add(*c_.model.target, " has events of shape " + c_.model.target->event_shape().to_string() +
                                ", but those of the model have " + c_.model.distribution->event_shape().to_string());
  }

 private:
  /// A component that a `repeat` built several times is reported once for each kind of problem.
  void add(const Component<T>& component, const std::string& message) {
    constexpr std::size_t kBeginning = 16;  // of messages, which differ in it
    const Position& position = c_.assembler.position_of(component);
    if (added_.insert(position.to_string() + message.substr(0, kBeginning)).second)
      problems_.add(position, component.path() + message);
  }
  /// Position of a section of the spec, or of the objective if it is not there.
  const Position& position(const char* section) const {
    const SpecNode* found = c_.spec.find(section);
    return found ? found->position : c_.assembler.position_of(objective_);
  }
  std::string objective_name() const {
    const SpecNode& node = *c_.spec.find("training")->find("objective");
    return "the objective '" + node.entries.front().key + "'";
  }

  /// `data:` and `target:` are there if and only if the objective uses them.
  void sections() {
    const ObjectiveNeeds needs = objective_.needs();
    const auto check = [&](const char* section, bool needed) {
      const bool given = c_.spec.find(section) != nullptr;
      if (needed && !given)
        problems_.add(position(section), objective_name() + " needs '" + section + ":', but the spec has none");
      if (!needed && given)
        problems_.add(position(section), std::string(section) + " is not used: " + objective_name() + " needs none; " +
                                             "remove it, or choose another objective");
    };
    check("data", needs.data);
    check("target", needs.target);
  }

  // --- abilities ---------------------------------------------------------------------------------------------------

  void abilities() {
    const ObjectiveNeeds needs = objective_.needs();
    const DistributionTraits traits = c_.model.distribution->traits();
    const std::string reason = ", which " + objective_name() + " needs";
    if (needs.model_log_prob && (traits.log_prob == Cost::none || traits.density == LogDet::none))
      blame(
          reason + " for the log_prob of data; take another component, or `invert` it",
          " has no inverse with a log_det", " has no log_prob",
          [](const Traits& t) { return t.inverse == Cost::none || t.log_det == LogDet::none; },
          [](const DistributionTraits& t) { return t.log_prob == Cost::none || t.density == LogDet::none; });
    if (!needs.model_sample) return;
    if (!traits.can_sample || traits.sample == Cost::none)
      blame(
          reason + " for samples; take another component, or `invert` it", " has no forward direction",
          " cannot be sampled", [](const Traits& t) { return t.forward == Cost::none; },
          [](const DistributionTraits& t) { return !t.can_sample || t.sample == Cost::none; });
    else if (!traits.reparameterised)
      blame(
          reason + "; take another component", "", " has no samples that gradients flow through",
          [](const Traits&) { return false; }, [](const DistributionTraits& t) { return !t.reparameterised; });
  }

  /// The first component, in the order of building, that cannot: children come before those that only pass it on.
  template <class M, class D>
  void blame(const std::string& reason, const std::string& map_lacks, const std::string& distribution_lacks,
             M map_cannot, D distribution_cannot) {
    for (const Component<T>* component : c_.model.components) {
      const auto* map = dynamic_cast<const Bijector<T>*>(component);
      if (map && map_cannot(map->traits())) return add(*component, map_lacks + reason);
      const auto* distribution = dynamic_cast<const Distribution<T>*>(component);
      if (distribution && distribution_cannot(distribution->traits()))
        return add(*component, distribution_lacks + reason);
    }
    problems_.add(position("model"), "model" + distribution_lacks + reason);
  }

  // --- context -----------------------------------------------------------------------------------------------------

  void context() {
    const SpecNode* data = c_.spec.find("data");
    const SpecNode* given = data ? data->find("context") : nullptr;
    if (c_.context > 0 && !c_.context_is_used)
      problems_.add(given ? given->position : position("model"),
                    "data.context is not used: no network or distribution of the model takes it in; remove it, or give "
                    "the model a conditional part");
    if (c_.context > 0) return;
    for (const Component<T>* component : c_.model.components) {
      const auto* distribution = dynamic_cast<const Distribution<T>*>(component);
      if (distribution && distribution->traits().needs_context)
        return add(*component, " needs a context, but the data have none; give data.context");
    }
  }

  // --- supports ----------------------------------------------------------------------------------------------------

  static std::string text(const Support& s) {
    return std::string(std::isfinite(s.lower) ? "[" : "(") + number_text(s.lower) + ", " + number_text(s.upper) +
           (std::isfinite(s.upper) ? "]" : ")");
  }
  /// Bounds are kept in single precision by some.
  static bool fits(const Support& values, const Support& domain) {
    const auto slack = [](double bound) { return 1e-6 * std::max(1.0, std::abs(bound)); };
    return (std::isinf(domain.lower) || values.lower >= domain.lower - slack(domain.lower)) &&
           (std::isinf(domain.upper) || values.upper <= domain.upper + slack(domain.upper));
  }

  void neighbours(const Flow<T>& flow) {
    Support values = flow.base().support();
    std::string giver = flow.base().path();
    follow(flow.bijector(), values, giver);
  }
  /// Values on their way through a map; those of a chain, and of chains in it, part by part.
  void follow(const Bijector<T>& map, Support& values, std::string& giver) {
    if (const auto* chain = dynamic_cast<const Chain<T>*>(&map)) {
      for (const auto& part : chain->parts()) follow(*part, values, giver);
      return;
    }
    if (!fits(values, map.domain()))
      add(map, " takes values in " + text(map.domain()) + ", but " + giver + " gives values in " + text(values) +
                   "; put a map between them, or change the order");
    values = map.codomain();
    giver = map.path();
  }

  const Composed<T>& c_;
  Problems& problems_;
  const Objective<T>& objective_;
  std::set<std::string> added_;
};

}  // namespace

template <class T>
void check_composition(const Composed<T>& composed, Problems& problems) {
  Checker<T>(composed, problems).run();
}

template void check_composition<float>(const Composed<float>&, Problems&);
template void check_composition<double>(const Composed<double>&, Problems&);

}  // namespace pushforward
