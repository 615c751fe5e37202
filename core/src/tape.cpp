#include "pushforward/tape.h"

#include <algorithm>
#include <bit>
#include <new>

#include "operation_loops.h"

namespace pushforward {

namespace {
constexpr std::size_t kFirstChunk = std::size_t{1} << 16;
constexpr std::align_val_t kAlignment{64};
std::byte* allocate_chunk(std::size_t bytes) { return static_cast<std::byte*>(::operator new(bytes, kAlignment)); }
}  // namespace

Arena::~Arena() {
  for (Chunk& c : chunks_) ::operator delete(c.data, kAlignment);
}

void* Arena::allocate_slow(std::size_t bytes) {
  // Chunks after the current one are always empty.
  while (current_ + 1 < chunks_.size()) {
    Chunk& c = chunks_[++current_];
    if (bytes <= c.size) {
      c.used = bytes;
      return c.data;
    }
  }
  const std::size_t grown = chunks_.empty() ? kFirstChunk : 2 * chunks_.back().size;
  const std::size_t size = std::max(grown, bytes);
  chunks_.push_back({allocate_chunk(size), size, bytes});
  current_ = chunks_.size() - 1;
  return chunks_.back().data;
}

void Arena::rewind(Mark mark) {
  if (chunks_.empty()) return;
  for (std::size_t i = mark.chunk + 1; i <= current_; ++i) chunks_[i].used = 0;
  chunks_[mark.chunk].used = mark.used;
  current_ = mark.chunk;
}

void Arena::reset() {
  if (chunks_.size() > 1) {
    const std::size_t total = capacity();
    for (Chunk& c : chunks_) ::operator delete(c.data, kAlignment);
    chunks_.clear();
    chunks_.push_back({allocate_chunk(total), total, 0});
  }
  if (!chunks_.empty()) chunks_[0].used = 0;
  current_ = 0;
}

std::size_t Arena::capacity() const {
  std::size_t total = 0;
  for (const Chunk& c : chunks_) total += c.size;
  return total;
}

namespace {
template <class T>
Node<T>* as_root(Node<T>* node) {
  node->root = node;
  return node;
}
Index own_stride(Index rows) { return rows == 1 ? 1 : round_up(rows, kPadding); }

/// Adjoints' memory comes in sizes of four steps between a power of two and the next, so that it can serve again.
struct SizeClass {
  std::size_t number, bytes;
};
template <class T>
SizeClass size_class(const Block<T>& block) {
  const auto count = static_cast<std::size_t>(block.stride * block.columns);
  const std::size_t units = std::max<std::size_t>((count * sizeof(T) + 63) / 64, 4);
  const auto power = static_cast<std::size_t>(std::bit_width(units)) - 3;  // units are 4..7 times 2^power
  const std::size_t steps = ((units - 1) >> power) + 1;                    // 4..8
  return {4 * power + steps - 4, (steps << power) * 64};
}
}  // namespace

template <class T>
Block<T> Tape<T>::block(Index rows, Index columns) {
  const Index stride = own_stride(rows);
  return {scratch<T>(stride * columns), rows, columns, stride};
}

template <class T>
Var<T> Tape<T>::make(Index rows, Index columns) {
  Node<T>* node = as_root(new_node());
  node->value = block(rows, columns);
  return {this, node};
}

template <class T>
Var<T> Tape<T>::constant(Block<const T> value) {
  Node<T>* node = as_root(new_node());
  // Node holds one type of block; nothing writes through a constant's.
  node->value = {const_cast<T*>(value.data), value.rows, value.columns, value.stride};
  return {this, node};
}

template <class T>
Var<T> Tape<T>::constant(T value) {
  Var<T> v = make(1, 1);
  *v.data().data = value;
  return v;
}

template <class T>
Var<T> Tape<T>::full(Index rows, Index columns, T value) {
  Var<T> v = make(rows, columns);
  const Block<T> b = v.data();
  std::fill_n(b.data, b.stride * b.columns, value);
  return v;
}

template <class T>
Var<T> Tape<T>::leaf(Block<const T> value) {
  Var<T> v = constant(value);
  v.node()->active = true;
  v.node()->previous_leaf = last_leaf_;
  last_leaf_ = v.node();
  return v;
}

template <class T>
Var<T> Tape<T>::leaf(Block<const T> value, Block<T> adjoint) {
  Var<T> v = leaf(value);
  v.node()->adjoint = adjoint;
  v.node()->external = true;
  return v;
}

template <class T>
Var<T> Tape<T>::view(Var<T> x, Index first, Index count) {
  if (first < 0 || count < 0 || first + count > x.columns())
    throw ShapeError("view: columns " + std::to_string(first) + " to " + std::to_string(first + count) +
                     " of a block of " + std::to_string(x.columns()) + " columns");
  if (first == 0 && count == x.columns()) return x;
  Node<T>* node = new_node();
  node->value = x.node()->value.middle_columns(first, count);
  node->root = x.node()->root;
  node->first_column = x.node()->first_column + first;
  return {this, node};
}

template <class T>
typename Tape<T>::Operation* Tape<T>::record(const char* name, std::span<const Var<T>> inputs,
                                             std::span<const Var<T>> outputs) {
  auto* operation = new (arena_.allocate(sizeof(Operation))) Operation{};
  operation->name = name;
  operation->input_count = static_cast<int>(inputs.size());
  operation->output_count = static_cast<int>(outputs.size());
  Node<T>** nodes = scratch<Node<T>*>(static_cast<Index>(inputs.size() + outputs.size()));
  operation->inputs = nodes;
  for (std::size_t i = 0; i < inputs.size(); ++i) operation->inputs[i] = inputs[i].node();
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    Node<T>* node = outputs[o].node();
    if (node->root != node || node->active)
      throw std::logic_error(std::string("primitive ") + name +
                             ": an output must come fresh from `make`, and belong to one operation");
    node->active = node->made = true;
    node->operation = operations_.size();
    operation->outputs()[o] = node;
  }
  operations_.push_back(operation);
  return operation;
}

template <class T>
bool Tape<T>::has_adjoint(const Node<T>& node) const {
  return node.root->external || node.root->adjoint_epoch == adjoint_epoch_;
}

template <class T>
Block<T> Tape<T>::adjoint_to_add(Node<T>& node, bool* fresh) {
  Node<T>& root = *node.root;
  if (!has_adjoint(root)) {
    const Block<T>& value = root.value;
    // The value's own layout where it is the tape's or compact; a slice of something larger gets a compact copy's.
    const Index stride = value.stride == value.rows ? value.stride : own_stride(value.rows);
    root.adjoint = {nullptr, value.rows, value.columns, stride};
    const SizeClass size = size_class(root.adjoint);
    void*& head = free_[size.number];
    void* memory = head;
    if (memory)
      std::memcpy(&head, memory, sizeof(void*));
    else
      memory = adjoints_.allocate(size.bytes);
    root.adjoint.data = static_cast<T*>(memory);
    root.adjoint_epoch = adjoint_epoch_;
    if (fresh && &root == &node)
      *fresh = true;
    else
      std::memset(memory, 0, static_cast<std::size_t>(stride * value.columns) * sizeof(T));
  }
  if (&root == &node) return root.adjoint;
  return root.adjoint.middle_columns(node.first_column, node.value.columns);
}

template <class T>
void Tape<T>::recycle(Node<T>& node) {
  if (node.external || node.adjoint_epoch != adjoint_epoch_) return;
  node.adjoint_epoch = 0;
  void*& head = free_[size_class(node.adjoint).number];
  std::memcpy(node.adjoint.data, &head, sizeof(void*));
  head = node.adjoint.data;
}

template <class T>
Block<const T> Tape<T>::adjoint(Var<T> leaf) {
  return adjoint_to_add(*leaf.node(), nullptr);
}

template <class T>
void Tape<T>::backward(std::span<const Seed> seeds) {
  backward_from(seeds, 0);
}

template <class T>
void Tape<T>::backward_from(std::span<const Seed> seeds, std::size_t first_operation) {
  struct Scope {
    Tape& tape;
    bool recording;
    explicit Scope(Tape& t) : tape(t), recording(t.recording_) {
      if (tape.depth_++ == 0) {
        ++tape.adjoint_epoch_;
        tape.adjoints_.reset();
        std::fill(std::begin(tape.free_), std::end(tape.free_), nullptr);
      }
      tape.recording_ = false;
    }
    ~Scope() {
      --tape.depth_;
      tape.recording_ = recording;
    }
  } scope(*this);

  for (const Seed& seed : seeds) {
    if (!seed.output || !seed.output.active()) continue;
    if (seed.adjoint.data && (seed.adjoint.rows != seed.output.rows() || seed.adjoint.columns != seed.output.columns()))
      throw ShapeError("backward: a seed of " + std::to_string(seed.adjoint.rows) + " x " +
                       std::to_string(seed.adjoint.columns) + " for an output of " +
                       std::to_string(seed.output.rows()) + " x " + std::to_string(seed.output.columns()));
    bool fresh = false;
    const Block<T> target = adjoint_to_add(*seed.output.node(), &fresh);
    if (seed.adjoint.data)
      detail::copy(target, !fresh, seed.adjoint);
    else
      detail::map(target, !fresh, [] { return simd::Batch<T>(T(1)); });
  }

  for (std::size_t i = operations_.size(); i-- > first_operation;) {
    Operation& operation = *operations_[i];
    bool reached = false;
    for (int o = 0; o < operation.output_count && !reached; ++o) reached = has_adjoint(*operation.outputs()[o]);
    if (!reached) continue;
    const Mark mark = this->mark();
    Vjp<T> v;
    v.tape_ = this;
    v.inputs_ = operation.inputs;
    v.outputs_ = operation.outputs();
    operation.vjp(operation.vjp_closure, v);
    rewind(mark);
    for (int o = 0; o < operation.output_count; ++o) recycle(*operation.outputs()[o]);
  }
}

template <class T>
Var<T> Tape<T>::tangent_of(Node<T>& node) {
  Node<T>& root = *node.root;
  if (root.tangent_epoch != tangent_epoch_ || !root.tangent) return {};
  const Var<T> whole(this, root.tangent);
  return &root == &node ? whole : view(whole, node.first_column, node.value.columns);
}

template <class T>
void Tape<T>::set_tangent(Node<T>& root, Node<T>* tangent) {
  if (tangent_depth_ > 1 && root.tangent_epoch != tangent_epoch_)
    replaced_ = new (arena_.allocate(sizeof(Replaced))) Replaced{&root, root.tangent, root.tangent_epoch, replaced_};
  root.tangent = tangent;
  root.tangent_epoch = tangent_epoch_;
}

template <class T>
void Tape<T>::set_direction(Var<T> input, Var<T> direction) {
  if (!input.active())
    throw std::logic_error("tangent: an input is not active, so what was computed from it was not recorded; see Probe");
  if (direction.rows() != input.rows() || direction.columns() != input.columns())
    throw ShapeError("tangent: a direction of " + std::to_string(direction.rows()) + " x " +
                     std::to_string(direction.columns()) + " for an input of " + std::to_string(input.rows()) + " x " +
                     std::to_string(input.columns()));
  Node<T>* node = input.node();
  Node<T>* root = node->root;
  if (root != node) {  // a view: the other columns of its root do not move
    const Index after = root->value.columns - node->first_column - node->value.columns;
    const Var<T> parts[] = {full(direction.rows(), node->first_column, T(0)), direction,
                            full(direction.rows(), after, T(0))};
    direction = concatenate(std::span<const Var<T>>(parts));
  }
  if (root->tangent_epoch == tangent_epoch_ && root->tangent) direction = add(Var<T>(this, root->tangent), direction);
  set_tangent(*root, direction.node());
}

template <class T>
void Tape<T>::mark_needed(const Node<T>& node) {
  if (node.root->made) operations_[node.root->operation]->tangent_epoch = tangent_epoch_;
}

template <class T>
void Tape<T>::tangent(std::span<const Var<T>> outputs, std::span<const Var<T>> inputs,
                      std::span<const Var<T>> directions, std::span<Var<T>> results) {
  // A jvp may ask for tangents of what it records, along its inputs: epoch and tangents are its caller's afterwards.
  struct Scope {
    Tape& tape;
    std::uint64_t epoch;
    Replaced* replaced;
    explicit Scope(Tape& t) : tape(t), epoch(t.tangent_epoch_), replaced(t.replaced_) {
      tape.tangent_epoch_ = ++tape.tangents_;
      tape.replaced_ = nullptr;
      ++tape.tangent_depth_;
    }
    ~Scope() {
      for (const Replaced* r = tape.replaced_; r; r = r->next) {
        r->node->tangent = r->tangent;
        r->node->tangent_epoch = r->tangent_epoch;
      }
      --tape.tangent_depth_;
      tape.replaced_ = replaced;
      tape.tangent_epoch_ = epoch;
    }
  } scope(*this);

  std::size_t first = operations_.size();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!directions[i]) continue;
    first = std::min(first, inputs[i].node()->root->operation);
    set_direction(inputs[i], directions[i]);
  }
  // Only what the outputs depend on, back to the first input, can matter.
  std::size_t end = first;
  for (const Var<T>& output : outputs) {
    mark_needed(*output.node());
    end = std::max(end, std::min(output.node()->root->operation + 1, operations_.size()));
  }
  for (std::size_t i = end; i-- > first;) {
    const Operation& operation = *operations_[i];
    if (operation.tangent_epoch != tangent_epoch_) continue;
    for (int k = 0; k < operation.input_count; ++k)
      if (operation.inputs[k]) mark_needed(*operation.inputs[k]);
  }

  for (std::size_t i = first; i < end; ++i) {
    const Operation& operation = *operations_[i];
    if (operation.tangent_epoch != tangent_epoch_) continue;
    bool reached = false;
    for (int k = 0; k < operation.input_count && !reached; ++k) {
      const Node<T>* input = operation.inputs[k];
      reached = input && input->root->tangent_epoch == tangent_epoch_ && input->root->tangent;
    }
    if (!reached) continue;
    if (!operation.jvp)
      throw Error(std::string("tangent: the operation ") + operation.name + " has no forward-mode rule");
    Jvp<T> j;
    j.tape_ = this;
    j.inputs_ = operation.inputs;
    j.outputs_ = operation.outputs();
    operation.jvp(operation.jvp_closure, j);
  }
  for (std::size_t o = 0; o < outputs.size(); ++o) results[o] = tangent_of(*outputs[o].node());
}

template <class T>
Var<T> Tape<T>::tangent(Var<T> output, Var<T> input, Var<T> direction) {
  Var<T> result;
  tangent(std::span<const Var<T>>(&output, 1), std::span<const Var<T>>(&input, 1),
          std::span<const Var<T>>(&direction, 1), std::span<Var<T>>(&result, 1));
  return result;
}

template <class T>
void Tape<T>::reset() {
  operations_.clear();
  last_leaf_ = nullptr;
  arena_.reset();
}

template class Tape<float>;
template class Tape<double>;

}  // namespace pushforward
