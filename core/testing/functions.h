// The functions of a component that the kit evaluates, found by its class.
#pragma once

#include <array>

#include "pushforward/testing/runner.h"

namespace pushforward::testing {

/// In the order of FunctionInfo::outputs.
template <class T>
using Outputs = std::array<Var<T>, 2>;

template <class T>
struct Function {
  FunctionInfo info;
  std::array<Index, 2> columns;  // of the outputs, as the interface promises
  bool last_may_be_none;
  std::function<Outputs<T>(Var<T> x, Index rows, const Pass<T>& pass)> call;
};

/// `event` is the shape of the data side.
template <class T>
std::vector<Function<T>> functions_of(const ComponentBase& component, const Surroundings& around) {
  if (const auto* map = dynamic_cast<const Bijector<T>*>(&component)) {
    const auto unpack = [](Mapped<T> m) { return Outputs<T>{m.value, m.log_det}; };
    const Index data = around.event_shape.size(), base = map->inverse_event_shape(around.event_shape).size();
    return {{{"forward", base, {"value", "log_det"}},
             {data, 1},
             false,
             [=](Var<T> x, Index, const Pass<T>& pass) { return unpack(map->forward(x, pass)); }},
            {{"inverse", data, {"value", "log_det"}}, {base, 1}, false, [=](Var<T> y, Index, const Pass<T>& pass) {
               return unpack(map->inverse(y, pass));
             }}};
  }
  if (const auto* density = dynamic_cast<const Distribution<T>*>(&component)) {
    std::vector<Function<T>> all;
    const DistributionTraits traits = density->traits();
    const Index size = density->event_shape().size();
    if (traits.log_prob != Cost::none && traits.density != LogDet::none)
      all.push_back({{"log_prob", size, {"log_prob"}}, {1, 0}, false, [=](Var<T> y, Index, const Pass<T>& pass) {
                       return Outputs<T>{density->log_prob(y, pass)};
                     }});
    if (traits.can_sample && traits.sample != Cost::none)
      all.push_back(
          {{"sample", 0, {"value", "log_prob"}}, {size, 1}, true, [=](Var<T>, Index rows, const Pass<T>& pass) {
             const Sampled<T> s = density->sample(rows, pass);
             return Outputs<T>{s.value, s.log_prob};
           }});
    return all;
  }
  if (const auto* target = dynamic_cast<const Target<T>*>(&component))
    return {{{"log_density", target->event_shape().size(), {"log_density"}},
             {1, 0},
             false,
             [=](Var<T> y, Index, const Pass<T>& pass) { return Outputs<T>{target->log_density(y, pass)}; }}};
  if (const auto* network = dynamic_cast<const Network<T>*>(&component))
    return {{{"evaluate", around.network.inputs, {"value"}},
             {around.network.outputs, 0},
             false,
             [=](Var<T> x, Index, const Pass<T>& pass) { return Outputs<T>{(*network)(x, pass)}; }}};
  return {};
}

}  // namespace pushforward::testing
