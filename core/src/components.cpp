// Key functions of the interfaces: their typeinfo and tables live in core, so that casts and catches work across
// libraries.
#include "pushforward/build.h"

namespace pushforward {

ComponentBase::~ComponentBase() = default;

template <class T>
Component<T>::~Component() = default;
template <class T>
Bijector<T>::~Bijector() = default;
template <class T>
Transformer<T>::~Transformer() = default;
template <class T>
Stepper<T>::~Stepper() = default;
template <class T>
MaskedNetwork<T>::~MaskedNetwork() = default;
template <class T>
Network<T>::~Network() = default;
template <class T>
Target<T>::~Target() = default;
template <class T>
Distribution<T>::~Distribution() = default;
template <class T>
Objective<T>::~Objective() = default;
template <class T>
Evaluate<T>::~Evaluate() = default;
template <class T>
Optimizer<T>::~Optimizer() = default;
template <class T>
Schedule<T>::~Schedule() = default;
template <class T>
void Schedule<T>::observe(std::int64_t, double, ScheduleState&) const {}
template <class T>
Dataset<T>::~Dataset() = default;
template <class T>
Preprocess<T>::~Preprocess() = default;
template <class T>
Tracker<T>::~Tracker() = default;
template <class T>
Procedure<T>::~Procedure() = default;

template <class T>
Var<T> Objective<T>::reduce(int, Var<T>, Var<T>, const Pass<T>&) const {
  throw std::logic_error("an objective that is not separable must override `reduce`");
}
template <class T>
std::span<const PhaseInfo<T>> Objective<T>::phases() const {
  static constexpr PhaseInfo<T> kModel[1] = {};
  return kModel;
}

template <class T>
Sampled<T> Distribution<T>::sample_with_log_prob(Index n, const Pass<T>& pass) const {
  Sampled<T> s = sample(n, pass);
  if (!s.log_prob) s.log_prob = log_prob(s.value, pass);
  return s;
}

void require_columns(const char* what, Index got, Index expected) {
  if (got != expected)
    throw ShapeError(std::string(what) + ": events of " + std::to_string(expected) +
                     " elements are expected, but got " + std::to_string(got));
}

#define PUSHFORWARD_INSTANTIATE(CLASS) \
  template class CLASS<float>;         \
  template class CLASS<double>;
PUSHFORWARD_INSTANTIATE(Component)
PUSHFORWARD_INSTANTIATE(Bijector)
PUSHFORWARD_INSTANTIATE(Transformer)
PUSHFORWARD_INSTANTIATE(Stepper)
PUSHFORWARD_INSTANTIATE(MaskedNetwork)
PUSHFORWARD_INSTANTIATE(Network)
PUSHFORWARD_INSTANTIATE(Target)
PUSHFORWARD_INSTANTIATE(Distribution)
PUSHFORWARD_INSTANTIATE(Objective)
PUSHFORWARD_INSTANTIATE(Evaluate)
PUSHFORWARD_INSTANTIATE(Optimizer)
PUSHFORWARD_INSTANTIATE(Schedule)
PUSHFORWARD_INSTANTIATE(Dataset)
PUSHFORWARD_INSTANTIATE(Preprocess)
PUSHFORWARD_INSTANTIATE(Tracker)
PUSHFORWARD_INSTANTIATE(Procedure)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
