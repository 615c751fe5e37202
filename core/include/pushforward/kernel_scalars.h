// Scalars that differentiate: the same formula, written for a generic scalar V, gives values (V = simd::Batch<T>),
// directional derivatives (V = simd::Dual<...>, nested for higher ones) and reverse-mode gradients
// (V = simd::Reverse<...>, recorded on a small stack of SIMD batches).
//
// A formula is written with + - * /, comparisons, and the functions of PUSHFORWARD_KERNEL_FUNCTIONS and
// select(mask, a, b), max, min, called qualified: `simd::exp(x)`. Numbers of an inner type (a constant, or a
// parameter that is not differentiated) mix with numbers of an outer one.
#pragma once

#include <concepts>

#include "pushforward/simd.h"

namespace pushforward::simd {

/// Name, and its derivative in terms of the argument x, the value f and the number `one`.
#define PUSHFORWARD_KERNEL_FUNCTIONS(X)                 \
  X(exp, f)                                             \
  X(log, one / x)                                       \
  X(log1p, one / (x + one))                             \
  X(expm1, f + one)                                     \
  X(sqrt, V(0.5) / f)                                   \
  X(tanh, one - f * f)                                  \
  X(sinh, simd::cosh(x))                                \
  X(cosh, simd::sinh(x))                                \
  X(asinh, detail::asinh_slope(x))                      \
  X(sigmoid, f * simd::sigmoid(-x))                     \
  X(softplus, simd::sigmoid(x))                         \
  X(sin, simd::cos(x))                                  \
  X(cos, -simd::sin(x))                                 \
  X(atan, one / (one + x * x))                          \
  X(abs, simd::select(simd::primal(x) < simd::primal(V(0.0)), V(-1.0), one))

template <class V, int N = 1>
struct Dual;
template <class B>
struct Reverse;

#define X(NAME, SLOPE)                       \
  template <class V, int N>                  \
  Dual<V, N> NAME(const Dual<V, N>& a);      \
  template <class B>                         \
  Reverse<B> NAME(const Reverse<B>& a);
PUSHFORWARD_KERNEL_FUNCTIONS(X)
#undef X

/// The number itself, without its derivatives; for comparisons.
template <class T>
const Batch<T>& primal(const Batch<T>& x) {
  return x;
}
template <class V, int N>
const auto& primal(const Dual<V, N>& x) {
  return primal(x.value);
}
template <class B>
const B& primal(const Reverse<B>& x) {
  return x.value;
}
template <class T, class V, int N>
Dual<V, N> select(const Mask<T>& condition, const Dual<V, N>& a, const Dual<V, N>& b);
template <class T>
Reverse<Batch<T>> select(const Mask<T>& condition, const Reverse<Batch<T>>& a, const Reverse<Batch<T>>& b);

/// What a comparison of scalars that differentiate gives: a mask, one answer for each lane. `if` and `?:` would choose
/// one branch for all lanes (a mask of AVX-512 is an integer, which C++ takes for a bool), so they do not compile:
/// simd::select(condition, a, b) chooses lane by lane.
template <class M>
struct Condition : M {
  explicit Condition(const M& mask) : M(mask) {}
  explicit operator bool() const = delete;
  const M& mask() const { return *this; }
};
template <class M>
Condition<M> operator!(const Condition<M>& a) { return Condition<M>(!a.mask()); }
template <class M>
Condition<M> operator&(const Condition<M>& a, const Condition<M>& b) { return Condition<M>(a.mask() & b.mask()); }
template <class M>
Condition<M> operator|(const Condition<M>& a, const Condition<M>& b) { return Condition<M>(a.mask() | b.mask()); }
template <class M>
Condition<M> operator&&(const Condition<M>& a, const Condition<M>& b) { return a & b; }
template <class M>
Condition<M> operator||(const Condition<M>& a, const Condition<M>& b) { return a | b; }

/// A constant that mixes with scalars V: not V itself, but convertible to what V is made of.
template <class C, class V, class Inner>
concept LowerThan = !std::same_as<C, V> && std::convertible_to<C, Inner>;

/// value + sum_i d[i] e_i with e_i e_j = 0: N directional derivatives. V may be a Dual again.
template <class V, int N>
struct Dual {
  V value{};
  V d[N];

  Dual() = default;
  template <class C>
    requires LowerThan<C, Dual, V>
  Dual(const C& constant) : value(constant) {  // NOLINT: constants convert
    for (V& x : d) x = V(0.0);
  }
  Dual(const V& v, const V& derivative)
    requires(N == 1)
      : value(v), d{derivative} {}
  /// The variable that `direction` differentiates by.
  static Dual variable(const V& v, int direction = 0) {
    Dual x(v);
    x.d[direction] = V(1.0);
    return x;
  }
  /// f(value) with the given slope there.
  Dual chain(const V& f, const V& slope) const {
    Dual r;
    r.value = f;
    for (int i = 0; i < N; ++i) r.d[i] = slope * d[i];
    return r;
  }

  friend Dual operator-(const Dual& a) {
    Dual r;
    r.value = -a.value;
    for (int i = 0; i < N; ++i) r.d[i] = -a.d[i];
    return r;
  }
  friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value + b.value;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] + b.d[i];
    return r;
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value - b.value;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] - b.d[i];
    return r;
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value * b.value;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] * b.value + a.value * b.d[i];
    return r;
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value / b.value;
    for (int i = 0; i < N; ++i) r.d[i] = (a.d[i] - r.value * b.d[i]) / b.value;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator+(const Dual& a, const C& c) {
    Dual r = a;
    r.value = a.value + c;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator+(const C& c, const Dual& a) {
    return a + c;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator-(const Dual& a, const C& c) {
    Dual r = a;
    r.value = a.value - c;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator-(const C& c, const Dual& a) {
    Dual r = -a;
    r.value = c - a.value;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator*(const Dual& a, const C& c) {
    Dual r;
    r.value = a.value * c;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] * c;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator*(const C& c, const Dual& a) {
    return a * c;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator/(const Dual& a, const C& c) {
    Dual r;
    r.value = a.value / c;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] / c;
    return r;
  }
  template <class C>
    requires LowerThan<C, Dual, V>
  friend Dual operator/(const C& c, const Dual& a) {
    Dual r;
    r.value = c / a.value;
    for (int i = 0; i < N; ++i) r.d[i] = -(r.value * a.d[i]) / a.value;
    return r;
  }
  friend auto operator<(const Dual& a, const Dual& b) { return Condition(primal(a) < primal(b)); }
  friend auto operator<=(const Dual& a, const Dual& b) { return Condition(primal(a) <= primal(b)); }
  friend auto operator>(const Dual& a, const Dual& b) { return Condition(primal(a) > primal(b)); }
  friend auto operator>=(const Dual& a, const Dual& b) { return Condition(primal(a) >= primal(b)); }
};

/// What a Reverse scalar is recorded on: for each result, up to two parents and the slopes towards them.
///
/// The memory is the caller's; `full()` tells that it did not suffice, and then every number since is worthless.
template <class B>
class ReverseStack {
 public:
  struct Entry {
    B slope[2];
    std::int32_t parent[2];
  };
  ReverseStack(Entry* entries, B* adjoints, std::int32_t capacity)
      : entries_(entries), adjoints_(adjoints), capacity_(capacity) {}

  void clear() { size_ = 0; }
  bool full() const { return size_ > capacity_; }
  /// A variable: a result without parents.
  Reverse<B> variable(const B& value) { return push(value, -1, B(0.0), -1, B(0.0)); }
  Reverse<B> push(const B& value, std::int32_t p0, const B& s0, std::int32_t p1, const B& s1) {
    if (size_ < capacity_) {
      Entry& e = entries_[size_];
      e.slope[0] = s0;
      e.slope[1] = s1;
      e.parent[0] = p0;
      e.parent[1] = p1;
    }
    return Reverse<B>(value, size_ < capacity_ ? size_++ : (size_ = capacity_ + 1, capacity_ - 1), this);
  }
  /// Call before seeding with `adjoint`.
  void clear_adjoints() {
    for (std::int32_t i = 0; i < size_; ++i) adjoints_[i] = B(0.0);
  }
  /// Of a constant: a place nobody reads.
  B& adjoint(const Reverse<B>& x) { return x.index < 0 ? nobody_ : adjoints_[x.index]; }
  /// Adjoints of everything recorded, from those seeded.
  void sweep() {
    for (std::int32_t i = size_ - 1; i >= 0; --i) {
      const Entry& e = entries_[i];
      const B a = adjoints_[i];
      // A branch that `select` dropped has adjoint 0 and may have an infinite slope.
      const auto none = a == B(0.0);
      for (int p = 0; p < 2; ++p)
        if (e.parent[p] >= 0) adjoints_[e.parent[p]] += xsimd::select(none, B(0.0), a * e.slope[p]);
    }
  }

 private:
  Entry* entries_;
  B* adjoints_;
  std::int32_t capacity_;
  std::int32_t size_ = 0;
  B nobody_{};
};

/// A batch that remembers how it was computed. A constant has index -1 and no stack.
template <class B>
struct Reverse {
  B value{};
  std::int32_t index = -1;
  ReverseStack<B>* stack = nullptr;

  Reverse() = default;
  template <class C>
    requires LowerThan<C, Reverse, B>
  Reverse(const C& constant) : value(constant) {}  // NOLINT: constants convert
  Reverse(const B& v, std::int32_t i, ReverseStack<B>* s) : value(v), index(i), stack(s) {}

  static Reverse join(const B& value, const Reverse& a, const B& sa, const Reverse& b, const B& sb) {
    if (a.index < 0 && b.index < 0) return Reverse(value);
    return (a.index >= 0 ? a : b).stack->push(value, a.index, sa, b.index, sb);
  }
  Reverse chain(const B& f, const B& slope) const {
    return index < 0 ? Reverse(f) : stack->push(f, index, slope, -1, B(0.0));
  }
  friend Reverse operator-(const Reverse& a) { return a.chain(-a.value, B(-1.0)); }
  friend Reverse operator+(const Reverse& a, const Reverse& b) {
    return join(a.value + b.value, a, B(1.0), b, B(1.0));
  }
  friend Reverse operator-(const Reverse& a, const Reverse& b) {
    return join(a.value - b.value, a, B(1.0), b, B(-1.0));
  }
  friend Reverse operator*(const Reverse& a, const Reverse& b) { return join(a.value * b.value, a, b.value, b, a.value); }
  friend Reverse operator/(const Reverse& a, const Reverse& b) {
    const B q = a.value / b.value;
    return join(q, a, B(1.0) / b.value, b, -q / b.value);
  }
  friend auto operator<(const Reverse& a, const Reverse& b) { return Condition(a.value < b.value); }
  friend auto operator<=(const Reverse& a, const Reverse& b) { return Condition(a.value <= b.value); }
  friend auto operator>(const Reverse& a, const Reverse& b) { return Condition(a.value > b.value); }
  friend auto operator>=(const Reverse& a, const Reverse& b) { return Condition(a.value >= b.value); }
};

template <class T, class V, int N>
Dual<V, N> select(const Mask<T>& condition, const Dual<V, N>& a, const Dual<V, N>& b) {
  Dual<V, N> r;
  r.value = simd::select(condition, a.value, b.value);
  for (int i = 0; i < N; ++i) r.d[i] = simd::select(condition, a.d[i], b.d[i]);
  return r;
}
template <class T>
Reverse<Batch<T>> select(const Mask<T>& condition, const Reverse<Batch<T>>& a, const Reverse<Batch<T>>& b) {
  using B = Batch<T>;
  const B one(T(1)), zero(T(0));
  return Reverse<B>::join(simd::select(condition, a.value, b.value), a, simd::select(condition, one, zero), b,
                          simd::select(condition, zero, one));
}
template <class V, int N>
Dual<V, N> max(const Dual<V, N>& a, const Dual<V, N>& b) {
  return simd::select(primal(a) > primal(b), a, b);
}
template <class V, int N>
Dual<V, N> min(const Dual<V, N>& a, const Dual<V, N>& b) {
  return simd::select(primal(a) < primal(b), a, b);
}
template <class B>
Reverse<B> max(const Reverse<B>& a, const Reverse<B>& b) {
  return simd::select(a.value > b.value, a, b);
}
template <class B>
Reverse<B> min(const Reverse<B>& a, const Reverse<B>& b) {
  return simd::select(a.value < b.value, a, b);
}

namespace detail {

/// 1 / sqrt(1 + x^2) without squaring large numbers.
template <class V>
V asinh_slope(const V& x) {
  const V a = simd::abs(x);
  const auto large = primal(a) > primal(V(1.0));
  const V inverse = V(1.0) / simd::select(large, a, V(1.0));
  const V small = simd::select(large, inverse, a);
  return simd::select(large, inverse, V(1.0)) / simd::sqrt(V(1.0) + small * small);
}

}  // namespace detail

#define X(NAME, SLOPE)                                             \
  template <class V, int N>                                        \
  Dual<V, N> NAME(const Dual<V, N>& a) {                           \
    const V& x = a.value;                                          \
    const V f = simd::NAME(x);                                     \
    [[maybe_unused]] const V one(1.0);                             \
    return a.chain(f, SLOPE);                                      \
  }                                                                \
  template <class V>                                               \
  Reverse<V> NAME(const Reverse<V>& a) {                           \
    const V& x = a.value;                                          \
    const V f = simd::NAME(x);                                     \
    [[maybe_unused]] const V one(1.0);                             \
    return a.chain(f, SLOPE);                                      \
  }
PUSHFORWARD_KERNEL_FUNCTIONS(X)
#undef X

}  // namespace pushforward::simd
