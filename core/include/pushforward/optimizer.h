// Optimizer and Schedule: how a parameter vector moves.
#pragma once

#include <map>

#include "pushforward/component.h"

namespace pushforward {

/// Loss and gradient at any parameter vector; the same draws for every call within one step.
template <class T>
class PUSHFORWARD_EXPORT Evaluate {
 public:
  virtual ~Evaluate();
  /// Overwrites `gradient` (same size as theta; zero where frozen) and returns the loss. Throws NumericalError if it is
  /// not finite; a line search that went too far catches it and takes a shorter step.
  virtual double operator()(std::span<const T> theta, std::span<T> gradient) = 0;
  /// The loss alone.
  virtual double loss(std::span<const T> theta) = 0;
};

/// A stretch of the parameter vector with its own settings. Given in increasing order; frozen stretches do not appear.
struct ParameterRange {
  Index begin = 0, end = 0;
  double learning_rate_factor = 1;
  double weight_decay = 0;
};

/// One run's memory of an optimizer; saved in every checkpoint. Separate from the settings, which are the object.
template <class T>
struct OptimizerState {
  std::int64_t step = 0;
  std::map<std::string, std::vector<T>> arrays;        // named, of the size the optimizer chose
  std::map<std::string, std::vector<double>> numbers;  // small exact state: counters, norms
  std::vector<T> scratch;                              // of `room`; worth nothing after a step, not saved

  /// The array `name`, created as `size` zeros at first use. Keep the pointer for a step only. Throws CheckpointError
  /// if the array is there with another size: the state of another model.
  std::span<T> array(const char* name, std::size_t size) {
    auto it = arrays.find(name);
    if (it == arrays.end()) it = arrays.emplace(name, std::vector<T>(size, T(0))).first;
    if (it->second.size() != size)
      throw CheckpointError(std::string("the optimizer's saved array '") + name + "' has " +
                            std::to_string(it->second.size()) + " numbers, but this model needs " +
                            std::to_string(size) + "; go on with the spec and the optimizer that wrote the checkpoint");
    return it->second;
  }
  /// Memory for what lives during one step, such as the gradient; holds anything.
  std::span<T> room(std::size_t size) {
    if (scratch.size() < size) scratch.resize(size);
    return {scratch.data(), size};
  }
};

/// What is decided outside the optimizer for this step.
struct StepSettings {
  double learning_rate_factor = 1;  // from the schedule
  std::span<const ParameterRange> ranges;
};

template <class T>
class PUSHFORWARD_EXPORT Optimizer : public Component<T> {
 public:
  ~Optimizer() override;
  /// One step: moves theta within the ranges and returns the loss at the theta that it was given. May evaluate any
  /// number of times; the statistics that components report are those of the last evaluation. Increments `state.step`.
  /// Allocates at most in the first step.
  virtual double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
                      OptimizerState<T>& state) const = 0;
  /// The settings' learning rate, for messages and metrics.
  virtual double learning_rate() const { return 0; }
  /// The settings' weight decay: that of the ranges for which no group gives another. `step` reads the ranges' alone.
  virtual double weight_decay() const { return 0; }
};

/// One run's memory of a schedule; saved in every checkpoint. Separate from the settings, which are the object. A
/// schedule that has others inside hands its own state on to them: no two of them may use one name.
struct ScheduleState {
  std::map<std::string, std::vector<double>> numbers;
};

/// A factor on the learning rate: of the step and, where the schedule watches the fit, of what it has seen.
template <class T>
class PUSHFORWARD_EXPORT Schedule : public Component<T> {
 public:
  ~Schedule() override;
  /// Factor for step `step` (0-based) of `steps`. Throws SpecError if it does not fit so many steps; whoever builds a
  /// training asks for step 0 to find out.
  virtual double factor(std::int64_t step, std::int64_t steps, const ScheduleState& state) const = 0;
  /// True of one that `observe`s: a training without validation is refused.
  virtual bool watches_validation() const { return false; }
  /// Called with each validation loss (not finite: the model's density is not), after `step` steps were made.
  virtual void observe(std::int64_t step, double validation_loss, ScheduleState& state) const;
};

extern template class Evaluate<float>;
extern template class Evaluate<double>;
extern template class Optimizer<float>;
extern template class Optimizer<double>;
extern template class Schedule<float>;
extern template class Schedule<double>;

}  // namespace pushforward
