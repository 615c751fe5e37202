// What a distribution that is made of others has in common with them.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "pushforward/distribution.h"

namespace pushforward {

template <class T>
using Parts = std::vector<std::unique_ptr<Distribution<T>>>;

/// What is true of all parts together: as good as the worst of them.
template <class T>
DistributionTraits traits_of(const Parts<T>& parts) {
  DistributionTraits all;
  for (const auto& part : parts) {
    const DistributionTraits t = part->traits();
    all.can_sample &= t.can_sample;
    all.reparameterised &= t.reparameterised;
    all.needs_context |= t.needs_context;
    all.couples_rows |= t.couples_rows;
    all.uses_draws_in_log_prob |= t.uses_draws_in_log_prob;
    all.log_prob = std::max(all.log_prob, t.log_prob);
    all.sample = std::max(all.sample, t.sample);
    all.density = std::max(all.density, t.density);
  }
  return all;
}

/// The interval that holds every part's support: a support is one interval, whatever gaps the density has.
template <class T>
Support support_of(const Parts<T>& parts) {
  Support all = parts.front()->support();
  for (const auto& part : parts) {
    const Support s = part->support();
    all = {std::min(all.lower, s.lower), std::max(all.upper, s.upper)};
  }
  return all;
}

}  // namespace pushforward
