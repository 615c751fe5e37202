// Tape: reverse (and forward) differentiation over whole blocks.
//
// A node is an N x K block, not a scalar. One tape serves one shard at a time on one thread; `reset()` keeps the
// memory, so a training step in steady state allocates nothing.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "pushforward/block.h"
#include "pushforward/error.h"

namespace pushforward {

template <class T>
class Tape;

/// Memory that is handed out in order and taken back all at once (or down to a mark). 64-byte aligned.
class PUSHFORWARD_EXPORT Arena {
 public:
  struct Mark {
    std::size_t chunk = 0, used = 0;
  };
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(std::size_t bytes) {
    bytes = (bytes + 63) & ~std::size_t{63};
    if (current_ < chunks_.size() && chunks_[current_].used + bytes <= chunks_[current_].size) {
      void* p = chunks_[current_].data + chunks_[current_].used;
      chunks_[current_].used += bytes;
      return p;
    }
    return allocate_slow(bytes);
  }
  Mark mark() const { return current_ < chunks_.size() ? Mark{current_, chunks_[current_].used} : Mark{}; }
  void rewind(Mark mark);
  /// Takes everything back; several chunks become one, so the next round finds contiguous memory.
  void reset();
  std::size_t capacity() const;

 private:
  struct Chunk {
    std::byte* data;
    std::size_t size, used;
  };
  void* allocate_slow(std::size_t bytes);
  std::vector<Chunk> chunks_;
  std::size_t current_ = 0;
};

/// What the tape knows of one block. Lives in the tape's arena; handled through `Var`.
template <class T>
struct Node {
  Block<T> value;
  Block<T> adjoint;         // valid while adjoint_epoch is the tape's, or always if `external`
  Node* root = nullptr;     // the node whose memory this one views; itself if it views none
  Index first_column = 0;   // within root
  Node* tangent = nullptr;  // valid while tangent_epoch is the tape's
  std::uint64_t adjoint_epoch = 0;
  std::uint64_t tangent_epoch = 0;
  std::size_t operation = 0;      // that made it; of a leaf or constant, how many there were before it
  Node* previous_leaf = nullptr;  // of a leaf: the one made before it
  bool made = false;              // by an operation
  bool active = false;            // of a root: a gradient may flow to it
  bool external = false;          // the adjoint is the caller's memory, added to and never cleared here
};

/// A light handle to a node: value now, adjoint during `backward`. Default-constructed: "none".
template <class T>
class Var {
 public:
  Var() = default;
  Var(Tape<T>* tape, Node<T>* node) : tape_(tape), node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  Index rows() const { return node_->value.rows; }
  Index columns() const { return node_->value.columns; }
  Block<const T> value() const { return node_->value; }
  /// To fill a node that `make` returned; never to change one that has been used.
  Block<T> data() const { return node_->value; }
  bool active() const { return node_->root->active; }
  Tape<T>& tape() const { return *tape_; }
  Node<T>* node() const { return node_; }

 private:
  Tape<T>* tape_ = nullptr;
  Node<T>* node_ = nullptr;
};

/// What a vector-Jacobian product sees of its operation.
template <class T>
class Vjp {
 public:
  Tape<T>& tape() const { return *tape_; }
  Var<T> input(int i) const { return {tape_, inputs_[i]}; }
  Var<T> output(int o) const { return {tape_, outputs_[o]}; }
  Block<const T> value(int i) const { return inputs_[i]->value; }
  Block<const T> result(int o) const { return outputs_[o]->value; }
  /// False if nothing downstream depends on this output: its cotangent is zero.
  bool has_adjoint(int o) const;
  /// Cotangent of an output; zeros if there is none.
  Block<const T> adjoint(int o) const;
  /// The same, for a vjp that may use the cotangent's memory as scratch (it is dropped afterwards).
  Block<T> adjoint_scratch(int o) const;
  /// True if input i wants a gradient; skip the work otherwise.
  bool wants(int i) const { return inputs_[i] && inputs_[i]->root->active; }
  /// Where to ADD the gradient of input i. Call only if `wants(i)`.
  Block<T> gradient(int i) const;
  /// Like gradient(i), but if nothing was added yet the memory is uninitialised and `fresh` is true: overwrite all of
  /// it (a product with beta = 0 saves a pass over memory), and before anything else may add to it: another input of
  /// the same memory, or an inner segment.
  Block<T> gradient(int i, bool& fresh) const;

 private:
  friend class Tape<T>;
  Tape<T>* tape_;
  Node<T>** inputs_;
  Node<T>** outputs_;
};

/// What a Jacobian-vector product sees: Vars, because it records its result with ordinary operations.
template <class T>
class Jvp {
 public:
  Tape<T>& tape() const { return *tape_; }
  Var<T> input(int i) const { return {tape_, inputs_[i]}; }
  Var<T> output(int o) const { return {tape_, outputs_[o]}; }
  bool has_tangent(int i) const;
  /// Tangent of input i, or none (zero).
  Var<T> tangent(int i) const;
  /// Sets the tangent of output o; outputs not set have tangent zero.
  void set(int o, Var<T> tangent) const;

 private:
  friend class Tape<T>;
  Tape<T>* tape_;
  Node<T>** inputs_;
  Node<T>** outputs_;
};

/// Says that a primitive has no forward-mode rule; `tangent` through it is an error that names it.
struct NoTangent {};
inline constexpr NoTangent no_tangent{};

template <class T>
class PUSHFORWARD_EXPORT Tape {
 public:
  struct Mark {
    Arena::Mark arena;
    std::size_t operations = 0;
    Node<T>* leaf = nullptr;  // the last one
  };
  /// Cotangent to start `backward` from. A null block means ones.
  struct Seed {
    Var<T> output;
    Block<const T> adjoint;
  };

  explicit Tape(bool recording = true) : recording_(recording) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // --- nodes -------------------------------------------------------------------------------------------------------
  /// A node with uninitialised value of its own. One row: compact; else padded to kPadding rows.
  Var<T> make(Index rows, Index columns);
  /// A constant that views the caller's memory, which must stay until `reset`.
  Var<T> constant(Block<const T> value);
  /// A 1 x 1 constant.
  Var<T> constant(T value);
  /// A constant of one repeated number.
  Var<T> full(Index rows, Index columns, T value);
  /// An active input that views the caller's memory; read its gradient with `adjoint`.
  Var<T> leaf(Block<const T> value);
  /// An active input whose gradient is ADDED to the caller's `adjoint`.
  Var<T> leaf(Block<const T> value, Block<T> adjoint);
  /// Columns `first` to `first + count` of x: the same memory, value and adjoint.
  Var<T> view(Var<T> x, Index first, Index count);
  /// Scratch in the arena, 64-byte aligned, uninitialised; lives until `reset` or `rewind`.
  template <class U>
  U* scratch(Index count) {
    static_assert(std::is_trivially_destructible_v<U>);
    return static_cast<U*>(arena_.allocate(sizeof(U) * static_cast<std::size_t>(count)));
  }
  /// An uninitialised block in the arena that is not a node.
  Block<T> block(Index rows, Index columns);

  // --- recording ---------------------------------------------------------------------------------------------------
  bool recording() const { return recording_; }
  void set_recording(bool on) { recording_ = on; }

  /// Joins a fused operation to the tape, after its outputs (from `make`) have been filled.
  ///
  /// `vjp(Vjp<T>&)` ADDS to the gradients of the inputs that want one; `jvp(Jvp<T>&)` records the outputs' tangents
  /// with ordinary operations, or is `no_tangent`. Both are copied into the arena and must be trivially copyable
  /// (capture pointers, numbers and Vars by value). Nothing is recorded if recording is off or no input is active.
  /// `name` must be a string literal.
  template <class V, class J>
  void primitive(const char* name, std::initializer_list<Var<T>> inputs, std::initializer_list<Var<T>> outputs, V vjp,
                 J jvp) {
    primitive(name, std::span<const Var<T>>(inputs.begin(), inputs.size()),
              std::span<const Var<T>>(outputs.begin(), outputs.size()), vjp, jvp);
  }
  template <class V, class J>
  void primitive(const char* name, std::span<const Var<T>> inputs, std::span<const Var<T>> outputs, V vjp, J jvp) {
    static_assert(std::is_trivially_copyable_v<V> && std::is_trivially_destructible_v<V>,
                  "a vjp lives in the arena: capture by value, and only trivially copyable things");
    if (!wants_record(inputs)) return;
    Operation* operation = record(name, inputs, outputs);
    operation->vjp_closure = keep(vjp);
    operation->vjp = [](const void* closure, Vjp<T>& v) { (*static_cast<const V*>(closure))(v); };
    if constexpr (!std::is_same_v<J, NoTangent>) {
      static_assert(std::is_trivially_copyable_v<J> && std::is_trivially_destructible_v<J>);
      operation->jvp_closure = keep(jvp);
      operation->jvp = [](const void* closure, Jvp<T>& j) { (*static_cast<const J*>(closure))(j); };
    }
  }

  // --- derivatives -------------------------------------------------------------------------------------------------
  /// Reverse mode from the seeds back to the first recorded operation. Adjoints of leaves with caller's memory are
  /// added to; those of other leaves can be read with `adjoint` until the next outermost `backward`.
  void backward(std::span<const Seed> seeds);
  void backward(Var<T> output, Block<const T> adjoint = {}) {
    Seed seed{output, adjoint};
    backward(std::span<const Seed>(&seed, 1));
  }
  /// Gradient of a leaf after `backward`; zeros if nothing reached it.
  Block<const T> adjoint(Var<T> leaf);

  /// Forward mode: records, with ordinary operations, the directional derivative of `outputs` along `directions` of
  /// `inputs` through everything recorded between them. `results[i]` is none where the derivative is identically
  /// zero. Throws `Error` naming a primitive without a rule, std::logic_error for an input that is not active: what
  /// was computed from it was not recorded (see `Probe`).
  void tangent(std::span<const Var<T>> outputs, std::span<const Var<T>> inputs, std::span<const Var<T>> directions,
               std::span<Var<T>> results);
  Var<T> tangent(Var<T> output, Var<T> input, Var<T> direction);

  /// While it lives nothing is recorded: for a value that is found by iteration or step by step, and whose derivative is
  /// then a primitive of its own.
  class Unrecorded {
   public:
    explicit Unrecorded(Tape& tape) : tape_(tape), recording_(tape.recording_) { tape_.recording_ = false; }
    ~Unrecorded() { tape_.recording_ = recording_; }
    Unrecorded(const Unrecorded&) = delete;
    Unrecorded& operator=(const Unrecorded&) = delete;

   private:
    Tape& tape_;
    bool recording_;
  };

  /// Forward mode in every evaluation: a trace, a score or another derivative that is part of a value.
  ///
  /// `tangent` follows what was recorded; but evaluation records nothing, and what depends on data alone is never
  /// recorded. While a Probe lives, everything is recorded, and `probe(x)` is x as an input that operations follow:
  ///
  ///     const typename Tape<T>::Probe probe(pass.tape);
  ///     const Var<T> x = probe(data), y = f(x), slope = pass.tape.tangent(y, x, direction);
  class Probe {
   public:
    explicit Probe(Tape& tape) : tape_(tape), recording_(tape.recording_) { tape_.recording_ = true; }
    ~Probe() { tape_.recording_ = recording_; }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    Var<T> operator()(Var<T> x) const { return recording_ && x.active() ? x : tape_.leaf(x.value()); }

   private:
    Tape& tape_;
    bool recording_;
  };

  /// Records and reverses a sub-graph on the same memory: inside a vjp (the adjoint of an ODE, an implicit gradient,
  /// recomputation instead of storage) or anywhere else. On destruction everything recorded inside is dropped.
  /// Parameters read through the pass, and active Vars from outside, receive their gradients as usual. Adjoints of
  /// leaves made inside go with them; inside a vjp they add up over several calls of `backward`.
  class Inner {
   public:
    explicit Inner(Tape& tape) : tape_(tape), mark_(tape.mark()), recording_(tape.recording_) {
      tape_.recording_ = true;
    }
    ~Inner() {
      tape_.rewind(mark_);
      tape_.recording_ = recording_;
    }
    Inner(const Inner&) = delete;
    Inner& operator=(const Inner&) = delete;
    /// Reverses what was recorded inside, and only that.
    void backward(std::span<const Seed> seeds) { tape_.backward_from(seeds, mark_.operations); }
    void backward(Var<T> output, Block<const T> adjoint = {}) {
      Seed seed{output, adjoint};
      backward(std::span<const Seed>(&seed, 1));
    }

   private:
    Tape& tape_;
    Mark mark_;
    bool recording_;
  };
  Inner inner() { return Inner(*this); }

  // --- memory ------------------------------------------------------------------------------------------------------
  Mark mark() const { return {arena_.mark(), operations_.size(), last_leaf_}; }
  /// Drops every node and operation made since the mark.
  void rewind(Mark mark) {
    // The memory of their adjoints serves again in the same `backward`: a solver that differentiates a thousand steps
    // needs that of one.
    for (; last_leaf_ != mark.leaf; last_leaf_ = last_leaf_->previous_leaf) recycle(*last_leaf_);
    operations_.resize(mark.operations);
    arena_.rewind(mark.arena);
  }
  /// Drops everything and keeps the memory.
  void reset();
  std::size_t operations() const { return operations_.size(); }
  std::size_t capacity() const { return arena_.capacity() + adjoints_.capacity(); }

 private:
  friend class Vjp<T>;
  friend class Jvp<T>;
  struct Operation {
    const char* name;
    void (*vjp)(const void*, Vjp<T>&);
    void (*jvp)(const void*, Jvp<T>&);
    const void* vjp_closure;
    const void* jvp_closure;
    Node<T>** inputs;             // then the outputs
    std::uint64_t tangent_epoch;  // of the last call of `tangent` whose outputs depend on this operation
    int input_count, output_count;
    Node<T>** outputs() const { return inputs + input_count; }
  };
  /// A tangent that a call of `tangent` inside a jvp replaced; its caller needs it again.
  struct Replaced {
    Node<T>* node;
    Node<T>* tangent;
    std::uint64_t tangent_epoch;
    Replaced* next;
  };
  /// Sizes of adjoints that are handed out: four between a power of two and the next.
  static constexpr std::size_t kSizeClasses = 160;

  /// A closure in the arena; one that captured nothing needs no memory.
  template <class F>
  const void* keep(const F& closure) {
    static_assert(alignof(F) <= 64);
    if constexpr (std::is_empty_v<F> && std::is_default_constructible_v<F>) {
      static constexpr F kShared{};
      return &kShared;
    } else {
      return new (arena_.allocate(sizeof(F))) F(closure);
    }
  }
  Node<T>* new_node() {
    auto* node = new (arena_.allocate(sizeof(Node<T>))) Node<T>{};
    node->operation = operations_.size();
    return node;
  }
  bool wants_record(std::span<const Var<T>> inputs) const {
    if (!recording_) return false;
    for (const Var<T>& v : inputs)
      if (v && v.active()) return true;
    return false;
  }
  Operation* record(const char* name, std::span<const Var<T>> inputs, std::span<const Var<T>> outputs);
  void backward_from(std::span<const Seed> seeds, std::size_t first_operation);
  bool has_adjoint(const Node<T>& node) const;
  /// The adjoint to add to; if `fresh` is given and nothing was added yet, it is uninitialised and *fresh is set.
  Block<T> adjoint_to_add(Node<T>& node, bool* fresh);
  void recycle(Node<T>& node);
  Var<T> tangent_of(Node<T>& node);
  void set_tangent(Node<T>& root, Node<T>* tangent);
  void set_direction(Var<T> input, Var<T> direction);
  void mark_needed(const Node<T>& node);

  Arena arena_;
  Arena adjoints_;
  std::vector<Operation*> operations_;
  Node<T>* last_leaf_ = nullptr;
  void* free_[kSizeClasses] = {};  // lists of adjoints' memory that nobody uses; each block holds the next's address
  std::uint64_t adjoint_epoch_ = 1;
  std::uint64_t tangent_epoch_ = 0;
  std::uint64_t tangents_ = 0;  // calls of `tangent`
  int tangent_depth_ = 0;       // of them that are under way
  Replaced* replaced_ = nullptr;
  int depth_ = 0;
  bool recording_;
};

template <class T>
bool Vjp<T>::has_adjoint(int o) const {
  return tape_->has_adjoint(*outputs_[o]);
}
template <class T>
Block<const T> Vjp<T>::adjoint(int o) const {
  return tape_->adjoint_to_add(*outputs_[o], nullptr);
}
template <class T>
Block<T> Vjp<T>::adjoint_scratch(int o) const {
  return tape_->adjoint_to_add(*outputs_[o], nullptr);
}
template <class T>
Block<T> Vjp<T>::gradient(int i) const {
  return tape_->adjoint_to_add(*inputs_[i], nullptr);
}
template <class T>
Block<T> Vjp<T>::gradient(int i, bool& fresh) const {
  fresh = false;
  return tape_->adjoint_to_add(*inputs_[i], &fresh);
}
template <class T>
bool Jvp<T>::has_tangent(int i) const {
  return inputs_[i] && inputs_[i]->root->tangent_epoch == tape_->tangent_epoch_ && inputs_[i]->root->tangent;
}
template <class T>
Var<T> Jvp<T>::tangent(int i) const {
  return inputs_[i] ? tape_->tangent_of(*inputs_[i]) : Var<T>();
}
template <class T>
void Jvp<T>::set(int o, Var<T> tangent) const {
  tape_->set_tangent(*outputs_[o], tangent.node());
}

extern template class Tape<float>;
extern template class Tape<double>;

}  // namespace pushforward
