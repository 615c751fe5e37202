// dense: activation(x * w + bias) as one node, the hot operation of every network; masked_dense, where w has blocks of
// zeros.
#include <algorithm>
#include <stdexcept>

#include "operation_loops.h"
#include "pushforward/masked_dense.h"

namespace pushforward {

namespace {

using detail::extents;
using detail::Spread;
using detail::Whole;

template <class T>
using B = simd::Batch<T>;

// Each activation has its value, and its derivative as a factor. All but silu's is a function of the result y, so that
// nothing else need be kept; silu keeps its derivative.

template <class T>
struct Identity {
  static B<T> value(const B<T>& z) { return z; }
  static B<T> scaled(const B<T>& g, const B<T>&) { return g; }
};
template <class T>
struct Relu {
  static B<T> value(const B<T>& z) { return simd::max(B<T>(T(0)), z); }
  static B<T> scaled(const B<T>& g, const B<T>& y) { return simd::select(y <= B<T>(T(0)), B<T>(T(0)), g); }
};
template <class T>
struct Tanh {
  static B<T> value(const B<T>& z) { return simd::tanh(z); }
  static B<T> scaled(const B<T>& g, const B<T>& y) { return g * (B<T>(T(1)) - y * y); }
};
template <class T>
struct Sigmoid {
  static B<T> value(const B<T>& z) { return simd::sigmoid(z); }
  static B<T> scaled(const B<T>& g, const B<T>& y) { return g * (y * (B<T>(T(1)) - y)); }
};
template <class T>
struct Softplus {
  static B<T> value(const B<T>& z) { return simd::softplus(z); }
  /// sigmoid(z) = 1 - exp(-softplus(z))
  static B<T> scaled(const B<T>& g, const B<T>& y) { return -(g * simd::expm1(-y)); }
};
template <class T>
struct Elu {
  static B<T> value(const B<T>& z) { return simd::select(z > B<T>(T(0)), z, simd::expm1(z)); }
  static B<T> scaled(const B<T>& g, const B<T>& y) { return g * (simd::min(B<T>(T(0)), y) + B<T>(T(1))); }
};
template <class T>
struct LeakyRelu {
  static B<T> factor(const B<T>& y) {
    return simd::select(y <= B<T>(T(0)), B<T>(static_cast<T>(kLeakyReluSlope)), B<T>(T(1)));
  }
  static B<T> value(const B<T>& z) { return z * factor(z); }
  static B<T> scaled(const B<T>& g, const B<T>& y) { return g * factor(y); }
};
/// Here `y` of `scaled` is the derivative that was kept.
template <class T>
struct Silu {
  static B<T> value(const B<T>& z) { return z * simd::sigmoid(z); }
  static B<T> derivative(const B<T>& z) {
    const B<T> s = simd::sigmoid(z);
    return s * (B<T>(T(1)) + z * (B<T>(T(1)) - s));
  }
  static B<T> scaled(const B<T>& g, const B<T>& kept) { return g * kept; }
};

template <class T, class Use>
void with_activation(Activation activation, Use&& use) {
  switch (activation) {
    case Activation::none:
      return use(Identity<T>());
    case Activation::relu:
      return use(Relu<T>());
    case Activation::tanh:
      return use(Tanh<T>());
    case Activation::sigmoid:
      return use(Sigmoid<T>());
    case Activation::silu:
      return use(Silu<T>());
    case Activation::softplus:
      return use(Softplus<T>());
    case Activation::elu:
      return use(Elu<T>());
    case Activation::leaky_relu:
      return use(LeakyRelu<T>());
  }
}

/// y = activation(y + bias). `kept`, if it is there, receives what the gradient needs besides y.
template <class T>
void activate(Activation activation, Block<T> y, Block<const T> bias, Block<T> kept) {
  if (kept.data && bias.data)
    detail::map(
        kept, false, [](const B<T>& z, const B<T>& b) { return Silu<T>::derivative(z + b); }, Whole<T>{y},
        Spread<T>(bias, y.rows, y.columns));
  else if (kept.data)
    detail::map(kept, false, Silu<T>::derivative, Whole<T>{y});
  with_activation<T>(activation, [&]<class A>(A) {
    if (bias.data)
      detail::map(
          y, false, [](const B<T>& z, const B<T>& b) { return A::value(z + b); }, Whole<T>{y},
          Spread<T>(bias, y.rows, y.columns));
    else if (activation != Activation::none)
      detail::map(y, false, A::value, Whole<T>{y});
  });
}

/// g = the activation's derivative times g, in place, and the sums of its columns: added to `sums` if that is there.
template <class A, class T>
void pull_back(Block<T> g, Block<const T> y, Block<T> sums, bool add) {
  constexpr Index kLanes = simd::kLanes<T>;
  constexpr bool kChanges = !std::is_same_v<A, Identity<T>>;
  if (!kChanges && !sums.data) return;
  for (Index j = 0; j < g.columns; ++j) {
    T* p = g.column(j);
    const T* result = y.column(j);
    B<T> partial[2] = {B<T>(T(0)), B<T>(T(0))};
    Index i = 0, turn = 0;
    for (; i + kLanes <= g.rows; i += kLanes, turn ^= 1) {
      B<T> v = simd::load(p + i);
      if constexpr (kChanges) {
        v = A::scaled(v, simd::load(result + i));
        simd::store(p + i, v);
      }
      partial[turn] += v;
    }
    if (i < g.rows) {
      const simd::Lanes<T> lanes(g.rows - i);
      B<T> v = lanes.load(p + i);
      if constexpr (kChanges) {
        v = A::scaled(v, lanes.load(result + i));
        lanes.store(p + i, v);
      }
      partial[turn] += simd::select(simd::first_lanes<T>(g.rows - i), v, B<T>(T(0)));
    }
    if (!sums.data) continue;
    detail::RowSums<T> total;
    total.add(partial[0]);
    total.add(partial[1]);
    const double sum = total.sum();
    T& out = *sums.column(j);
    out = static_cast<T>(add ? static_cast<double>(out) + sum : sum);
  }
}

/// The activation's derivative times t, with operations; z is made only where y does not suffice.
template <class T, class MakeZ>
Var<T> push_forward(Activation activation, Var<T> t, Var<T> y, const MakeZ& make_z) {
  const Var<T> zero = y.tape().constant(T(0));
  switch (activation) {
    case Activation::none:
      return t;
    case Activation::relu:
      return select(y, t, zero);
    case Activation::tanh:
      return t * (T(1) - square(y));
    case Activation::sigmoid:
      return t * (y * (T(1) - y));
    case Activation::softplus:
      return -(t * expm1(-y));
    case Activation::elu:
      return t * (minimum(y, zero) + T(1));
    case Activation::leaky_relu:
      return select(y, t, t * static_cast<T>(kLeakyReluSlope));
    case Activation::silu: {
      const Var<T> s = sigmoid(make_z());
      return t * (s + y * (T(1) - s));
    }
  }
  return t;
}

template <class T>
void check_shapes(Var<T> x, Var<T> w, Var<T> bias) {
  if (x.columns() != w.rows()) detail::shape_error("dense", x, w, "x's columns must equal w's rows");
  if (bias && (bias.rows() != 1 || bias.columns() != w.columns()))
    detail::shape_error("dense", w, bias, "the bias must be one row of w's columns");
}

template <class T>
void clear(Block<T> block) {
  for (Index j = 0; j < block.columns; ++j) std::fill_n(block.column(j), block.rows, T(0));
}

/// The blocks' share of y = x * w; outputs that see nothing get zero.
template <class T>
void multiply_blocks(Block<const T> x, Block<const T> w, std::span<const MaskBlock> blocks, Block<T> y) {
  for (const MaskBlock& b : blocks) {
    const Block<T> part = y.middle_columns(b.first_output, b.outputs);
    if (b.inputs == 0)
      clear<T>(part);
    else
      gemm<T>(false, false, x.middle_columns(b.first_input, b.inputs),
              w.middle_columns(b.first_output, b.outputs).middle_rows(b.first_input, b.inputs), T(0), part);
  }
}

/// Adds to the gradients of x and w what g, the gradient of x * w, brings, block by block.
template <class T>
void block_gradients(Vjp<T>& v, Block<const T> g, std::span<const MaskBlock> blocks) {
  Block<T> of_x, of_w;
  bool fresh = false;
  if (v.wants(1)) {
    of_w = v.gradient(1, fresh);
    if (fresh) clear<T>(of_w);
  }
  if (v.wants(0)) {
    of_x = v.gradient(0, fresh);
    if (fresh) clear<T>(of_x);
  }
  for (const MaskBlock& b : blocks) {
    if (b.inputs == 0) continue;
    const Block<const T> part = g.middle_columns(b.first_output, b.outputs);
    const auto weights = [&b](auto w) {
      return w.middle_columns(b.first_output, b.outputs).middle_rows(b.first_input, b.inputs);
    };
    if (of_w.data)
      gemm<T>(true, false, v.value(0).middle_columns(b.first_input, b.inputs), part, T(1), weights(of_w));
    if (of_x.data)
      gemm<T>(false, true, part, weights(v.value(1)), T(1), of_x.middle_columns(b.first_input, b.inputs));
  }
}

template <class T>
void dense_gradient(Vjp<T>& v, Activation activation, Block<const T> kept, std::span<const MaskBlock> blocks) {
  if (!v.wants(0) && !v.wants(1) && !v.wants(2)) return;
  const Block<T> g = v.adjoint_scratch(0);
  bool fresh = false;
  const Block<T> bias = v.wants(2) ? v.gradient(2, fresh) : Block<T>{};
  with_activation<T>(activation, [&]<class A>(A) { pull_back<A, T>(g, kept.data ? kept : v.result(0), bias, !fresh); });
  if (!blocks.empty()) return block_gradients<T>(v, g, blocks);
  if (v.wants(1)) {
    const Block<T> gradient = v.gradient(1, fresh);
    gemm<T>(true, false, v.value(0), g, fresh ? T(0) : T(1), gradient);
  }
  if (v.wants(0)) {
    const Block<T> gradient = v.gradient(0, fresh);
    gemm<T>(false, true, g, v.value(1), fresh ? T(0) : T(1), gradient);
  }
}

/// Without blocks w is multiplied whole.
template <class T>
Var<T> dense_node(Var<T> x, Var<T> w, Var<T> bias, Activation activation, std::span<const MaskBlock> blocks) {
  check_shapes(x, w, bias);
  Tape<T>& tape = x.tape();
  const Var<T> y = tape.make(x.rows(), w.columns());
  const bool recorded = tape.recording() && (x.active() || w.active() || (bias && bias.active()));
  const Block<T> kept = recorded && activation == Activation::silu ? tape.block(x.rows(), w.columns()) : Block<T>{};
  if (blocks.empty())
    gemm<T>(false, false, x.value(), w.value(), T(0), y.data());
  else
    multiply_blocks<T>(x.value(), w.value(), blocks, y.data());
  activate<T>(activation, y.data(), bias ? bias.value() : Block<const T>{}, kept);
  tape.primitive(
      blocks.empty() ? "dense" : "masked_dense", {x, w, bias}, {y},
      [activation, kept, blocks](Vjp<T>& v) { dense_gradient<T>(v, activation, kept, blocks); },
      [activation](Jvp<T>& j) {
        const Var<T> at = j.input(0), weight = j.input(1);
        Var<T> t;
        const auto include = [&t](Var<T> term) { t = t ? t + term : term; };
        if (j.has_tangent(0)) include(matmul(j.tangent(0), weight));
        if (j.has_tangent(1)) include(matmul(at, j.tangent(1)));
        if (j.has_tangent(2)) include(j.tangent(2));
        t = detail::broadcast_to("dense", t, at.rows(), weight.columns());
        j.set(0, push_forward(activation, t, j.output(0),
                              [&] { return dense(at, weight, j.input(2), Activation::none); }));
      });
  return y;
}

}  // namespace

template <class T>
Var<T> dense(Var<T> x, Var<T> w, Var<T> bias, Activation activation) {
  return dense_node<T>(x, w, bias, activation, {});
}

template <class T>
Var<T> masked_dense(Var<T> x, Var<T> w, Var<T> bias, Activation activation, std::span<const MaskBlock> blocks) {
  return dense_node<T>(x, w, bias, activation, blocks);
}

template <class T>
void dense_values(Block<const T> x, Block<const T> w, Block<const T> bias, Activation activation, Block<T> y) {
  const MaskBlock whole{0, y.columns, 0, x.columns};
  multiply_blocks<T>(x, w, {&whole, 1}, y);
  activate<T>(activation, y, bias, {});
}

template <class T>
void activation_gradient(Activation activation, Block<const T> y, Block<T> g) {
  if (activation == Activation::silu) throw std::logic_error("silu's derivative is no function of its result");
  with_activation<T>(activation, [&]<class A>(A) { pull_back<A, T>(g, y, {}, false); });
}

template <class T>
std::vector<T> degree_mask(std::span<const Index> input_degrees, std::span<const Index> output_degrees) {
  std::vector<T> mask;
  mask.reserve(input_degrees.size() * output_degrees.size());
  for (const Index o : output_degrees)
    for (const Index i : input_degrees) mask.push_back(i <= o ? T(1) : T(0));
  return mask;
}

std::vector<MaskBlock> degree_blocks(std::span<const Index> input_degrees, std::span<const Index> output_degrees,
                                     Index width) {
  const auto inputs = static_cast<Index>(input_degrees.size()), outputs = static_cast<Index>(output_degrees.size());
  std::vector<MaskBlock> blocks;
  for (Index first = 0; first < outputs; first += width) {
    MaskBlock b{first, std::min(width, outputs - first), 0, 0};
    const auto own = output_degrees.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(b.outputs));
    const Index highest = *std::max_element(own.begin(), own.end());
    const auto seen = [&](Index i) { return input_degrees[static_cast<std::size_t>(i)] <= highest; };
    while (b.first_input < inputs && !seen(b.first_input)) ++b.first_input;
    b.inputs = inputs - b.first_input;
    while (b.inputs > 0 && !seen(b.first_input + b.inputs - 1)) --b.inputs;
    blocks.push_back(b);
  }
  return blocks;
}

#define PUSHFORWARD_DENSE_OF(T)                                                                             \
  template Var<T> dense(Var<T>, Var<T>, Var<T>, Activation);                                                \
  template Var<T> masked_dense(Var<T>, Var<T>, Var<T>, Activation, std::span<const MaskBlock>);             \
  template void dense_values(Block<const T>, Block<const T>, Block<const T>, Activation, Block<T>);         \
  template void activation_gradient(Activation, Block<const T>, Block<T>);                                  \
  template std::vector<T> degree_mask(std::span<const Index>, std::span<const Index>);
PUSHFORWARD_DENSE_OF(float)
PUSHFORWARD_DENSE_OF(double)

}  // namespace pushforward
