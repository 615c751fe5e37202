// Checks 5, 6, 7, 18, 26 and 28: gradients and tangents against numeric derivatives, and float32 against float64.
#include <algorithm>
#include <cmath>
#include <set>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

/// Compares, and says where the numeric slopes can be trusted.
RowSlopes compared_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance,
                          Tally& t) {
  RowSlopes all = row_slopes(c, f, request, input, tolerance);
  Request r = all.request;
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
            tolerance + noise);
      }
  }
  return all;
}

}  // namespace

void compare_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance, Tally& t) {
  compared_slopes(c, f, request, input, tolerance, t);
}

void compare_sampled_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, Tally& t) {
  const RowSlopes all = compared_slopes(c, f, request, input, t.tolerance(), t);
  Index redrawn = 0;
  for (const Slopes& s : all.columns)
    redrawn = std::max<Index>(redrawn, std::count(s.kinked.begin(), s.kinked.end(), 1));
  count_redrawn(redrawn, request.rows, t, c.where(f, request.mode));
}

namespace {

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
        t.at(c.where(f, mode));
        compare_sampled_slopes(c, f, c.request(f, kDrawn, 51, mode), input, t);
      }
    }
  }
}

/// Gradients of all numbers are asked for at the example's own event size, and of one element.
bool is_between(Case& c) { return c.variant().resized && c.variant().surroundings.event_shape.size() > 1; }

/// Rows whose outputs are too large for differences of them.
std::vector<bool> overflowing(const std::vector<Array>& outputs, Index rows) {
  constexpr double kLarge = 1e12;
  std::vector<bool> found(static_cast<std::size_t>(rows), false);
  for (const Array& a : outputs)
    for (Index k = 0; k < a.columns; ++k)
      for (Index i = 0; i < rows; ++i)
        if (!(std::abs(a(i, k)) < kLarge)) found[static_cast<std::size_t>(i)] = true;
  return found;
}

/// Raw numbers as a network may give them: formulas for large ones are branches of their own.
void check_far_theta(Case& c, Tally& t) {
  // A spline has steep bins there, of which numeric slopes tell less.
  constexpr double kFurther = 3, kTolerance = 1e-3;
  for (const FunctionCase& f : c.functions()) {
    const Request near = c.request(f, kDrawn, 52);
    Request r = near;
    for (double& v : r.context.values) v *= kFurther;
    if (const FunctionCase* forward = c.find("forward"); f.info.name == "inverse" && forward && !c.map()->elementwise) {
      Request there = c.request(*forward, kDrawn, 52);
      there.context = r.context;
      r.x = c.runner(Precision::float64).run(there).outputs[0];
    }
    const std::vector<bool> large = overflowing(c.runner(Precision::float64).run(r).outputs, kDrawn);
    for (Index i = 0; i < kDrawn; ++i) {
      if (!large[static_cast<std::size_t>(i)]) continue;
      for (Index k = 0; k < r.context.columns; ++k) r.context(i, k) = near.context(i, k);
      for (Index k = 0; k < r.x.columns; ++k) r.x(i, k) = near.x(i, k);
    }
    t.at(c.where(f) + " three times as large");
    compare_slopes(c, f, r, Input::context, kTolerance, t);
  }
}

}  // namespace

void check_input_gradient(Case& c, Tally& t) { check_gradient_of(c, Input::x, t); }

void check_context_gradient(Case& c, Tally& t) {
  if (is_between(c)) return;
  if (c.context_columns() == 0) return t.skip("there is no context");
  check_gradient_of(c, Input::context, t);
  if (t.in_double() && c.variant().form == ThetaForm::per_row) check_far_theta(c, t);
}

void check_parameter_gradient(Case& c, Tally& t) {
  if (is_between(c)) return;
  if (c.layout().parameters.empty()) return t.skip("there are no parameters");
  for (const FunctionCase& f : c.functions()) {
    if (!f.differentiable) {
      t.skip(f.info.name + " is not reparameterised");
      continue;
    }
    for (const Mode mode : c.modes(f)) {
      const Request r = c.request(f, kOddSamples, 61, mode);
      if (t.in_double())
        compare_summed(c, f, r, entries_of_parameters(c, r), t);
      else
        compare_precisions(
            c, f, r, [](const Response& s) -> const std::vector<double>& { return s.parameters; },
            [&](Index i) { return parameter_name(c.layout(), i); }, t);
    }
  }
}

void check_values(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    if (f.random) {
      t.skip("float32 draws other numbers");
      continue;
    }
    for (const Mode mode : c.modes(f)) {
      const Request r = c.request(f, kSamples, 66, mode);
      const std::vector<Array> plain = c.runner(Precision::float64).run(r).outputs;
      const std::vector<Array> single = c.runner(Precision::float32).run(r).outputs, known = conditions(c, r).outputs;
      t.at(c.where(f, mode));
      for (std::size_t o = 0; o < plain.size(); ++o)
        for (Index j = 0; j < plain[o].columns; ++j)
          for (Index i = 0; i < plain[o].rows; ++i)
            t.compare(
                i, [&] { return indexed(f.info.outputs[o], j); }, single[o](i, j), plain[o](i, j),
                t.tolerance(f.iterative) * known[o](i, j));
    }
  }
}

namespace {

/// Theta is nobody's parameter where each row has its own, but each of its numbers must matter all the same.
void check_theta_is_reached(Case& c, Tally& t) {
  constexpr Index kRows = 2048;  // a spline with many pieces depends on most of its numbers in few places
  const Index numbers = c.theta_numbers();
  if (numbers == 0) return t.skip("there are no parameters");
  std::vector<double> largest(static_cast<std::size_t>(numbers), 0.0);
  for (const FunctionCase& f : c.functions()) {
    Request r = c.request(f, kRows, 71);
    r.cotangents = Case::cotangents(c.runner(Precision::float64).run(r).outputs, 1);
    const Array gradient = c.runner(Precision::float64).run(r).context;
    for (Index j = 0; j < gradient.columns; ++j)
      for (Index i = 0; i < gradient.rows; ++i) {
        double& most = largest[static_cast<std::size_t>(j % numbers)];
        most = std::max(most, std::abs(gradient(i, j)));
      }
  }
  for (Index k = 0; k < numbers; ++k)
    t.require(largest[static_cast<std::size_t>(k)] > 0, [&] {
      return "number " + std::to_string(k) + " of the " + std::to_string(numbers) +
             " in theta receives no gradient from any function: the map does not depend on it";
    });
}

}  // namespace

void check_reached(Case& c, Tally& t) {
  if (c.variant().form == ThetaForm::per_row) return check_theta_is_reached(c, t);
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
