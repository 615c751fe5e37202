// Arithmetic with broadcasting, selection, and what multiplies or adds a number.
#include "operation_loops.h"

namespace pushforward {

using detail::add_gradient;
using detail::broadcast_to;
using detail::Extents;
using detail::spread;
using detail::Spread;
using detail::Whole;

namespace {

template <class T>
using B = simd::Batch<T>;

// A rule has the value; the gradients of the operands a and b, given the result's gradient g; and the tangent, given
// the operands' (one of which may be none).

template <class T>
struct Add {
  static constexpr const char* kName = "add";
  static B<T> value(const B<T>& a, const B<T>& b) { return a + b; }
  static B<T> gradient_a(const B<T>& g, const B<T>&, const B<T>&) { return g; }
  static B<T> gradient_b(const B<T>& g, const B<T>&, const B<T>&) { return g; }
  static Var<T> tangent(const Jvp<T>&, Var<T> ta, Var<T> tb) { return !ta ? tb : !tb ? ta : ta + tb; }
};

template <class T>
struct Subtract {
  static constexpr const char* kName = "subtract";
  static B<T> value(const B<T>& a, const B<T>& b) { return a - b; }
  static B<T> gradient_a(const B<T>& g, const B<T>&, const B<T>&) { return g; }
  static B<T> gradient_b(const B<T>& g, const B<T>&, const B<T>&) { return -g; }
  static Var<T> tangent(const Jvp<T>&, Var<T> ta, Var<T> tb) { return !ta ? -tb : !tb ? ta : ta - tb; }
};

template <class T>
struct Multiply {
  static constexpr const char* kName = "multiply";
  static B<T> value(const B<T>& a, const B<T>& b) { return a * b; }
  static B<T> gradient_a(const B<T>& g, const B<T>&, const B<T>& b) { return g * b; }
  static B<T> gradient_b(const B<T>& g, const B<T>& a, const B<T>&) { return g * a; }
  static Var<T> tangent(const Jvp<T>& j, Var<T> ta, Var<T> tb) {
    const Var<T> a = j.input(0), b = j.input(1);
    return !ta ? a * tb : !tb ? ta * b : ta * b + a * tb;
  }
};

template <class T>
struct Divide {
  static constexpr const char* kName = "divide";
  static B<T> value(const B<T>& a, const B<T>& b) { return a / b; }
  static B<T> gradient_a(const B<T>& g, const B<T>&, const B<T>& b) { return g / b; }
  static B<T> gradient_b(const B<T>& g, const B<T>& a, const B<T>& b) { return -(g / b) * (a / b); }
  static Var<T> tangent(const Jvp<T>& j, Var<T> ta, Var<T> tb) {
    const Var<T> b = j.input(1), y = j.output(0);
    return !ta ? -(y * tb) / b : !tb ? ta / b : (ta - y * tb) / b;
  }
};

/// a where a >= b or a is NaN, b elsewhere: of equal operands the first is chosen, and a NaN is.
template <class T>
simd::Mask<T> chooses_second_of_maximum(const B<T>& a, const B<T>& b) {
  return (a < b) | (simd::is_nan(b) & !simd::is_nan(a));
}
template <class T>
simd::Mask<T> chooses_second_of_minimum(const B<T>& a, const B<T>& b) {
  return (b < a) | (simd::is_nan(b) & !simd::is_nan(a));
}

template <class T, simd::Mask<T> (*chooses_second)(const B<T>&, const B<T>&)>
struct Choose {
  static B<T> value(const B<T>& a, const B<T>& b) { return simd::select(chooses_second(a, b), b, a); }
  static B<T> gradient_a(const B<T>& g, const B<T>& a, const B<T>& b) {
    return simd::select(chooses_second(a, b), B<T>(T(0)), g);
  }
  static B<T> gradient_b(const B<T>& g, const B<T>& a, const B<T>& b) {
    return simd::select(chooses_second(a, b), g, B<T>(T(0)));
  }
  static Var<T> tangent(const Jvp<T>& j, Var<T> ta, Var<T> tb) {
    // The choice is locally constant: a condition that no gradient flows through.
    const Index rows = j.output(0).rows(), columns = j.output(0).columns();
    const Var<T> second = j.tape().make(rows, columns), zero = j.tape().constant(T(0));
    detail::map(
        second.data(), false,
        [](const B<T>& a, const B<T>& b) { return simd::select(chooses_second(a, b), B<T>(T(1)), B<T>(T(0))); },
        Spread<T>(j.input(0).value(), rows, columns), Spread<T>(j.input(1).value(), rows, columns));
    return select(second, tb ? tb : zero, ta ? ta : zero);
  }
};
template <class T>
struct Maximum : Choose<T, chooses_second_of_maximum<T>> {
  static constexpr const char* kName = "maximum";
};
template <class T>
struct Minimum : Choose<T, chooses_second_of_minimum<T>> {
  static constexpr const char* kName = "minimum";
};

template <class Rule, class T>
Var<T> binary(Var<T> a, Var<T> b) {
  const Extents shape = detail::broadcast(Rule::kName, {a.rows(), a.columns()}, b);
  Tape<T>& tape = a.tape();
  const Var<T> y = tape.make(shape.rows, shape.columns);
  detail::map(y.data(), false, Rule::value, Spread<T>(a.value(), shape.rows, shape.columns),
              Spread<T>(b.value(), shape.rows, shape.columns));
  tape.primitive(
      Rule::kName, {a, b}, {y},
      [](Vjp<T>& v) {
        const Whole<T> g{v.adjoint(0)};
        add_gradient(v, 0, Rule::gradient_a, g, spread(v, 0), spread(v, 1));
        add_gradient(v, 1, Rule::gradient_b, g, spread(v, 0), spread(v, 1));
      },
      [](Jvp<T>& j) {
        const Var<T> out = j.output(0);
        const Var<T> t = Rule::tangent(j, j.tangent(0), j.tangent(1));
        j.set(0, broadcast_to(Rule::kName, t, out.rows(), out.columns()));
      });
  return y;
}

}  // namespace

template <class T>
Var<T> add(Var<T> a, Var<T> b) {
  return binary<Add<T>>(a, b);
}
template <class T>
Var<T> subtract(Var<T> a, Var<T> b) {
  return binary<Subtract<T>>(a, b);
}
template <class T>
Var<T> multiply(Var<T> a, Var<T> b) {
  return binary<Multiply<T>>(a, b);
}
template <class T>
Var<T> divide(Var<T> a, Var<T> b) {
  return binary<Divide<T>>(a, b);
}
template <class T>
Var<T> maximum(Var<T> a, Var<T> b) {
  return binary<Maximum<T>>(a, b);
}
template <class T>
Var<T> minimum(Var<T> a, Var<T> b) {
  return binary<Minimum<T>>(a, b);
}

template <class T>
Var<T> detail::broadcast_to(const char* name, Var<T> x, Index rows, Index columns) {
  if (x.rows() == rows && x.columns() == columns) return x;
  const Var<T> y = x.tape().make(rows, columns);
  const auto same = [](const B<T>& number) { return number; };
  detail::map(y.data(), false, same, Spread<T>(x.value(), rows, columns));
  x.tape().primitive(
      name, {x}, {y}, [same](Vjp<T>& v) { add_gradient(v, 0, same, Whole<T>{v.adjoint(0)}); },
      [name](Jvp<T>& j) { j.set(0, broadcast_to(name, j.tangent(0), j.output(0).rows(), j.output(0).columns())); });
  return y;
}

template <class T>
Var<T> select(Var<T> condition, Var<T> a, Var<T> b) {
  constexpr const char* kName = "select";
  Extents shape = detail::broadcast(kName, {condition.rows(), condition.columns()}, a);
  shape = detail::broadcast(kName, shape, b);
  const auto [rows, columns] = shape;
  const Var<T> y = a.tape().make(rows, columns);
  detail::map(
      y.data(), false,
      [](const B<T>& c, const B<T>& u, const B<T>& v) {
        return simd::select(simd::is_nan(c), c, simd::select(c > B<T>(T(0)), u, v));
      },
      Spread<T>(condition.value(), rows, columns), Spread<T>(a.value(), rows, columns),
      Spread<T>(b.value(), rows, columns));
  a.tape().primitive(
      kName, {stop_gradient(condition), a, b}, {y},
      [](Vjp<T>& v) {
        const Whole<T> g{v.adjoint(0)};
        const auto where_positive = [](const B<T>& gradient, const B<T>& c) {
          return simd::select(c <= B<T>(T(0)), B<T>(T(0)), gradient);
        };
        const auto elsewhere = [](const B<T>& gradient, const B<T>& c) {
          return simd::select(c > B<T>(T(0)), B<T>(T(0)), gradient);
        };
        add_gradient(v, 1, where_positive, g, spread(v, 0));
        add_gradient(v, 2, elsewhere, g, spread(v, 0));
      },
      [](Jvp<T>& j) {
        if (!j.has_tangent(1) && !j.has_tangent(2)) return;
        const Var<T> zero = j.tape().constant(T(0)), out = j.output(0);
        const Var<T> t =
            select(j.input(0), j.has_tangent(1) ? j.tangent(1) : zero, j.has_tangent(2) ? j.tangent(2) : zero);
        j.set(0, broadcast_to("select", t, out.rows(), out.columns()));
      });
  return y;
}

template <class T>
Var<T> scale_shift(Var<T> x, std::type_identity_t<T> factor, std::type_identity_t<T> offset) {
  const Var<T> y = x.tape().make(x.rows(), x.columns());
  const B<T> scale(factor), shift(offset);
  detail::map(
      y.data(), false, [&](const B<T>& v) { return simd::fma(v, scale, shift); }, Whole<T>{x.value()});
  x.tape().primitive(
      "scale_shift", {x}, {y},
      [factor](Vjp<T>& v) {
        const B<T> by(factor);
        add_gradient(
            v, 0, [&](const B<T>& g) { return g * by; }, Whole<T>{v.adjoint(0)});
      },
      [factor](Jvp<T>& j) { j.set(0, factor == T(1) ? j.tangent(0) : scale_shift(j.tangent(0), factor, T(0))); });
  return y;
}

template <class T>
Var<T> stop_gradient(Var<T> x) {
  return x.tape().constant(x.value());
}

#define PUSHFORWARD_INSTANTIATE(T)                                         \
  template Var<T> add(Var<T>, Var<T>);                                     \
  template Var<T> subtract(Var<T>, Var<T>);                                \
  template Var<T> multiply(Var<T>, Var<T>);                                \
  template Var<T> divide(Var<T>, Var<T>);                                  \
  template Var<T> maximum(Var<T>, Var<T>);                                 \
  template Var<T> minimum(Var<T>, Var<T>);                                 \
  template Var<T> detail::broadcast_to(const char*, Var<T>, Index, Index); \
  template Var<T> select(Var<T>, Var<T>, Var<T>);                          \
  template Var<T> scale_shift(Var<T>, T, T);                               \
  template Var<T> stop_gradient(Var<T>);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
