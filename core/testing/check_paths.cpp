// Check 20: every fast path equals the plain one. Theta per row, shared by the rows, and prepared; a masked network
// degree by degree, and at once.
#include <algorithm>
#include <cmath>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

template <class Value>
double column_total(const Value& a, Index j) {
  double sum = 0;
  for (Index i = 0; i < a.rows; ++i) sum += a(i, j);
  return sum;
}

double column_size(const Array& a, Index j) {
  double sum = 1;
  for (Index i = 0; i < a.rows; ++i) sum += std::abs(a(i, j));
  return sum;
}

/// The per-row form, given one theta in all its rows, against another form of the same theta.
void compare_forms(Case& c, const FunctionCase& f, ThetaForm form, Tally& t) {
  Variant other = c.variant();
  other.form = form;
  other.surroundings.context = 0;
  Case shared(c.subject(), other);
  Request r = c.request(f, kOddSamples, 251);
  // The transformer's own numbers come first, and are the same in every form.
  const std::vector<double>& own = c.parameters();
  const std::size_t first = own.size();
  std::vector<double> theta = shared.parameters();
  std::copy(own.begin(), own.end(), theta.begin());
  for (Index k = 0; k < r.context.columns; ++k) {
    theta[first + static_cast<std::size_t>(k)] = r.context(0, k);
    for (Index i = 1; i < kOddSamples; ++i) r.context(i, k) = r.context(0, k);
  }
  r.cotangents = Case::cotangents(c.runner(t.precision()).run(r).outputs, 252);
  const Response plain = c.runner(t.precision()).run(r), known = conditions(c, r);
  Request s = r;
  s.context = Array();
  s.parameters = &theta;
  const Response fast = shared.runner(t.precision()).run(s);
  t.at(f.info.name + (form == ThetaForm::shared ? ", shared theta" : ", prepared theta"));
  // What overflows in both is not finite in both; whether it may is the business of the edges.
  const auto lost = [](double u, double v) { return !std::isfinite(u) && !std::isfinite(v); };
  const auto compare = [&](const std::string& name, const Array& a, const Array& b, const Array& condition) {
    for (Index j = 0; j < a.columns; ++j)
      for (Index i = 0; i < a.rows; ++i) {
        if (lost(a(i, j), b(i, j))) continue;
        t.compare(
            i, [&] { return indexed(name, j); }, b(i, j), a(i, j), t.tolerance() * condition(i, j));
      }
  };
  for (std::size_t o = 0; o < plain.outputs.size(); ++o)
    compare(f.info.outputs[o], plain.outputs[o], fast.outputs[o], known.outputs[o]);
  compare("gradient of x", plain.x, fast.x, known.x);
  for (Index k = 0; k < plain.context.columns; ++k) {
    const double rows_together = column_total(plain.context, k),
                 shared_theta = fast.parameters[static_cast<std::size_t>(k)];
    if (lost(rows_together, shared_theta)) continue;
    double condition = 1;
    for (Index i = 0; i < kOddSamples; ++i) condition = std::max(condition, known.context(i, k));
    t.compare(
        -1, [&] { return indexed("gradient of theta", k); }, fast.parameters[first + static_cast<std::size_t>(k)],
        column_total(plain.context, k), t.tolerance() * condition * column_size(plain.context, k));
  }
}

void compare_degrees(Case& c, const FunctionCase& f, Tally& t) {
  for (const Index rows : {kSamples, Index{1}, Index{5}}) {
    Request r = c.request(f, rows, 261);
    r.cotangents = Case::cotangents(c.runner(t.precision()).run(r).outputs, 264);
    const Response dense = c.runner(t.precision()).run(r), known = conditions(c, r);
    const Response stepped = c.runner(t.precision()).run_by_degrees(r, c.variant().surroundings.network);
    if (stepped.outputs.empty()) return t.skip("it has no stepper");
    t.at(c.where(f) + ", degree by degree");
    const auto compare = [&](const char* name, const Array& a, const Array& b, const Array& condition) {
      for (Index j = 0; j < a.columns; ++j)
        for (Index i = 0; i < rows; ++i)
          t.compare(
              i, [&] { return indexed(name, j); }, b(i, j), a(i, j), t.tolerance() * condition(i, j));
    };
    compare("value", dense.outputs[0], stepped.outputs[0], known.outputs[0]);
    compare("gradient of x", dense.x, stepped.x, known.x);
  }
}

/// output o may depend on input i only if input_degrees[i] < output_degrees[o].
void check_masks(Case& c, const FunctionCase& f, Tally& t) {
  const NetworkShape& shape = c.variant().surroundings.network;
  const Request r = c.request(f, kSamples, 262), other = c.request(f, kSamples, 263);
  const Array here = c.runner(t.precision()).run(r).outputs[0];
  t.at(c.where(f) + ", masks");
  for (std::size_t i = 0; i < shape.input_degrees.size(); ++i) {
    Request moved = r;
    const auto column = static_cast<Index>(i);
    for (Index row = 0; row < kSamples; ++row) moved.x(row, column) = other.x(row, column);
    const Array there = c.runner(t.precision()).run(moved).outputs[0];
    for (std::size_t o = 0; o < shape.output_degrees.size(); ++o) {
      if (shape.input_degrees[i] < shape.output_degrees[o]) continue;
      const auto output = static_cast<Index>(o);
      for (Index row = 0; row < kSamples; ++row)
        t.same(
            row, [&] { return indexed("value", output) + " after a change of " + indexed("x", column); },
            there(row, output), here(row, output));
    }
  }
}

}  // namespace

void check_fast_path(Case& c, Tally& t) {
  const Variant& v = c.variant();
  if (v.form == ThetaForm::per_row) {
    const bool prepares = theta_columns(c.runner(Precision::float64).component()).prepared > 0;
    for (const FunctionCase& f : c.functions()) {
      compare_forms(c, f, ThetaForm::shared, t);
      if (prepares) compare_forms(c, f, ThetaForm::prepared, t);
    }
  }
  if (v.surroundings.network.output_degrees.empty()) return;
  for (const FunctionCase& f : c.functions()) {
    check_masks(c, f, t);
    compare_degrees(c, f, t);
  }
}

}  // namespace pushforward::testing
