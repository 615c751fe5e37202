// Model: a built distribution (and objective) with the numbers that belong to it.
#pragma once

#include "pushforward/distribution.h"
#include "pushforward/objective.h"

namespace pushforward {

/// Everything that one evaluation needs. Built by the registry, by tests, or by a program of one's own.
template <class T>
struct Model {
  std::unique_ptr<Distribution<T>> distribution;
  std::unique_ptr<Objective<T>> objective;       // may be none
  std::unique_ptr<Target<T>> target;             // may be none; never trained
  /// Every component in building order (children before parents): who is asked to prepare and to update.
  std::vector<const Component<T>*> components;
  Layout layout;
  Store<T> store;
  /// Offset at which the objective's own parameters start; the model's come first. Negative: it has none.
  Index objective_parameters = -1;
  /// Where that is, or the end of the parameters.
  Index border() const { return objective_parameters < 0 ? layout.parameter_size : objective_parameters; }
  Index context = 0;               // columns of the context that it needs
};

}  // namespace pushforward
