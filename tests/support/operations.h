// Checks of an operation on Vars against a plain formula and against finite differences: values, gradients, tangents,
// gradients of tangents and tangents of tangents, in every layout that a block may have.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pushforward/operations.h"

namespace pushforward::test {

/// Plain numbers, column by column.
struct Table {
  Index rows = 0, columns = 0;
  std::vector<double> numbers;

  Table() = default;
  Table(Index r, Index c, double fill = 0) : rows(r), columns(c), numbers(static_cast<std::size_t>(r * c), fill) {}
  double& operator()(Index i, Index j) { return numbers[static_cast<std::size_t>(i + j * rows)]; }
  double operator()(Index i, Index j) const { return numbers[static_cast<std::size_t>(i + j * rows)]; }
  template <class Make>
  static Table make(Index r, Index c, Make&& number) {
    Table t(r, c);
    for (Index j = 0; j < c; ++j)
      for (Index i = 0; i < r; ++i) t(i, j) = number(i, j);
    return t;
  }
  static Table random(Index r, Index c, unsigned seed, double scale = 1, double offset = 0) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    return make(r, c, [&](Index, Index) { return offset + scale * normal(engine); });
  }
  template <class T>
  static Table of(Block<T> b) {
    return make(b.rows, b.columns, [&](Index i, Index j) { return static_cast<double>(b(i, j)); });
  }
};

/// How a block lies in memory.
enum class Layout {
  padded,   // as the tape makes them
  compact,  // as parameters: stride == rows
  slice,    // rows of a larger block, of any number
};
constexpr Layout kLayouts[] = {Layout::padded, Layout::compact, Layout::slice};

/// A block in memory of its own; all that is not an element holds NaN (padding) or a guard (what nobody may touch).
template <class T>
class Stored {
 public:
  explicit Stored(const Table& table, Layout layout = Layout::padded) {
    const Index padded = round_up(table.rows, kPadding);
    Index stride = table.rows;
    if (layout == Layout::padded && table.rows != 1) stride = padded;
    if (layout == Layout::slice) stride = padded + kPadding;
    used_ = stride * table.columns;
    memory_.assign(static_cast<std::size_t>(used_) + 2 * kMargin, kGuard);
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data() + kGuards);
    T* first = reinterpret_cast<T*>((address + 63) / 64 * 64);
    block_ = {first, table.rows, table.columns, stride};
    for (Index j = 0; j < table.columns; ++j)
      for (Index i = 0; i < std::min(padded, stride); ++i)
        block_.column(j)[i] = i < table.rows ? static_cast<T>(table(i, j)) : std::numeric_limits<T>::quiet_NaN();
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;
  Block<T> block() { return block_; }
  /// True if everything around the block, padding excepted, still holds what it held.
  bool intact() const {
    const Index padded = round_up(block_.rows, kPadding);
    for (const T* p = memory_.data(); p < memory_.data() + memory_.size(); ++p) {
      const Index place = p - block_.data;
      const bool inside = place >= 0 && place < used_;
      if (inside && place % block_.stride < padded) continue;
      if (*p != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuards = 32, kMargin = 64;
  static constexpr T kGuard = T(-12345.5);
  std::vector<T> memory_;
  Block<T> block_;
  Index used_ = 0;
};

/// |a - b| / max(1, |a|, |b|), largest of all; equal NaNs and infinities agree.
inline double largest_difference(const Table& a, const Table& b) {
  if (a.rows != b.rows || a.columns != b.columns) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    const double u = a.numbers[i], v = b.numbers[i];
    if (u == v || (std::isnan(u) && std::isnan(v))) continue;
    const double d = std::abs(u - v) / std::max({1.0, std::abs(u), std::abs(v)});
    worst = std::max(worst, std::isnan(d) ? INFINITY : d);
  }
  return worst;
}

struct Tolerances {
  double value = 1e-13, value_float = 2e-6;
  double gradient = 1e-8, gradient_float = 2e-5;
  double step = 6e-6;
};

/// Evaluates `f(tape, vars)` on plain numbers in double and differentiates it every way. `f` returns a Var; it is
/// called for float and double.
template <class F>
class OperationCheck {
 public:
  OperationCheck(std::vector<Table> inputs, F f, Tolerances tolerances = {})
      : inputs_(std::move(inputs)), f_(std::move(f)), tolerances_(tolerances) {}

  Table value(const std::vector<Table>& at) const {
    Tape<double> tape(false);
    Given<double> given(at, Layout::padded);
    return Table::of(f_(tape, std::span<const Var<double>>(given.constants(tape))).value());
  }
  /// Values in all layouts and both precisions.
  void values(const Table& expected) const {
    for (const Layout layout : kLayouts) {
      CAPTURE(static_cast<int>(layout));
      CHECK(largest_difference(evaluate<double>(layout), expected) < tolerances_.value);
      CHECK(largest_difference(evaluate<float>(layout), expected) < tolerances_.value_float);
    }
  }
  /// Gradients in all layouts against central differences; each input alone and all together; added and fresh.
  void gradients() const {
    const Table shape = value(inputs_);
    const Table g = Table::random(shape.rows, shape.columns, 91);
    std::vector<Table> numeric;
    for (std::size_t k = 0; k < inputs_.size(); ++k)
      numeric.push_back(numeric_gradient(k, [&](const std::vector<Table>& at) { return dot(value(at), g); }));
    for (const Layout layout : kLayouts) {
      CAPTURE(static_cast<int>(layout));
      const std::vector<Table> all = gradient<double>(layout, g, true), fresh = gradient<double>(layout, g, false);
      const std::vector<Table> rough = gradient<float>(layout, g, true);
      for (std::size_t k = 0; k < inputs_.size(); ++k) {
        CAPTURE(k);
        CHECK(largest_difference(all[k], numeric[k]) < tolerances_.gradient);
        CHECK(largest_difference(fresh[k], all[k]) < 1e-12);
        CHECK(largest_difference(rough[k], numeric[k]) < tolerances_.gradient_float);
        const std::vector<Table> alone = gradient<double>(layout, g, true, static_cast<int>(k));
        CHECK(largest_difference(alone[k], all[k]) < 1e-12);
      }
    }
  }
  /// The directional derivative along all inputs, and along each alone, against central differences; its gradient
  /// and its own directional derivative.
  void tangents() const {
    const std::vector<Table> v = directions(17), u = directions(18);
    check_tangent(v);
    for (std::size_t k = 0; k < inputs_.size() && inputs_.size() > 1; ++k) {
      std::vector<Table> one(inputs_.size());
      one[k] = v[k];
      check_tangent(one);
    }
    // Second derivatives, by reverse mode through the tangent and by a tangent of the tangent.
    const Table shape = value(inputs_);
    const Table g = Table::random(shape.rows, shape.columns, 93);
    const std::vector<Table> gradient = gradient_of_tangent(v, g);
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      CAPTURE(k);
      const auto along = [&](const std::vector<Table>& at) { return dot(tangent(at, v), g); };
      CHECK(largest_difference(gradient[k], numeric_gradient(k, along)) < tolerances_.gradient);
    }
    const Table twice = numeric_tangent(u, [&](const std::vector<Table>& at) { return tangent(at, v); });
    CHECK(largest_difference(second_tangent(v, u), twice) < tolerances_.gradient);
  }
  /// A NaN in row i of input k makes row i of the result NaN, and leaves the others as they were.
  void nan_stays_in_its_row(std::size_t k) const {
    const Table clean = value(inputs_);
    std::vector<Table> at = inputs_;
    const Index row = at[k].rows / 2;
    for (Index j = 0; j < at[k].columns; ++j) at[k](row, j) = NAN;
    const Table dirty = value(at);
    for (Index j = 0; j < clean.columns; ++j)
      for (Index i = 0; i < clean.rows; ++i)
        if (i == row)
          CHECK(std::isnan(dirty(i, j)));
        else
          CHECK(std::abs(dirty(i, j) - clean(i, j)) <= 1e-13 * std::max(1.0, std::abs(clean(i, j))));
  }
  void everything(const Table& expected) const {
    values(expected);
    gradients();
    tangents();
  }

 private:
  /// The inputs in memory of their own, for one tape.
  template <class T>
  class Given {
   public:
    Given(const std::vector<Table>& tables, Layout layout) {
      for (const Table& t : tables) {
        blocks_.push_back(std::make_unique<Stored<T>>(t, layout));
        adjoints_.push_back(std::make_unique<Stored<T>>(Table(t.rows, t.columns, kStart), layout));
      }
    }
    std::vector<Var<T>> constants(Tape<T>& tape) {
      std::vector<Var<T>> vars;
      for (auto& b : blocks_) vars.push_back(tape.constant(b->block()));
      return vars;
    }
    std::vector<Var<T>> leaves(Tape<T>& tape, bool external, int only = -1) {
      std::vector<Var<T>> vars;
      for (std::size_t k = 0; k < blocks_.size(); ++k)
        if (only >= 0 && only != static_cast<int>(k))
          vars.push_back(tape.constant(blocks_[k]->block()));
        else if (external)
          vars.push_back(tape.leaf(blocks_[k]->block(), adjoints_[k]->block()));
        else
          vars.push_back(tape.leaf(blocks_[k]->block()));
      return vars;
    }
    /// What was added to the adjoints; checks that nothing around them was touched.
    Table added(std::size_t k) {
      CHECK(adjoints_[k]->intact());
      CHECK(blocks_[k]->intact());
      Table t = Table::of(adjoints_[k]->block());
      for (double& v : t.numbers) v -= kStart;
      return t;
    }

   private:
    static constexpr double kStart = 0.5;
    std::vector<std::unique_ptr<Stored<T>>> blocks_, adjoints_;
  };

  template <class T>
  Table evaluate(Layout layout) const {
    Tape<T> tape;
    Given<T> given(inputs_, layout);
    return Table::of(f_(tape, std::span<const Var<T>>(given.leaves(tape, false))).value());
  }
  template <class T>
  std::vector<Table> gradient(Layout layout, const Table& g, bool external, int only = -1) const {
    Tape<T> tape;
    Given<T> given(inputs_, layout);
    const std::vector<Var<T>> vars = given.leaves(tape, external, only);
    Stored<T> seed(g);
    tape.backward(f_(tape, std::span<const Var<T>>(vars)), seed.block());
    std::vector<Table> result;
    for (std::size_t k = 0; k < vars.size(); ++k)
      result.push_back(external ? given.added(k) : Table::of(tape.adjoint(vars[k])));
    return result;
  }
  /// Tangent along v (an empty table: no direction) at a point; none is zero.
  template <class T>
  Var<T> tangent_var(Tape<T>& tape, Var<T> y, const std::vector<Var<T>>& vars, std::vector<Table> v,
                     std::vector<std::unique_ptr<Stored<T>>>& memory) const {
    std::vector<Var<T>> along;
    for (Table& t : v) {
      if (t.rows == 0 && t.columns == 0) {
        along.emplace_back();
        continue;
      }
      memory.push_back(std::make_unique<Stored<T>>(t));
      along.push_back(tape.constant(memory.back()->block()));
    }
    Var<T> result;
    tape.tangent(std::span<const Var<T>>(&y, 1), std::span<const Var<T>>(vars), std::span<const Var<T>>(along),
                 std::span<Var<T>>(&result, 1));
    if (!result) return tape.full(y.rows(), y.columns(), T(0));
    REQUIRE(result.rows() == y.rows());
    REQUIRE(result.columns() == y.columns());
    return result;
  }
  Table tangent(const std::vector<Table>& at, const std::vector<Table>& v) const {
    Tape<double> tape;
    Given<double> given(at, Layout::padded);
    std::vector<std::unique_ptr<Stored<double>>> memory;
    const std::vector<Var<double>> vars = given.leaves(tape, false);
    const Var<double> y = f_(tape, std::span<const Var<double>>(vars));
    return Table::of(tangent_var(tape, y, vars, v, memory).value());
  }
  std::vector<Table> gradient_of_tangent(const std::vector<Table>& v, const Table& g) const {
    Tape<double> tape;
    Given<double> given(inputs_, Layout::padded);
    std::vector<std::unique_ptr<Stored<double>>> memory;
    const std::vector<Var<double>> vars = given.leaves(tape, true);
    const Var<double> y = f_(tape, std::span<const Var<double>>(vars));
    Stored<double> seed(g);
    tape.backward(tangent_var(tape, y, vars, v, memory), seed.block());
    std::vector<Table> result;
    for (std::size_t k = 0; k < vars.size(); ++k) result.push_back(given.added(k));
    return result;
  }
  Table second_tangent(const std::vector<Table>& v, const std::vector<Table>& u) const {
    Tape<double> tape;
    Given<double> given(inputs_, Layout::padded);
    std::vector<std::unique_ptr<Stored<double>>> memory;
    const std::vector<Var<double>> vars = given.leaves(tape, false);
    const Var<double> y = f_(tape, std::span<const Var<double>>(vars));
    const Var<double> first = tangent_var(tape, y, vars, v, memory);
    return Table::of(tangent_var(tape, first, vars, u, memory).value());
  }
  void check_tangent(const std::vector<Table>& v) const {
    const Table numeric = numeric_tangent(v, [&](const std::vector<Table>& at) { return value(at); });
    CHECK(largest_difference(tangent(inputs_, v), numeric) < tolerances_.gradient);
  }

  static double dot(const Table& a, const Table& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.numbers.size(); ++i) sum += a.numbers[i] * b.numbers[i];
    return sum;
  }
  std::vector<Table> directions(unsigned seed) const {
    std::vector<Table> v;
    for (const Table& t : inputs_) v.push_back(Table::random(t.rows, t.columns, seed++));
    return v;
  }
  template <class Scalar>
  Table numeric_gradient(std::size_t k, const Scalar& scalar) const {
    Table result(inputs_[k].rows, inputs_[k].columns);
    std::vector<Table> at = inputs_;
    for (std::size_t i = 0; i < result.numbers.size(); ++i) {
      const double x = at[k].numbers[i], h = tolerances_.step * std::max(1.0, std::abs(x));
      at[k].numbers[i] = x + h;
      const double above = scalar(at);
      at[k].numbers[i] = x - h;
      result.numbers[i] = (above - scalar(at)) / (2 * h);
      at[k].numbers[i] = x;
    }
    return result;
  }
  template <class Function>
  Table numeric_tangent(const std::vector<Table>& v, const Function& function) const {
    const auto moved = [&](double h) {
      std::vector<Table> at = inputs_;
      for (std::size_t k = 0; k < at.size(); ++k)
        for (std::size_t i = 0; i < v[k].numbers.size(); ++i) at[k].numbers[i] += h * v[k].numbers[i];
      return function(at);
    };
    Table above = moved(tolerances_.step);
    const Table below = moved(-tolerances_.step);
    for (std::size_t i = 0; i < above.numbers.size(); ++i)
      above.numbers[i] = (above.numbers[i] - below.numbers[i]) / (2 * tolerances_.step);
    return above;
  }

  std::vector<Table> inputs_;
  F f_;
  Tolerances tolerances_;
};

/// The message of the ShapeError that `f` throws.
template <class F>
std::string shape_error_of(F&& f) {
  try {
    f();
  } catch (const ShapeError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace pushforward::test
