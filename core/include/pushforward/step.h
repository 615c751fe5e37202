// StepRunner: what happens once a step, outside the shards: parameters to derived values, their gradient back again,
// and statistics to state.
#pragma once

#include "pushforward/component.h"

namespace pushforward {

/// Runs `prepare` and `update` of a model's components on a tape of its own. One thread at a time.
template <class T>
class PUSHFORWARD_EXPORT StepRunner {
 public:
  /// Both must outlive the runner.
  StepRunner(std::span<const Component<T>* const> components, const Layout& layout);

  /// Fills `derived` (layout.derived_size numbers) from the parameters and state of `values`. With a `gradient` (of
  /// parameter_size + derived_size numbers; the same memory must be given to `backward`) the way back is recorded.
  /// `frozen`: as Sinks::frozen, or none.
  void prepare(const Values<T>& values, T* derived, Mode mode, Stream stream, T* gradient = nullptr,
               const std::uint8_t* frozen = nullptr);
  /// Once after all shards: runs the part of the gradient that belongs to derived values back to the parameters,
  /// whose gradient is added to. Nothing to do if no component has derived values.
  void backward(T* gradient);
  /// Every component's `update` with the sums of the statistics over a batch of `rows` rows; writes the state.
  void update(const Values<T>& values, std::span<T> real_state, std::span<std::int64_t> integer_state,
              std::span<const double> statistics, Index rows, Stream stream);

 private:
  Pass<T> pass(const Values<T>& values, Mode mode, Stream stream);
  std::span<const Component<T>* const> components_;
  const Layout& layout_;
  Tape<T> tape_;
  std::vector<typename StepPass<T>::Derived> derived_;
};

extern template class StepRunner<float>;
extern template class StepRunner<double>;

}  // namespace pushforward
