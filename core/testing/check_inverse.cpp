// Checks 1 to 3: the two directions undo each other, and log_det is that of the map.
#include <cmath>

#include "kit.h"
#include "numeric.h"
#include "trips.h"

namespace pushforward::testing {

namespace {

/// Size of the rounding error in an intermediate value, in units in the last place: its own, and that of the step
/// that made it.
Array intermediate_error(const Array& x, const Array& y, const std::vector<Array>& jacobian_of_first) {
  Array error(y.rows, y.columns);
  for (Index k = 0; k < y.columns; ++k)
    for (Index i = 0; i < y.rows; ++i) {
      error(i, k) = std::max(1.0, std::abs(y(i, k)));
      for (Index j = 0; j < x.columns; ++j)
        error(i, k) +=
            std::abs(jacobian_of_first[static_cast<std::size_t>(k)](i, j)) * std::max(1.0, std::abs(x(i, j)));
    }
  return error;
}

double carried(const Array& gradient, const Array& error, Index i, double result) {
  double sum = 0;
  for (Index j = 0; j < error.columns; ++j) sum += std::abs(gradient(i, j)) * error(i, j);
  return sum / std::max(1.0, std::abs(result));
}

}  // namespace

Trip make_trip(Case& c, Precision p, const FunctionCase& first, const FunctionCase& second, const Request& there) {
  Trip trip;
  trip.name = first.info.name + " and back";
  if (!c.variant().label.empty()) trip.name += ", " + c.variant().label;
  trip.iterative = first.iterative || second.iterative;
  Request back = there;
  back.function = second.index;
  const Response a = c.runner(p).run(there);
  back.x = a.outputs[0];
  const Response b = c.runner(p).run(back);
  trip.start = there.x;
  trip.back = b.outputs[0];
  trip.log_det_there = a.outputs[1];
  trip.log_det_back = b.outputs[1];

  const std::vector<std::vector<Array>> j_first = jacobian(c, there), j_second = jacobian(c, back);
  const Array error = intermediate_error(there.x, back.x, j_first[0]);
  trip.value_condition = Array(trip.back.rows, trip.back.columns);
  for (Index i = 0; i < trip.back.rows; ++i) {
    for (Index k = 0; k < trip.back.columns; ++k)
      trip.value_condition(i, k) =
          std::max(1.0, carried(j_second[0][static_cast<std::size_t>(k)], error, i, trip.back(i, k)));
    trip.log_det_condition.push_back(std::max(1.0, carried(j_second[1][0], error, i, trip.log_det_back(i, 0))));
  }
  return trip;
}

namespace {

bool both_directions(Case& c, Tally& t) {
  if (c.map() && c.find("forward") && c.find("inverse")) return true;
  t.skip("one direction cannot be computed");
  return false;
}

Trip random_trip(Case& c, Precision p, const FunctionCase& first, const FunctionCase& second) {
  return make_trip(c, p, first, second, c.request(first, kSamples, 21));
}

/// The orders in which a round trip must return to where it started.
std::vector<Trip> trips(Case& c, Precision p) {
  const FunctionCase &forward = *c.find("forward"), &inverse = *c.find("inverse");
  std::vector<Trip> all;
  // What one direction drops the other draws: it comes back only when the drawing direction was first.
  if (!c.map()->draws_inverse) all.push_back(random_trip(c, p, forward, inverse));
  if (!c.map()->draws_forward) all.push_back(random_trip(c, p, inverse, forward));
  return all;
}

}  // namespace

void check_round_trip(Case& c, Tally& t) {
  if (!both_directions(c, t)) return;
  for (const Trip& trip : trips(c, t.precision())) {
    t.at(trip.name);
    if (trip.start.columns != trip.back.columns) {
      t.finding("a round trip of " + std::to_string(trip.start.columns) + " columns came back with " +
                std::to_string(trip.back.columns));
      continue;
    }
    for (Index k = 0; k < trip.start.columns; ++k)
      for (Index i = 0; i < trip.start.rows; ++i)
        t.compare(
            i, [&] { return indexed("x", k); }, trip.back(i, k), trip.start(i, k),
            t.tolerance(trip.iterative) * trip.value_condition(i, k));
  }
}

void check_log_det_cancel(Case& c, Tally& t) {
  if (!both_directions(c, t)) return;
  const bool surjective = c.map()->draws_forward || c.map()->draws_inverse;
  if (c.map()->log_det != LogDet::exact && !surjective) return t.skip("log_det is an estimate");
  for (const Trip& trip : trips(c, t.precision())) {
    t.at(trip.name);
    for (Index i = 0; i < trip.start.rows; ++i)
      t.compare(
          i, [] { return std::string("log_det"); }, trip.log_det_back(i, 0), -trip.log_det_there(i, 0),
          t.tolerance(trip.iterative) * trip.log_det_condition[static_cast<std::size_t>(i)]);
  }
}

namespace {

void compare_log_det(Case& c, const FunctionCase& f, Tally& t) {
  constexpr Index kLargest = 5;
  const Index in = f.info.inputs, out = f.info.name == "forward" ? c.data_columns() : c.base_columns();
  if (std::max(in, out) > kLargest) return t.skip("the event has more than 5 elements");
  if (out < in) return t.skip("a Jacobian from the larger to the smaller manifold says nothing of this direction");
  if (c.coupled(f, Mode::evaluate)) return t.skip("rows depend on each other");
  const RowSlopes all = row_slopes(c, f, c.request(f, kDrawn, 31), Input::x, t.tolerance());
  t.at(c.where(f));
  for (Index i = 0; i < kDrawn; ++i) {
    if (all.kinked[static_cast<std::size_t>(i)]) continue;
    const Determinant d = numeric_determinant(all, i);
    const double condition = std::max(1.0, d.condition / std::max(1.0, std::abs(d.log_det)));
    t.compare(
        i, [] { return std::string("log_det"); }, all.here.outputs[1](i, 0), d.log_det, t.tolerance() * condition);
  }
  count_redrawn(all.redrawn, kDrawn, t, c.where(f));
}

}  // namespace

void check_log_det_numeric(Case& c, Tally& t) {
  if (!c.map()) return;
  if (!c.exact()) return t.skip("log_det is an estimate, or a direction draws");
  for (const FunctionCase& f : c.functions()) compare_log_det(c, f, t);
}

}  // namespace pushforward::testing
