// Check 13: edges of the domain, knots, and the largest numbers that a map declares to take.
#include <cmath>
#include <cstdio>

#include "gradients.h"
#include "kit.h"
#include "trips.h"

namespace pushforward::testing {

namespace {

/// Values and gradients are finite, and the gradients those of the values.
void check_point(Case& c, const FunctionCase& f, Request r, Tally& t) {
  Runner& runner = c.runner(t.precision());
  const std::vector<Array> outputs = runner.run(r).outputs;
  if (f.differentiable) r.cotangents = Case::cotangents(outputs, 161);
  const Response all = runner.run(r);
  for (std::size_t o = 0; o < outputs.size(); ++o) t.finite(f.info.outputs[o], all.outputs[o]);
  if (!f.differentiable) return;
  t.finite("gradient of x", all.x);
  t.finite("gradient of the context", all.context);
  Array parameters(1, static_cast<Index>(all.parameters.size()));
  parameters.values = all.parameters;
  t.finite("gradient of the parameters", parameters);
  if (!t.in_double() || c.coupled(f, r.mode)) return;
  if (r.x.columns > 0) compare_slopes(c, f, r, Input::x, t.tolerance(), t);
}

/// Whether a round trip through this row means anything: the image lies inside, and some digits are left.
bool defined(const Trip& trip, const Array& image, const FunctionCase& second, Index i, double tolerance) {
  for (Index k = 0; k < image.columns; ++k) {
    if (!(image(i, k) > second.support.lower && image(i, k) < second.support.upper)) return false;
    if (!(std::abs(image(i, k)) <= std::max(second.range, 1.0))) return false;
  }
  for (Index k = 0; k < trip.value_condition.columns; ++k)
    if (!(trip.value_condition(i, k) * tolerance < 1)) return false;
  return true;
}

void check_return(Case& c, const FunctionCase& f, const Request& r, Tally& t) {
  const FunctionCase* other = c.find(f.info.name == "forward" ? "inverse" : "forward");
  if (!other || !c.exact() || c.base_columns() != c.data_columns()) return;
  const Array image = c.runner(t.precision()).run(r).outputs[0];
  const Trip trip = make_trip(c, t.precision(), f, *other, r);
  for (Index i = 0; i < trip.start.rows; ++i) {
    if (!defined(trip, image, *other, i, t.tolerance())) continue;
    for (Index k = 0; k < trip.start.columns; ++k)
      t.compare(
          i, [&] { return indexed("x", k) + " after the round trip"; }, trip.back(i, k), trip.start(i, k),
          t.tolerance() * trip.value_condition(i, k));
    t.compare(
        i, [] { return std::string("log_det of the way back"); }, trip.log_det_back(i, 0), -trip.log_det_there(i, 0),
        t.tolerance() * trip.log_det_condition[static_cast<std::size_t>(i)]);
  }
}

void check_reach(Case& c, const FunctionCase& f, double reach, Tally& t) {
  char text[48];
  std::snprintf(text, sizeof text, ", |x| up to %g", reach);
  t.at(c.where(f) + text);
  const Request r = c.tails(f, 16, reach);
  check_point(c, f, r, t);
  if (c.map()) check_return(c, f, r, t);
}

// --- knots ---------------------------------------------------------------------------------------------------------

/// A function of the first element of x alone, all else fixed: value, log_det, and the derivatives of both.
struct Line {
  struct Points {
    std::vector<double> x, value, log_det, value_slope, log_det_slope;
  };
  Case& c;
  const FunctionCase& f;
  Request base;

  /// On a circle the value may go from one end of its interval to the other.
  bool wraps(double left, double right) const {
    const auto& map = dynamic_cast<const Bijector<double>&>(c.runner(Precision::float64).component());
    const Support s = f.info.name == "forward" ? map.codomain() : map.domain();
    const double width = s.upper - s.lower;
    return std::isfinite(width) && std::abs(std::abs(right - left) - width) < 1e-9 * width;
  }
  Points at(const std::vector<double>& x) const {
    Request r = base;
    const auto rows = static_cast<Index>(x.size());
    r.rows = rows;
    const std::vector<Index> first(x.size(), 0);
    r.x = base.x.select(first);
    if (base.context.columns) r.context = base.context.select(first);
    for (Index i = 0; i < rows; ++i) r.x(i, 0) = x[static_cast<std::size_t>(i)];
    Runner& runner = c.runner(Precision::float64);
    r.cotangents = {Array(rows, r.x.columns), Array()};
    for (Index i = 0; i < rows; ++i) r.cotangents[0](i, 0) = 1;
    const Response of_value = runner.run(r);
    r.cotangents = {Array(), Array(rows, 1, 1.0)};
    const Response of_log_det = runner.run(r);
    const auto column = [&](const Array& a) { return std::vector<double>(a.values.begin(), a.values.begin() + rows); };
    return {x, column(of_value.outputs[0]), column(of_value.outputs[1]), column(of_value.x), column(of_log_det.x)};
  }
};

/// Jump of the derivatives between two points.
double jump(const Line::Points& p, std::size_t i) {
  return std::max(std::abs(p.value_slope[i + 1] - p.value_slope[i]),
                  std::abs(p.log_det_slope[i + 1] - p.log_det_slope[i]));
}

/// Narrows [a, b] around the larger jump; false if the jump dissolves, because the derivative is only steep.
bool narrow(const Line& line, double& a, double& b, double before) {
  while (b - a > 1e-12 * std::max(1.0, std::abs(a))) {
    const Line::Points p = line.at({a, 0.5 * (a + b), b});
    if (jump(p, 0) > jump(p, 1))
      b = p.x[1];
    else
      a = p.x[1];
    if (std::max(jump(p, 0), jump(p, 1)) < 0.5 * before) return false;
  }
  return true;
}

void check_knot(const Line& line, double a, double b, Tally& t) {
  const double h = step_of(a) / 16;  // splines may be steep here, too
  const Line::Points p = line.at({a - h, a - h / 2, a, b, b + h / 2, b + h});
  const auto compare = [&](const char* what, double analytic, double numeric, double allowed) {
    t.compare(
        -1, [&] { return std::string(what) + " at the knot " + std::to_string(a); }, analytic, numeric, allowed);
  };
  const double steep = std::max({1.0, std::abs(p.value_slope[2]), std::abs(p.value_slope[3])});
  if (!line.wraps(p.value[2], p.value[3]))
    compare("value on both sides", p.value[3], p.value[2], t.tolerance() * steep);
  const auto one_sided = [h](double near, double half, double far) { return (4 * half - far - 3 * near) / h; };
  compare("slope of the value, left", p.value_slope[2], -one_sided(p.value[2], p.value[1], p.value[0]), t.tolerance());
  compare("slope of the value, right", p.value_slope[3], one_sided(p.value[3], p.value[4], p.value[5]), t.tolerance());
  compare("slope of log_det, left", p.log_det_slope[2], -one_sided(p.log_det[2], p.log_det[1], p.log_det[0]),
          t.tolerance());
  compare("slope of log_det, right", p.log_det_slope[3], one_sided(p.log_det[3], p.log_det[4], p.log_det[5]),
          t.tolerance());
}

/// Looks for jumps of the derivatives between -8 and 8 and checks both sides of each.
void check_knots(Case& c, const FunctionCase& f, Tally& t) {
  constexpr int kPoints = 2048, kMost = 40;
  const double lower = std::max(-8.0, f.support.lower), upper = std::min(8.0, f.support.upper);
  const Line line{c, f, c.request(f, 1, 171)};
  std::vector<double> x;
  for (int i = 0; i < kPoints; ++i) x.push_back(lower + (upper - lower) * (i + 0.5) / kPoints);
  const Line::Points p = line.at(x);
  int found = 0;
  t.at(c.where(f));
  for (std::size_t i = 1; i + 2 < x.size() && found < kMost; ++i) {
    const double here = jump(p, i), around = std::max(jump(p, i - 1), jump(p, i + 1));
    if (!(here > 4 * around + 1e-6)) continue;
    double a = x[i], b = x[i + 1];
    if (!narrow(line, a, b, here)) continue;
    ++found;
    check_knot(line, a, b, t);
  }
  if (found > 0) t.note(c.where(f) + ": " + std::to_string(found) + " knots");
}

// --- special numbers -----------------------------------------------------------------------------------------------

/// Elements that are 0, or nearly, or 1: where formulas divide by zero, or switch from one series to another.
void check_zeros(Case& c, const FunctionCase& f, Tally& t) {
  if (c.density() && c.density()->on_simplex) return;
  const FunctionCase* forward = c.find("forward");
  const bool of_image = f.info.name == "inverse" && forward && !c.map()->elementwise;
  const FunctionCase& source = of_image ? *forward : f;
  constexpr double kInside = 1e-6;
  std::vector<double> numbers;
  for (const double v : {0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e-5})
    if (v > source.support.lower + kInside && v < source.support.upper - kInside) numbers.push_back(v);
  const auto count = static_cast<Index>(numbers.size());
  const Index columns = source.info.inputs;
  if (count == 0) return;
  // Events of one number alone, and events with it in one element.
  Request r = c.request(source, count * (columns + 1), 172);
  for (Index i = 0; i < r.rows; ++i)
    for (Index j = 0; j < columns; ++j)
      if (i / count == columns || i / count == j) r.x(i, j) = numbers[static_cast<std::size_t>(i % count)];
  if (of_image) {
    r.x = c.runner(t.precision()).run(r).outputs[0];
    r.function = f.index;
  }
  t.at(c.where(f) + ", at 0 and 1");
  check_point(c, f, r, t);
}

/// A model is trained from its start, where most maps are the identity.
void check_start(Case& c, const FunctionCase& f, Tally& t) {
  t.at(c.where(f) + ", at the start");
  const Request r = c.at_start(f, 17, 173);
  check_point(c, f, r, t);
  if (!t.in_double() || c.variant().form != ThetaForm::per_row || r.context.columns == 0) return;
  compare_slopes(c, f, r, Input::context, t.tolerance(), t);
}

/// A network starts where its parent says, so a coupling starts as the identity. One whose last weights cannot be 0,
/// such as those of norm 1, starts beside it, and moves with it all the same.
void check_output_start(Case& c, const FunctionCase& f, Tally& t) {
  if (c.variant().surroundings.network.outputs == 0) return;
  const Request r = c.request(f, 5, 175);
  const auto start = [](Index j, double scale) { return scale * (0.25 * static_cast<double>(j % 4) - 0.5); };
  const auto started = [&](double scale) {
    Surroundings around = c.variant().surroundings;
    around.network.output_start.clear();
    for (Index j = 0; j < around.network.outputs; ++j) around.network.output_start.push_back(start(j, scale));
    return t.in_double() ? make_runner<double>(c.subject(), around)->run(r).outputs[0]
                         : make_runner<float>(c.subject(), around)->run(r).outputs[0];
  };
  const Array one = started(1), other = started(-0.5);
  t.at(c.where(f) + ", given two outputs to start at");
  for (Index j = 0; j < one.columns; ++j)
    for (Index i = 0; i < one.rows; ++i)
      t.compare(
          i, [&] { return "difference of " + indexed("value", j); }, one(i, j) - other(i, j),
          start(j, 1) - start(j, -0.5), t.tolerance());
}

/// What integrates to 1 falls far out; a density that is cut off below does not.
void check_fall(Case& c, const FunctionCase& f, Tally& t) {
  if (std::isfinite(f.support.lower) || std::isfinite(f.support.upper)) return;
  const Request near = c.tails(f, kSamples, 20), far = c.tails(f, kSamples, 40);
  const Array at_20 = c.runner(t.precision()).run(near).outputs[0], at_40 = c.runner(t.precision()).run(far).outputs[0];
  for (Index i = 0; i < near.x.rows; ++i) {
    double most = 0;  // an event near zero is no tail
    for (Index j = 0; j < near.x.columns; ++j) most = std::max(most, std::abs(near.x(i, j)));
    t.require(most < 20 || at_40(i, 0) < at_20(i, 0), [&] {
      return c.where(f) + ": at 40 times the event of sample " + std::to_string(i) + " the log density is " +
             std::to_string(at_40(i, 0)) + ", at 20 times " + std::to_string(at_20(i, 0)) + "; it must fall";
    });
  }
}

/// Minus infinity outside of the support, and no NaN in gradients.
void check_outside(Case& c, const FunctionCase& f, Tally& t) {
  const Support& s = f.support;
  const double width = std::isfinite(s.upper - s.lower) ? s.upper - s.lower : 1;
  std::vector<double> numbers;
  for (const double beyond : {1e-3, 1.0, 50.0}) {
    if (std::isfinite(s.lower)) numbers.push_back(round_to_float(s.lower - beyond * width));
    if (std::isfinite(s.upper)) numbers.push_back(round_to_float(s.upper + beyond * width));
  }
  if (numbers.empty()) return;
  const auto count = static_cast<Index>(numbers.size());
  const bool simplex = c.density() && c.density()->on_simplex;
  Request r = c.request(f, count * f.info.inputs + (simplex ? 1 : 0), 174);
  for (Index i = 0; i < count * f.info.inputs; ++i) r.x(i, i / count) = numbers[static_cast<std::size_t>(i % count)];
  if (simplex)
    for (Index j = 0; j < f.info.inputs; ++j) r.x(r.rows - 1, j) *= 0.5;
  r.cotangents = {Array(r.rows, 1, 1.0)};
  const Response all = c.runner(t.precision()).run(r);
  t.at(c.where(f) + ", outside of the support");
  for (Index i = 0; i < r.rows; ++i)
    t.require(all.outputs[0](i, 0) == -std::numeric_limits<double>::infinity(), [&] {
      const Index j = i / count;
      const std::string event = j == f.info.inputs ? "an event whose elements sum to 1/2, off the simplex,"
                                                   : indexed("x", j) + " = " + std::to_string(r.x(i, j)) +
                                                         ", outside of the declared [" + std::to_string(s.lower) +
                                                         ", " + std::to_string(s.upper) + "],";
      return c.where(f) + ": " + event + " has the log density " + std::to_string(all.outputs[0](i, 0)) +
             " in place of minus infinity";
    });
  t.finite("gradient of x", all.x);
  Array parameters(1, static_cast<Index>(all.parameters.size()));
  parameters.values = all.parameters;
  t.finite("gradient of the parameters", parameters);
}

}  // namespace

void check_edges(Case& c, Tally& t) {
  constexpr double kDeviations = 40;
  for (const FunctionCase& f : c.functions()) {
    check_start(c, f, t);
    if (f.info.inputs == 0) continue;
    check_zeros(c, f, t);
    if (c.subject().kind == "network") check_output_start(c, f, t);
    if (f.info.name == "log_prob" || f.info.name == "log_density") check_outside(c, f, t);
    if (!c.map()) {
      check_reach(c, f, kDeviations, t);
      if (c.density()) check_fall(c, f, t);
      continue;
    }
    check_reach(c, f, std::min(f.range, kRangeOfOthers), t);
    if (f.range > kRangeOfOthers) check_reach(c, f, f.range, t);
    if (t.in_double() && c.map()->elementwise && !f.random && !f.iterative) check_knots(c, f, t);
  }
}

}  // namespace pushforward::testing
