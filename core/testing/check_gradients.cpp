// Checks 5, 6, 7, 18 and 26: gradients and tangents against numeric derivatives, and float32 against float64.
#include <algorithm>
#include <cmath>
#include <set>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

/// Every row by itself, for functions whose rows are independent.
void compare_rows(Case& c, const FunctionCase& f, Mode mode, Input input, Tally& t) {
  const RowSlopes all = row_slopes(c, f, c.request(f, kDrawn, 51, mode), input, t.tolerance());
  Request r = all.request;
  t.at(c.where(f, mode));
  for (const std::vector<Array>& set : cotangent_sets(all.here.outputs)) {
    r.cotangents = set;
    const Response response = c.runner(Precision::float64).run(r);
    const Array& at = input == Input::x ? r.x : r.context;
    for (Index j = 0; j < at.columns; ++j)
      for (Index i = 0; i < at.rows; ++i) {
        const Slopes& s = all.columns[static_cast<std::size_t>(j)];
        const auto row = static_cast<std::size_t>(i);
        if (s.kinked[row]) continue;
        const double numeric = row_dot(set, s.outputs, i);
        const double noise = rounding(row_magnitude(set, all.here.noise, i) / s.step[row], numeric);
        t.compare(
            i, [&] { return indexed(to_string(input), j); }, input_of(response, input)(i, j), numeric,
            t.tolerance() + noise);
      }
  }
  Index redrawn = 0;
  for (const Slopes& s : all.columns)
    redrawn = std::max<Index>(redrawn, std::count(s.kinked.begin(), s.kinked.end(), 1));
  count_redrawn(redrawn, kDrawn, t, c.where(f, mode));
}

void check_gradient_of(Case& c, Input input, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    if ((input == Input::x ? f.info.inputs : c.context_columns()) == 0) continue;
    if (!f.differentiable) {
      t.skip(f.info.name + " is not reparameterised");
      continue;
    }
    for (const Mode mode : c.modes(f)) {
      constexpr Index kCoupledRows = 12;
      if (!t.in_double()) {
        compare_precisions(
            c, f, c.request(f, kSamples, 51, mode),
            [input](const Response& r) -> const std::vector<double>& { return input_of(r, input).values; },
            [input](Index i) {
              return std::string(to_string(input)) + "[" + std::to_string(i % kSamples) + ", " +
                     std::to_string(i / kSamples) + "]";
            },
            t);
      } else if (c.coupled(f, mode)) {
        const Request r = c.request(f, kCoupledRows, 51, mode);
        compare_summed(c, f, r, entries_of(r, input), t);
      } else {
        compare_rows(c, f, mode, input, t);
      }
    }
  }
}

}  // namespace

void check_input_gradient(Case& c, Tally& t) { check_gradient_of(c, Input::x, t); }

void check_context_gradient(Case& c, Tally& t) {
  if (c.context_columns() == 0) return t.skip("there is no context");
  check_gradient_of(c, Input::context, t);
}

void check_parameter_gradient(Case& c, Tally& t) {
  if (c.layout().parameters.empty()) return t.skip("there are no parameters");
  for (const FunctionCase& f : c.functions()) {
    if (!f.differentiable) {
      t.skip(f.info.name + " is not reparameterised");
      continue;
    }
    for (const Mode mode : c.modes(f)) {
      const Request r = c.request(f, kSamples, 61, mode);
      if (t.in_double())
        compare_summed(c, f, r, entries_of_parameters(c, r), t);
      else
        compare_precisions(
            c, f, r, [](const Response& s) -> const std::vector<double>& { return s.parameters; },
            [&](Index i) { return parameter_name(c.layout(), i); }, t);
    }
  }
}

void check_reached(Case& c, Tally& t) {
  if (c.layout().parameters.empty()) return t.skip("there are no parameters");
  std::vector<double> largest(c.parameters().size(), 0.0);
  for (const FunctionCase& f : c.functions()) {
    if (!f.differentiable) continue;
    for (const Mode mode : c.modes(f)) {
      Request r = c.request(f, kSamples, 71, mode);
      r.cotangents = Case::cotangents(c.runner(Precision::float64).run(r).outputs, 1);
      const std::vector<double> gradient = c.runner(Precision::float64).run(r).parameters;
      for (std::size_t i = 0; i < gradient.size(); ++i) largest[i] = std::max(largest[i], std::abs(gradient[i]));
    }
  }
  const auto most = [&](const ParameterInfo& p) {
    const auto from = largest.begin() + p.handle.offset;
    return p.handle.size() == 0 ? 0.0 : *std::max_element(from, from + p.handle.size());
  };
  const auto& excuses = c.subject().without_gradient;
  const auto excuse = [&](const ParameterInfo& p) {
    return std::find_if(excuses.begin(), excuses.end(), [&](const auto& e) { return p.path.ends_with(e.first); });
  };
  std::set<std::string> needed;
  for (const ParameterInfo& p : c.layout().parameters) {
    if (p.handle.size() == 0 || most(p) > 0) {
      t.require(true, [] { return std::string(); });
      continue;
    }
    const auto found = excuse(p);
    t.require(found != excuses.end(), [&] { return p.path + " receives no gradient from any function, in any mode"; });
    if (found == excuses.end()) continue;
    needed.insert(found->first);
    t.note(p.path + ": " + found->second);
  }
  for (const auto& excused : excuses)
    t.require(needed.count(excused.first) > 0, [&] {
      return excused.first + " is excused from having a gradient, but no parameter of this name is without one";
    });
}

void check_tangent(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    if (f.info.inputs == 0 || c.coupled(f, Mode::evaluate)) continue;
    const RowSlopes all = row_slopes(c, f, c.request(f, kDrawn, 81), Input::x, t.tolerance());
    Request r = all.request;
    r.direction = normal_array(r.x.rows, r.x.columns, 82);
    Response response;
    try {
      response = c.runner(Precision::float64).run(r);
    } catch (const Error& e) {
      t.skip(e.what());
      continue;
    }
    t.at(c.where(f));
    for (std::size_t o = 0; o < response.tangents.size(); ++o)
      for (Index k = 0; k < response.tangents[o].columns; ++k)
        for (Index i = 0; i < r.x.rows; ++i) {
          if (all.kinked[static_cast<std::size_t>(i)]) continue;
          double numeric = 0, step = kStep;
          for (Index j = 0; j < r.x.columns; ++j) {
            const Slopes& s = all.columns[static_cast<std::size_t>(j)];
            numeric += s.outputs[o](i, k) * r.direction(i, j);
            step = std::min(step, s.step[static_cast<std::size_t>(i)]);
          }
          t.compare(
              i, [&] { return "tangent of " + indexed(f.info.outputs[o], k); }, response.tangents[o](i, k), numeric,
              t.tolerance() + rounding(all.here.noise[o](i, k) / step, numeric));
        }
  }
}

}  // namespace pushforward::testing
