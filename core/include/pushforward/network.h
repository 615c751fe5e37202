// Network: a neural function of the kept features and of the context.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pushforward/component.h"

namespace pushforward {

/// What a parent wants of a network that it builds.
struct NetworkShape {
  Index inputs = 0;
  Index outputs = 0;
  Index context = 0;  // columns of the context that the pass will carry; the network takes them in itself
  /// Bias of the last layer at the start, empty for the network's own choice; with it the last layer's weights start
  /// at zero, so the network starts as this constant (a flow starts as the identity).
  std::vector<double> output_start;
  /// For masked networks: output o may depend on input i iff input_degrees[i] < output_degrees[o]. Empty: dense.
  std::vector<Index> input_degrees, output_degrees;
};

/// Evaluates a masked network degree by degree, each hidden unit once, and its adjoint in the same way: what makes
/// sampling an autoregressive map, and the gradient of that, cost one pass through the network.
template <class T>
class PUSHFORWARD_EXPORT Stepper {
 public:
  virtual ~Stepper();
  /// Outputs whose degree is `degree`, in their order, N x count. `x_columns` are the input columns of degree
  /// `degree - 1` (none for the lowest degree). Call once for each degree, in increasing order. The result stays
  /// valid until the next call. Unrecorded.
  virtual Block<const T> advance(Index degree, Block<const T> x_columns) = 0;
  /// The way back, once every degree was advanced: from the cotangents of the outputs of `degree`, N x count, those of
  /// the input columns of degree `degree - 1` (no columns for the lowest), as all outputs of this degree and of those
  /// above make them. Call once for each degree, in decreasing order. The result stays valid until the next call.
  /// Parameters and context receive nothing.
  virtual Block<const T> retreat(Index degree, Block<const T> outputs_bar) = 0;
};

/// Destroys an object that lives in a tape's memory, and frees nothing.
struct InArena {
  template <class S>
  void operator()(S* object) const {
    object->~S();
  }
};
template <class T>
using StepperPointer = std::unique_ptr<Stepper<T>, InArena>;

/// Makes an object in the tape's memory, so that a training step allocates nothing. It must go before the memory does.
template <class S, class T, class... A>
std::unique_ptr<S, InArena> make_in_arena(Tape<T>& tape, A&&... arguments) {
  static_assert(alignof(S) <= 64);
  return std::unique_ptr<S, InArena>(new (tape.template scratch<std::byte>(sizeof(S)))
                                         S(std::forward<A>(arguments)...));
}

template <class T>
class PUSHFORWARD_EXPORT MaskedNetwork {
 public:
  virtual ~MaskedNetwork();
  /// A stepper for `rows` rows with the pass's context, made by `make_in_arena`; it keeps references to the pass and to
  /// its tape's memory.
  virtual StepperPointer<T> start(Index rows, const Pass<T>& pass) const = 0;
};

template <class T>
class PUSHFORWARD_EXPORT Network : public Component<T> {
 public:
  ~Network() override;
  /// N x inputs to N x outputs; the context (N x context) comes in the pass. With `inputs == 0`, x may be none and
  /// the rows are the context's.
  virtual Var<T> operator()(Var<T> x, const Pass<T>& pass) const = 0;
  /// The masked interface, if this network honours degrees.
  virtual const MaskedNetwork<T>* masked() const { return nullptr; }
  virtual Traits traits() const { return {}; }
};

extern template class Stepper<float>;
extern template class Stepper<double>;
extern template class MaskedNetwork<float>;
extern template class MaskedNetwork<double>;
extern template class Network<float>;
extern template class Network<double>;

}  // namespace pushforward
