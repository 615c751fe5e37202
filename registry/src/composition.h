// Composition: whether the parts of a built model fit together and can do what is asked of them. Schemas cannot say
// this; instances do, by their traits.
#pragma once

#include "assembler.h"
#include "pushforward/model.h"

namespace pushforward {

/// What a model was built from.
template <class T>
struct Composed {
  const Assembler<T>& assembler;
  const Model<T>& model;
  const SpecNode& spec;  // resolved root
  Index context = 0;     // columns that the data give
  bool context_is_used = false;
};

/// Adds a problem, with position and path of the component, for everything that does not fit:
/// - what the objective needs of the model (log_prob, reparameterised samples) and of the spec (data, target);
/// - data, context or target that nothing uses, or that something lacks;
/// - neighbours of which one gives values that the next does not take;
/// - a target of another event shape than the model's.
template <class T>
void check_composition(const Composed<T>& composed, Problems& problems);

extern template void check_composition<float>(const Composed<float>&, Problems&);
extern template void check_composition<double>(const Composed<double>&, Problems&);

}  // namespace pushforward
