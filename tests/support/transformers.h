// What the tests of transformers share: a transformer from its plugin's own table of components and fields, without a
// spec; padded blocks; one evaluation with its gradients.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_build.h"

namespace pushforward::test {

template <class T>
std::unique_ptr<Transformer<T>> make_transformer(const ComponentInfo& info, const Fields& given = {}) {
  return make_component<Transformer<T>>(info, given);
}

/// Owns a block as interfaces want it: 64-byte columns, padding that holds NaN.
template <class T>
class Memory {
 public:
  Memory(Index rows, Index columns, double fill = 0) {
    const Index stride = rows == 1 ? 1 : round_up(rows, kPadding);
    memory_.assign(static_cast<std::size_t>(stride * columns) + 64, static_cast<T>(NAN));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    block_ = {reinterpret_cast<T*>((address + 63) / 64 * 64), rows, columns, stride};
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i) block_(i, j) = static_cast<T>(fill);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  T& operator()(Index i, Index j) { return block_(i, j); }
  Block<T> block() { return block_; }
  template <class Make>
  Memory& fill(Make&& make) {
    for (Index j = 0; j < block_.columns; ++j)
      for (Index i = 0; i < block_.rows; ++i) block_(i, j) = static_cast<T>(make(i, j));
    return *this;
  }

 private:
  std::vector<T> memory_;
  Block<T> block_;
};

template <class T>
Pass<T> make_pass(Tape<T>& tape) {
  return {.tape = tape, .values = {}, .context = {}, .stream = {}, .sinks = {}};
}

/// How theta reaches the transformer.
enum class Form { rows, shared, prepared };
constexpr Form kForms[] = {Form::rows, Form::shared, Form::prepared};

/// Results of one evaluation as plain numbers; gradients of theta are summed over rows.
struct Result {
  std::vector<double> value, log_det, g_x, g_theta;
};

/// Every row has the same theta (d*P raw numbers), given in one of three forms. `x` is row by row, n x d.
template <class T>
Result evaluate(const Transformer<T>& map, const std::vector<double>& x, Index columns, const std::vector<double>& theta,
                Form form, bool inverse, const std::vector<double>& g_value = {},
                const std::vector<double>& g_log_det = {}) {
  const Index rows = static_cast<Index>(x.size()) / columns, count = static_cast<Index>(theta.size());
  const auto at = [&](const std::vector<double>& v, Index i, Index j, Index width) {
    return v.empty() ? 1.0 : v[static_cast<std::size_t>(i * width + j)];
  };
  Memory<T> xs(rows, columns), ys(rows, columns), ls(rows, 1), gx(rows, columns);
  Memory<T> ts(form == Form::rows ? rows : 1, count), gt(form == Form::rows ? rows : 1, count);
  xs.fill([&](Index i, Index j) { return at(x, i, j, columns); });
  ys.fill([&](Index i, Index j) { return at(g_value, i, j, columns); });
  ls.fill([&](Index i, Index) { return at(g_log_det, i, 0, 1); });
  ts.fill([&](Index, Index k) { return theta[static_cast<std::size_t>(k)]; });
  Tape<T> tape;
  const Pass<T> pass = make_pass(tape);
  const Var<T> vx = tape.leaf(xs.block(), gx.block()), vt = tape.leaf(ts.block(), gt.block());
  const Theta<T> given = form == Form::prepared ? Theta<T>(map.prepare_shared(vt), true) : Theta<T>(vt);
  const Mapped<T> m = inverse ? map.invert(vx, given, pass) : map.evaluate(vx, given, pass);
  const typename Tape<T>::Seed seeds[] = {{m.value, ys.block()}, {m.log_det, ls.block()}};
  tape.backward(seeds);
  Result r;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      r.value.push_back(static_cast<double>(m.value.value()(i, j)));
      r.g_x.push_back(static_cast<double>(gx(i, j)));
    }
    r.log_det.push_back(static_cast<double>(m.log_det.value()(i, 0)));
  }
  for (Index k = 0; k < count; ++k) {
    double sum = 0;
    for (Index i = 0; i < gt.block().rows; ++i) sum += static_cast<double>(gt(i, k));
    r.g_theta.push_back(sum);
  }
  return r;
}

/// |a - b| / max(1, |a|, |b|); equal numbers, NaNs and infinities agree.
inline double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
  return std::isnan(d) ? INFINITY : d;
}
inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, difference(a[i], b[i]));
  return worst;
}

}  // namespace pushforward::test
