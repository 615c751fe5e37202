// Pass: one evaluation of one shard. StepPass: what happens once a step, outside the shards.
#pragma once

#include "pushforward/random.h"
#include "pushforward/tape.h"
#include "pushforward/values.h"

namespace pushforward {

enum class Mode : std::uint8_t {
  train,       ///< dropout drops, batch statistics are taken and reported
  evaluate,    ///< running statistics, no dropout
  initialise,  ///< the first batch as one shard, unrecorded, serial; may write parameters and state
};

template <class T>
class PUSHFORWARD_EXPORT Component;

/// Where a pass leaves what is not a Var. Null members: not wanted in this evaluation.
template <class T>
struct Sinks {
  T* gradient = nullptr;                   // parameters, then derived values; added to
  const std::uint8_t* frozen = nullptr;    // one byte for each kPadding elements of that vector; 1: no gradient
  double* statistics = nullptr;            // added to
  T* writable_parameters = nullptr;        // in Mode::initialise only
  T* writable_real_state = nullptr;        // the same
  std::int64_t* writable_integer_state = nullptr;
  const Component<T>** first_not_finite = nullptr;  // set when a run is searched for the origin of a NaN
};

/// One evaluation of one shard: tape, values, context, mode, randomness. Handed down unchanged by every component
/// (or as a copy that differs on purpose: `with_context`, `with_salt`). Trivially copyable; a closure on the tape may
/// keep a pointer to it, because passes live in the arena or outlive the shard.
template <class T>
class PUSHFORWARD_EXPORT Pass {
 public:
  Tape<T>& tape;
  Values<T> values;
  Var<T> context;  // N x C, or none
  Mode mode = Mode::evaluate;
  Stream stream;
  Index first_row = 0;       // of this shard in its batch
  Index parameter_size = 0;  // where derived values start in the gradient
  Sinks<T> sinks;

  bool training() const { return mode == Mode::train; }

  /// A parameter (or derived value) as a Var: an active leaf whose gradient goes to this lane's vector, or a constant
  /// where it is frozen or no gradient is wanted.
  Var<T> operator()(const Parameter& p) const {
    const T* source = (p.derived ? values.derived : values.parameters) + p.offset;
    const Block<const T> block = compact(source, p.rows, p.columns);
    const Index place = p.derived ? parameter_size + p.offset : p.offset;
    if (!sinks.gradient || (sinks.frozen && sinks.frozen[place / kPadding])) return tape.constant(block);
    return tape.leaf(block, compact(sinks.gradient + place, p.rows, p.columns));
  }
  /// An input for primitives whose vjp reads parameters itself (inside `Tape::Inner`): active where this pass wants
  /// gradients, so that the primitive is recorded even if its other inputs are constants, as base samples are. Holds 0.
  Var<T> anchor() const {
    const Var<T> zero = tape.constant(T(0));
    return sinks.gradient ? tape.leaf(zero.value()) : zero;
  }
  /// Real-valued state, 1 x size, constant.
  Var<T> operator()(const State& s) const { return tape.constant(compact(values.real_state + s.offset, 1, s.size)); }
  std::span<const std::int64_t> integers(const State& s) const {
    return {values.integer_state + s.offset, static_cast<std::size_t>(s.size)};
  }

  /// Adds the rows of an N x K block to a statistic, in double, per lane; `update` reads the sum. No gradient flows.
  void report(const Statistic& s, Var<T> rows) const;

  /// Keyed draws for this shard's rows. The same pass run twice draws the same numbers.
  Draws draws(ComponentId component, Index draw = 0) const {
    return Draws(stream, ComponentId{component.value + stream.salt}, draw, first_row);
  }
  /// Draws that all rows of the batch share (noise of a Hutchinson trace, a random rotation): use one row of them.
  Draws shared_draws(ComponentId component, Index draw = 0) const {
    return Draws(stream, ComponentId{component.value + stream.salt}, draw, 0xffffffffLL);
  }
  /// Standard normal, N x columns, constant.
  Var<T> normal(ComponentId component, Index rows, Index columns, Index draw = 0) const {
    Var<T> v = tape.make(rows, columns);
    draws(component, draw).normal(v.data());
    return v;
  }
  Var<T> uniform(ComponentId component, Index rows, Index columns, Index draw = 0) const {
    Var<T> v = tape.make(rows, columns);
    draws(component, draw).uniform(v.data());
    return v;
  }

  /// Only in Mode::initialise: where to write a parameter or a state.
  Block<T> writable(const Parameter& p) const { return compact(sinks.writable_parameters + p.offset, p.rows, p.columns); }
  std::span<T> writable(const State& s) const {
    return {sinks.writable_real_state + s.offset, static_cast<std::size_t>(s.size)};
  }
  std::span<std::int64_t> writable_integers(const State& s) const {
    return {sinks.writable_integer_state + s.offset, static_cast<std::size_t>(s.size)};
  }

  /// A pass in the arena that differs in one thing.
  const Pass& with_context(Var<T> other) const {
    Pass* p = copy();
    p->context = other;
    return *p;
  }
  const Pass& with_salt(std::uint32_t salt) const {
    Pass* p = copy();
    p->stream.salt += salt;
    return *p;
  }
  const Pass& with_mode(Mode other) const {
    Pass* p = copy();
    p->mode = other;
    return *p;
  }
  /// The same without gradients for parameters.
  const Pass& without_gradient() const {
    Pass* p = copy();
    p->sinks.gradient = nullptr;
    return *p;
  }

  /// Used by containers after each part: while a NaN is being traced, remembers the first part whose output held one.
  void check_finite(const Component<T>& component, Var<T> output) const {
    if (sinks.first_not_finite && !*sinks.first_not_finite && !is_finite(output)) *sinks.first_not_finite = &component;
  }

 private:
  static bool is_finite(Var<T> v);
  Pass* copy() const { return new (tape.template scratch<Pass>(1)) Pass(*this); }
};

/// x and, beside it, the pass's context, of which `columns` columns are expected: what the first layer of a conditional
/// network sees, or the context of something that depends on x too. x may be none, or have no columns. With `columns`
/// 0 it is x, whatever the pass carries. Throws ShapeError with both numbers, named `what`, if the context has others.
template <class T>
PUSHFORWARD_EXPORT Var<T> beside_context(const char* what, Var<T> x, Index columns, const Pass<T>& pass);

/// What a component sees once per step: serial, on its own tape.
template <class T>
class PUSHFORWARD_EXPORT StepPass {
 public:
  Tape<T>& tape;
  Pass<T>& pass;  // reads parameters and state as a shard does; no context, no rows

  /// In `prepare`: the derived value is what `var` holds; the shards see it as a leaf, and its gradient flows back
  /// through `var` once after all shards.
  void set(const Parameter& derived, Var<T> var);

  /// In `update`: the sum of a statistic over the batch, and the rows of that batch.
  std::span<const double> statistic(const Statistic& s) const {
    return {statistics + s.offset, static_cast<std::size_t>(s.columns)};
  }
  Index rows = 0;
  /// In `update`: state to write.
  std::span<T> state(const State& s) const {
    return {real_state + s.offset, static_cast<std::size_t>(s.size)};
  }
  std::span<std::int64_t> integers(const State& s) const {
    return {integer_state + s.offset, static_cast<std::size_t>(s.size)};
  }

  struct Derived {
    Parameter handle;
    Var<T> var;
  };
  std::vector<Derived>* derived = nullptr;
  T* derived_values = nullptr;
  const double* statistics = nullptr;
  T* real_state = nullptr;
  std::int64_t* integer_state = nullptr;
};

extern template class Pass<float>;
extern template class Pass<double>;
extern template class StepPass<float>;
extern template class StepPass<double>;

}  // namespace pushforward
