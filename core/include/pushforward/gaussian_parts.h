// Joint log-densities of the parts of a mixture of normal distributions, N x K: a kernel and its derivatives.
//
// Used by the distribution `gaussian_mixture`, whose file says what the numbers of a part mean.
#pragma once

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "pushforward/kernel_loops.h"
#include "pushforward/operations.h"

namespace pushforward::gaussian_parts {

inline const double kHalfLogTwoPi = 0.5 * std::log(2 * std::numbers::pi);

// --- forms -----------------------------------------------------------------------------------------------------------

enum class Covariance : std::uint8_t { diagonal, spherical, full, tied };

/// How many numbers there are, and where those of a part stand.
struct Form {
  Index parts, size;
  Covariance covariance;

  bool regressions() const { return covariance == Covariance::full || covariance == Covariance::tied; }
  Index coefficients() const { return regressions() ? size * (size - 1) / 2 : 0; }
  Index scale_rows() const { return covariance == Covariance::tied ? 1 : parts; }
  Index scale_columns() const { return covariance == Covariance::spherical ? 1 : size; }
  Index scale_row(Index k) const { return covariance == Covariance::tied ? 0 : k; }
  Index scale_column(Index j) const { return covariance == Covariance::spherical ? 0 : j; }
  /// Of c_i0 in a part's coefficients.
  static Index row_start(Index i) { return i * (i - 1) / 2; }
};

/// The numbers in double: what is given, or found on the first batch.
struct Start {
  std::vector<double> logits, means, log_scales, coefficients;
};

inline Covariance covariance_of(const std::string& name) {
  return name == "diagonal"    ? Covariance::diagonal
         : name == "spherical" ? Covariance::spherical
         : name == "full"      ? Covariance::full
                               : Covariance::tied;
}

/// Appends the regressions of a lower triangular factor L of a covariance matrix (L L^T), row by row D x D: with L = M
/// diag(e^l), M unit triangular, the regressions are I - M^-1.
inline void append_regressions(const std::vector<double>& factor, Index size, Start& start) {
  const auto at = [size](Index i, Index j) { return static_cast<std::size_t>(i * size + j); };
  std::vector<double> inverse(factor.size(), 0.0);
  for (Index i = 0; i < size; ++i) {
    start.log_scales.push_back(std::log(factor[at(i, i)]));
    inverse[at(i, i)] = 1;
    for (Index j = 0; j < i; ++j) {
      double sum = 0;
      for (Index k = j; k < i; ++k) sum += factor[at(i, k)] / factor[at(k, k)] * inverse[at(k, j)];
      inverse[at(i, j)] = -sum;
      start.coefficients.push_back(sum);
    }
  }
}

/// The lower triangular factor of a positive definite matrix, in place of it.
inline void factorise(std::vector<double>& a, Index size) {
  const auto at = [size](Index i, Index j) { return static_cast<std::size_t>(i * size + j); };
  for (Index j = 0; j < size; ++j) {
    for (Index k = 0; k < j; ++k) a[at(j, j)] -= a[at(j, k)] * a[at(j, k)];
    a[at(j, j)] = std::sqrt(a[at(j, j)]);
    for (Index i = j + 1; i < size; ++i) {
      for (Index k = 0; k < j; ++k) a[at(i, j)] -= a[at(i, k)] * a[at(j, k)];
      a[at(i, j)] /= a[at(j, j)];
    }
  }
}

// --- the kernel ------------------------------------------------------------------------------------------------------

/// What the kernel reads of a part, from scratch memory: parameters stand in columns of parts.
template <class T>
struct Part {
  T constant;             // log weight - sum l - D/2 log(2 pi)
  T* mean;                // D
  T* reciprocal_scale;    // D: e^-l
  const T* coefficients;  // row by row, or null
};

template <class T>
struct Numbers {
  Block<const T> logits, means, log_scales, coefficients;
};

inline double log_sum_of_exponentials(const double* x, Index n) {
  const double most = *std::max_element(x, x + n);
  double sum = 0;
  for (Index k = 0; k < n; ++k) sum += std::exp(x[k] - most);
  return most + std::log(sum);
}

template <class T>
Part<T>* tabulate(const Form& form, const Numbers<T>& n, Tape<T>& tape) {
  const Index size = form.size, coefficients = form.coefficients();
  auto* parts = tape.template scratch<Part<T>>(form.parts);
  auto* logits = tape.template scratch<double>(form.parts);
  for (Index k = 0; k < form.parts; ++k) logits[k] = static_cast<double>(n.logits(0, k));
  const double total = log_sum_of_exponentials(logits, form.parts);
  for (Index k = 0; k < form.parts; ++k) {
    T* memory = tape.template scratch<T>(2 * size + coefficients);
    double constant = logits[k] - total - kHalfLogTwoPi * static_cast<double>(size);
    const Index row = form.scale_row(k);
    for (Index j = 0; j < size; ++j) {
      const T l = n.log_scales(row, form.scale_column(j));
      constant -= static_cast<double>(l);
      memory[j] = n.means(k, j);
      memory[size + j] = std::exp(-l);
    }
    for (Index c = 0; c < coefficients; ++c) memory[2 * size + c] = n.coefficients(row, c);
    parts[k] = {static_cast<T>(constant), memory, memory + size, coefficients > 0 ? memory + 2 * size : nullptr};
  }
  return parts;
}

/// d = y - m and u = e^-l (d - c d) of one batch of rows.
template <class T>
PUSHFORWARD_KERNEL_INLINE void whiten(const Part<T>& part, Block<const T> y, Index i, const simd::Lanes<T>& lanes,
                                      simd::Batch<T>* d, simd::Batch<T>* u) {
  using B = simd::Batch<T>;
  const T* c = part.coefficients;
  for (Index j = 0; j < y.columns; ++j) {
    B rest = d[j] = lanes.load(y.column(j) + i) - B(part.mean[j]);
    if (c)
      for (Index k = 0; k < j; ++k) rest = xsimd::fnma(B(*c++), d[k], rest);
    u[j] = rest * B(part.reciprocal_scale[j]);
  }
}

template <class T>
void evaluate(const Form& form, const Part<T>* parts, Block<const T> y, Block<T> out, Tape<T>& tape) {
  using B = simd::Batch<T>;
  Workspace<T> work(tape);
  B* d = work.template array<B>(form.size);
  B* u = work.template array<B>(form.size);
  for (Index k = 0; k < form.parts; ++k)
    for (Index i = 0; i < y.rows; i += simd::kLanes<T>) {
      const simd::Lanes<T> lanes(y.rows - i);
      whiten(parts[k], y, i, lanes, d, u);
      B squares(T(0));
      for (Index j = 0; j < form.size; ++j) squares = simd::fma(u[j], u[j], squares);
      lanes.store(out.column(k) + i, simd::fma(squares, B(T(-0.5)), B(parts[k].constant)));
    }
}

/// Adds the gradients of one part's joint log-densities; those of its numbers to `sums`: log weight, m, l and c.
template <class T>
void differentiate(const Form& form, const Part<T>& part, Block<const T> y, const T* adjoint, Block<T>* y_gradient,
                   double* sums, Tape<T>& tape) {
  using B = simd::Batch<T>;
  const Index size = form.size, coefficients = form.coefficients(), count = 1 + 2 * size + coefficients;
  Workspace<T> work(tape);
  B* d = work.template array<B>(size);
  B* u = work.template array<B>(size);
  B* h = work.template array<B>(size);
  B* all = work.template array<B>(count);
  for (Index n = 0; n < count; ++n) all[n] = B(T(0));
  B *mean = all + 1, *scale = mean + size, *coefficient = scale + size;
  for (Index i = 0; i < y.rows; i += simd::kLanes<T>) {
    const simd::Lanes<T> lanes(y.rows - i);
    const B a = lanes.load(adjoint + i);
    whiten(part, y, i, lanes, d, u);
    all[0] += a;
    for (Index j = 0; j < size; ++j) {
      h[j] = a * u[j] * B(part.reciprocal_scale[j]);  // minus the adjoint of what u is before it is scaled
      scale[j] += a * (u[j] * u[j] - B(T(1)));
    }
    for (Index j = 0; j < size; ++j) {
      B g = h[j];
      for (Index k = 0; k < j && part.coefficients; ++k) coefficient[Form::row_start(j) + k] += h[j] * d[k];
      for (Index k = j + 1; k < size && part.coefficients; ++k)
        g = xsimd::fnma(h[k], B(part.coefficients[Form::row_start(k) + j]), g);
      mean[j] += g;
      if (!y_gradient) continue;
      T* p = y_gradient->column(j) + i;
      lanes.store(p, lanes.load(p) - g);
    }
  }
  alignas(64) T lanes[simd::kLanes<T>];
  for (Index n = 0; n < count; ++n) {
    simd::store(lanes, all[n]);
    sums[n] = 0;
    for (const T lane : lanes) sums[n] += static_cast<double>(lane);
  }
}

template <class T>
void add_number(const Vjp<T>& v, int input, Index row, Index column, double g) {
  T& place = v.gradient(input)(row, column);
  place += static_cast<T>(g);
}

/// The sums of part k to the gradients of means, scales and coefficients.
template <class T>
void add_sums(const Form& form, const Vjp<T>& v, Index k, const double* sums) {
  const double *mean = sums + 1, *scale = mean + form.size, *coefficient = scale + form.size;
  const Index row = form.scale_row(k);
  for (Index j = 0; j < form.size && v.wants(2); ++j) add_number(v, 2, k, j, mean[j]);
  for (Index j = 0; j < form.size && v.wants(3); ++j) add_number(v, 3, row, form.scale_column(j), scale[j]);
  for (Index c = 0; c < form.coefficients() && v.wants(4); ++c) add_number(v, 4, row, c, coefficient[c]);
}

/// Inputs: y, logits, means, log scales and coefficients, or none.
template <class T>
void pull_back(const Form& form, const Part<T>* parts, Vjp<T>& v) {
  Workspace<T> work(v.tape());
  const Index count = 1 + 2 * form.size + form.coefficients();
  double* sums = work.template array<double>(count * form.parts);
  const Block<const T> adjoint = v.adjoint(0);
  Block<T> y_gradient;
  if (v.wants(0)) y_gradient = v.gradient(0);
  double total = 0;
  for (Index k = 0; k < form.parts; ++k) {
    double* own = sums + k * count;
    differentiate(form, parts[k], v.value(0), adjoint.column(k), v.wants(0) ? &y_gradient : nullptr, own, v.tape());
    add_sums(form, v, k, own);
    total += own[0];
  }
  if (!v.wants(1)) return;
  double* logits = work.template array<double>(form.parts);
  for (Index k = 0; k < form.parts; ++k) logits[k] = static_cast<double>(v.value(1)(0, k));
  const double all = log_sum_of_exponentials(logits, form.parts);
  for (Index k = 0; k < form.parts; ++k) add_number(v, 1, 0, k, sums[k * count] - std::exp(logits[k] - all) * total);
}

// --- the same in ordinary operations ---------------------------------------------------------------------------------

/// Row k of a block of numbers, as a row.
template <class T>
Var<T> number_row(Var<T> numbers, Index k) {
  return numbers.rows() == 1 ? numbers : reshape(columns(transpose(numbers), k, 1), 1, numbers.columns());
}

/// What the kernel computes, for derivatives that it has no rule for.
template <class T>
Var<T> plain_parts(const Form& form, Var<T> y, Var<T> logits, Var<T> means, Var<T> log_scales, Var<T> coefficients) {
  std::vector<Var<T>> parts;
  const Var<T> log_weights = logits - log_sum_exp(logits);
  for (Index k = 0; k < form.parts; ++k) {
    const Var<T> l = number_row(log_scales, form.scale_row(k)), d = y - number_row(means, k);
    Var<T> rest = d;
    if (coefficients) {
      const Var<T> c = number_row(coefficients, form.scale_row(k));
      std::vector<Var<T>> elements{columns(d, 0, 1)};
      for (Index i = 1; i < form.size; ++i)
        elements.push_back(columns(d, i, 1) - row_sum(columns(d, 0, i) * columns(c, Form::row_start(i), i)));
      rest = concatenate<T>(elements);
    }
    const T alike = static_cast<T>(form.size / l.columns());
    const T constant = static_cast<T>(kHalfLogTwoPi * static_cast<double>(form.size));
    parts.push_back(row_sum(square(rest * exp(-l))) * T(-0.5) + (columns(log_weights, k, 1) - row_sum(l) * alike) -
                    constant);
  }
  return concatenate<T>(parts);
}

template <class T>
void push_forward(const Form& form, Jvp<T>& j) {
  std::vector<Var<T>> inputs, directions;
  for (int i = 0; i < 5; ++i)
    if (j.has_tangent(i)) {
      inputs.push_back(j.input(i));
      directions.push_back(j.tangent(i));
    }
  const Var<T> plain = plain_parts(form, j.input(0), j.input(1), j.input(2), j.input(3), j.input(4));
  Var<T> result;
  j.tape().tangent({&plain, 1}, inputs, directions, {&result, 1});
  j.set(0, result);
}

}  // namespace pushforward::gaussian_parts
