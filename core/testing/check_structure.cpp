// Check 4: what the traits declare holds bit for bit.
#include <algorithm>
#include <cmath>

#include "kit.h"

namespace pushforward::testing {

namespace {

/// All rows get the context of the first, so that what is the same for every event can be.
Request one_context(Case& c, const FunctionCase& f, unsigned seed) {
  Request r = c.request(f, kSamples, seed);
  for (Index j = 0; j < r.context.columns; ++j)
    for (Index i = 1; i < r.context.rows; ++i) r.context(i, j) = r.context(0, j);
  return r;
}

/// Changes one input column at a time; the outputs that do not depend on it must keep their bits.
void check_dependence(Case& c, const FunctionCase& f, Tally& t) {
  const Request r = c.request(f, kSamples, 41), other = c.request(f, kSamples, 42);
  const Array here = c.runner(t.precision()).run(r).outputs[0];
  const bool elementwise = c.map()->elementwise;
  if (elementwise && here.columns != r.x.columns)
    return t.finding(c.where(f) + ": declared elementwise, but maps " + std::to_string(r.x.columns) + " columns to " +
                     std::to_string(here.columns));
  for (Index j = 0; j < r.x.columns; ++j) {
    Request moved = r;
    for (Index i = 0; i < r.x.rows; ++i) moved.x(i, j) = other.x(i, j);
    const Array there = c.runner(t.precision()).run(moved).outputs[0];
    for (Index k = 0; k < here.columns; ++k) {
      const bool depends = elementwise ? k == j : k >= j;
      if (depends) continue;
      const auto name = [&] { return indexed("value", k) + " after a change of " + indexed("x", j); };
      for (Index i = 0; i < here.rows; ++i) t.same(i, name, there(i, k), here(i, k));
    }
  }
}

void check_permutation(Case& c, const FunctionCase& f, Tally& t) {
  const Request r = c.request(f, kSamples, 43);
  const std::vector<Array> out = c.runner(t.precision()).run(r).outputs;
  if (out[0].columns != r.x.columns)
    return t.finding(c.where(f) + ": declared a permutation, but the number of columns changes");
  for (Index i = 0; i < r.x.rows; ++i) {
    std::vector<double> before, after;
    for (Index j = 0; j < r.x.columns; ++j) {
      before.push_back(r.x(i, j));
      after.push_back(out[0](i, j));
    }
    if (std::any_of(after.begin(), after.end(), [](double v) { return std::isnan(v); }))
      return t.finding(c.where(f) + ": declared a permutation, but sample " + std::to_string(i) +
                       " comes out with a NaN");
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    for (std::size_t j = 0; j < before.size(); ++j)
      t.same(
          i, [] { return std::string("value, sorted"); }, after[j], before[j]);
    t.require(out[1](i, 0) == 0,
              [&] { return c.where(f) + ": declared a permutation, but log_det is " + std::to_string(out[1](i, 0)); });
  }
}

void check_constant_log_det(Case& c, const FunctionCase& f, Tally& t) {
  const std::vector<Array> out = c.runner(t.precision()).run(one_context(c, f, 44)).outputs;
  for (Index i = 1; i < out[1].rows; ++i)
    t.same(
        i, [] { return std::string("log_det, against that of sample 0"); }, out[1](i, 0), out[1](0, 0));
}

void check_increasing(Case& c, const FunctionCase& f, Tally& t) {
  const Request r = one_context(c, f, 45);
  const Array out = c.runner(t.precision()).run(r).outputs[0];
  if (out.columns != r.x.columns) return;
  for (Index j = 0; j < out.columns; ++j) {
    std::vector<std::pair<double, double>> pairs;
    for (Index i = 0; i < out.rows; ++i)
      if (!std::isnan(out(i, j))) pairs.emplace_back(r.x(i, j), out(i, j));
    t.require(static_cast<Index>(pairs.size()) == out.rows,
              [&] { return c.where(f) + ": declared increasing, but " + indexed("value", j) + " holds a NaN"; });
    std::sort(pairs.begin(), pairs.end());
    for (std::size_t i = 1; i < pairs.size(); ++i)
      t.require(pairs[i - 1].first == pairs[i].first || pairs[i - 1].second < pairs[i].second, [&] {
        return c.where(f) + ": declared increasing, but " + indexed("x", j) + " = " +
               std::to_string(pairs[i - 1].first) + " and " + std::to_string(pairs[i].first) + " give " +
               std::to_string(pairs[i - 1].second) + " and " + std::to_string(pairs[i].second);
      });
  }
}

void check_codomain(Case& c, const FunctionCase& f, Tally& t) {
  const FunctionCase* other = c.find(f.info.name == "forward" ? "inverse" : "forward");
  const auto& map = dynamic_cast<const Bijector<double>&>(c.runner(Precision::float64).component());
  const Support s = other ? other->support : f.info.name == "forward" ? map.codomain() : map.domain();
  const Array out = c.runner(t.precision()).run(c.request(f, kSamples, 46)).outputs[0];
  // The declared bounds as the precision knows them.
  const double slack = t.in_double() ? 1e-15 : 1e-6;
  for (Index j = 0; j < out.columns; ++j)
    for (Index i = 0; i < out.rows; ++i)
      t.require(
          out(i, j) >= s.lower - slack * std::abs(s.lower) && out(i, j) <= s.upper + slack * std::abs(s.upper), [&] {
            return c.where(f) + ": " + indexed("value", j) + " = " + std::to_string(out(i, j)) +
                   " lies outside of the declared [" + std::to_string(s.lower) + ", " + std::to_string(s.upper) + "]";
          });
}

/// Columns that come out as they went in, bit for bit, whatever they hold: the kept half of a coupling.
std::vector<bool> untouched(Case& c, const FunctionCase& f, Precision p) {
  const Request r = c.request(f, kSamples, 47);
  const Array out = c.runner(p).run(r).outputs[0];
  std::vector<bool> same(static_cast<std::size_t>(out.columns), true);
  for (Index j = 0; j < out.columns; ++j)
    for (Index i = 0; i < out.rows; ++i)
      if (!same_bits(out(i, j), r.x(i, j))) same[static_cast<std::size_t>(j)] = false;
  return same;
}

void check_untouched(Case& c, Tally& t) {
  if (c.base_columns() != c.data_columns() || c.functions().size() != 2) return;
  if (c.map()->draws_forward || c.map()->draws_inverse) return;
  const std::vector<bool> there = untouched(c, c.functions()[0], t.precision());
  const std::vector<bool> back = untouched(c, c.functions()[1], t.precision());
  for (std::size_t j = 0; j < there.size(); ++j)
    t.require(there[j] == back[j], [&] {
      return indexed("x", static_cast<Index>(j)) + " passes untouched through " + (there[j] ? "forward" : "inverse") +
             ", but not through " + (there[j] ? "inverse" : "forward");
    });
}

void check_shapes(Case& c, Tally& t) {
  const auto& map = dynamic_cast<const Bijector<double>&>(c.runner(Precision::float64).component());
  const Shape& data = c.variant().surroundings.event_shape;
  const Shape again = map.forward_event_shape(map.inverse_event_shape(data));
  t.require(again == data, [&] {
    return "forward_event_shape(inverse_event_shape(" + data.to_string() + ")) is " + again.to_string();
  });
  for (const FunctionCase& f : c.functions()) {
    const Index columns = c.runner(t.precision()).run(c.request(f, 3, 48)).outputs[0].columns;
    const Index expected = f.info.name == "forward" ? c.data_columns() : c.base_columns();
    t.require(columns == expected, [&] {
      return c.where(f) + ": " + std::to_string(columns) + " columns, but the event shapes promise " +
             std::to_string(expected);
    });
  }
}

}  // namespace

void check_structure(Case& c, Tally& t) {
  if (!c.map()) return;
  const Traits& traits = *c.map();
  check_shapes(c, t);
  for (const FunctionCase& f : c.functions()) {
    t.at(c.where(f));
    if (traits.elementwise || traits.triangular) check_dependence(c, f, t);
    if (traits.permutation) check_permutation(c, f, t);
    if (traits.constant_log_det) check_constant_log_det(c, f, t);
    if (traits.increasing) check_increasing(c, f, t);
    check_codomain(c, f, t);
  }
  check_untouched(c, t);
}

}  // namespace pushforward::testing
