// The functions of a component that the kit evaluates, found by its class.
#pragma once

#include "pushforward/testing/runner.h"

namespace pushforward::testing {

/// Outputs in the order of FunctionInfo::outputs; one may be none.
template <class T>
struct Function {
  FunctionInfo info;
  std::function<std::vector<Var<T>>(Var<T> x, Index rows, const Pass<T>& pass)> call;
};

/// `event` is the shape of the data side.
template <class T>
std::vector<Function<T>> functions_of(const ComponentBase& component, const Surroundings& around) {
  if (const auto* map = dynamic_cast<const Bijector<T>*>(&component)) {
    const auto unpack = [](Mapped<T> m) { return std::vector<Var<T>>{m.value, m.log_det}; };
    const Index data = around.event_shape.size(), base = map->inverse_event_shape(around.event_shape).size();
    return {{{"forward", base, {"value", "log_det"}},
             [=](Var<T> x, Index, const Pass<T>& pass) { return unpack(map->forward(x, pass)); }},
            {{"inverse", data, {"value", "log_det"}},
             [=](Var<T> y, Index, const Pass<T>& pass) { return unpack(map->inverse(y, pass)); }}};
  }
  if (const auto* density = dynamic_cast<const Distribution<T>*>(&component)) {
    std::vector<Function<T>> all;
    const DistributionTraits traits = density->traits();
    if (traits.log_prob != Cost::none && traits.density != LogDet::none)
      all.push_back(
          {{"log_prob", density->event_shape().size(), {"log_prob"}},
           [=](Var<T> y, Index, const Pass<T>& pass) { return std::vector<Var<T>>{density->log_prob(y, pass)}; }});
    if (traits.can_sample && traits.sample != Cost::none)
      all.push_back({{"sample", 0, {"value", "log_prob"}}, [=](Var<T>, Index rows, const Pass<T>& pass) {
                       const Sampled<T> s = density->sample(rows, pass);
                       return std::vector<Var<T>>{s.value, s.log_prob};
                     }});
    return all;
  }
  if (const auto* target = dynamic_cast<const Target<T>*>(&component))
    return {{{"log_density", target->event_shape().size(), {"log_density"}},
             [=](Var<T> y, Index, const Pass<T>& pass) { return std::vector<Var<T>>{target->log_density(y, pass)}; }}};
  if (const auto* network = dynamic_cast<const Network<T>*>(&component))
    return {{{"evaluate", around.network.inputs, {"value"}},
             [=](Var<T> x, Index, const Pass<T>& pass) { return std::vector<Var<T>>{(*network)(x, pass)}; }}};
  return {};
}

}  // namespace pushforward::testing
