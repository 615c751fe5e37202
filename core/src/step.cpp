#include "pushforward/step.h"

namespace pushforward {

template <class T>
StepRunner<T>::StepRunner(std::span<const Component<T>* const> components, const Layout& layout)
    : components_(components), layout_(layout) {
  derived_.reserve(layout.derived.size());
}

template <class T>
Pass<T> StepRunner<T>::pass(const Values<T>& values, Mode mode, Stream stream) {
  return Pass<T>{.tape = tape_,
                 .values = values,
                 .context = {},
                 .mode = mode,
                 .stream = stream,
                 .first_row = 0,
                 .parameter_size = layout_.parameter_size,
                 .sinks = {}};
}

template <class T>
void StepRunner<T>::prepare(const Values<T>& values, T* derived, Mode mode, Stream stream, T* gradient,
                            const std::uint8_t* frozen) {
  tape_.reset();
  derived_.clear();
  if (layout_.derived.empty()) return;
  tape_.set_recording(gradient != nullptr);
  Pass<T> p = pass(values, mode, stream);
  p.values.derived = derived;  // children are prepared before their parents, who may read what they made
  p.sinks.gradient = gradient;
  p.sinks.frozen = frozen;
  StepPass<T> step{.tape = tape_, .pass = p};
  step.derived = &derived_;
  step.derived_values = derived;
  for (const Component<T>* component : components_) component->prepare(step);
}

template <class T>
void StepRunner<T>::backward(T* gradient) {
  // Parents first: their derived values may lead to those of their children, whose adjoint must be complete by then.
  // A derived value is a leaf for whoever reads it, so each is run back on its own, from the last to the first.
  for (std::size_t i = derived_.size(); i-- > 0;) {
    const Parameter& handle = derived_[i].handle;
    tape_.backward(derived_[i].var,
                   compact<const T>(gradient + layout_.parameter_size + handle.offset, handle.rows, handle.columns));
  }
}

template <class T>
void StepRunner<T>::update(const Values<T>& values, std::span<T> real_state, std::span<std::int64_t> integer_state,
                           std::span<const double> statistics, Index rows, Stream stream) {
  tape_.reset();
  derived_.clear();
  tape_.set_recording(false);
  Pass<T> p = pass(values, Mode::train, stream);
  StepPass<T> step{.tape = tape_, .pass = p};
  step.rows = rows;
  step.statistics = statistics.data();
  step.real_state = real_state.data();
  step.integer_state = integer_state.data();
  for (const Component<T>* component : components_) component->update(step);
}

template class StepRunner<float>;
template class StepRunner<double>;

}  // namespace pushforward
