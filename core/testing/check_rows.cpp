// Checks 11 and 12: rows are independent, and any number of them will do.
#include <cmath>
#include <random>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

/// Rows of a request, with their cotangents.
Request take(const Request& r, const std::vector<Index>& rows) {
  Request some = r;
  some.rows = static_cast<Index>(rows.size());
  if (r.x.columns) some.x = r.x.select(rows);
  if (r.context.columns) some.context = r.context.select(rows);
  for (Array& a : some.cotangents)
    if (a.columns) a = a.select(rows);
  return some;
}

/// Rows `rows` of `all` against `some`, which was evaluated on those rows alone.
void compare_rows(const Response& all, const Response& some, const Response& known, const std::vector<Index>& rows,
                  const FunctionCase& f, Tally& t) {
  const auto compare = [&](const Array& whole, const Array& part, const Array& condition, const std::string& name) {
    for (Index j = 0; j < whole.columns; ++j)
      for (std::size_t i = 0; i < rows.size(); ++i)
        t.compare(
            rows[i], [&] { return indexed(name, j); }, part(static_cast<Index>(i), j), whole(rows[i], j),
            t.tolerance() * condition(rows[i], j));
  };
  for (std::size_t o = 0; o < all.outputs.size(); ++o)
    compare(all.outputs[o], some.outputs[o], known.outputs[o], f.info.outputs[o]);
  compare(all.x, some.x, known.x, "gradient of x");
  compare(all.context, some.context, known.context, "gradient of the context");
}

void check_rows_of(Case& c, const FunctionCase& f, Mode mode, Tally& t) {
  Runner& runner = c.runner(t.precision());
  Request r = c.request(f, kSamples, 141, mode);
  r.first_row = 100;
  r.cotangents = Case::cotangents(runner.run(r).outputs, 142);
  const Response all = runner.run(r), known = conditions(c, r);
  for (const Index i : {Index{0}, Index{7}, Index{33}, kSamples - 1}) {
    Request alone = take(r, {i});
    alone.first_row = r.first_row + i;
    t.at(c.where(f, mode) + ", alone");
    compare_rows(all, runner.run(alone), known, {i}, f, t);
  }
  if (f.random) return;  // numbers are drawn by row
  std::vector<Index> order;
  for (Index i = 0; i < kSamples; ++i) order.push_back(i);
  std::mt19937 engine(3);
  std::shuffle(order.begin(), order.end(), engine);
  t.at(c.where(f, mode) + ", permuted");
  compare_rows(all, runner.run(take(r, order)), known, order, f, t);
}

/// A batch of many rows against pieces of it: kernels go by blocks of some hundred rows. Gradients of parameters are
/// the sums of those of the pieces.
void check_pieces(Case& c, const FunctionCase& f, Mode mode, Tally& t) {
  constexpr Index kMany = 549, kPiece = 64;
  Runner& runner = c.runner(t.precision());
  Request r = c.request(f, kMany, 143, mode);
  if (f.differentiable) r.cotangents = Case::cotangents(runner.run(r).outputs, 144);
  const Response all = runner.run(r), known = conditions(c, r);
  std::vector<double> sum(all.parameters.size(), 0.0), size(all.parameters.size(), 1.0);
  t.at(c.where(f, mode) + ", in pieces");
  for (Index begin = 0; begin < kMany; begin += kPiece) {
    std::vector<Index> rows;
    for (Index i = begin; i < std::min(begin + kPiece, kMany); ++i) rows.push_back(i);
    Request piece = take(r, rows);
    piece.first_row = r.first_row + begin;
    const Response some = runner.run(piece);
    compare_rows(all, some, known, rows, f, t);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += some.parameters[i];
      size[i] += std::abs(some.parameters[i]);
    }
  }
  for (std::size_t i = 0; i < sum.size(); ++i)
    t.compare(
        -1, [&] { return "gradient of " + parameter_name(c.layout(), static_cast<Index>(i)); }, all.parameters[i],
        sum[i], t.tolerance() * std::max(known.parameters[i], size[i]));
}

}  // namespace

void check_rows(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      if (c.coupled(f, mode)) {
        t.skip("rows depend on each other");
      } else {
        check_rows_of(c, f, mode, t);
        check_pieces(c, f, mode, t);
      }
    }
}

namespace {

void check_finite(Case& c, const FunctionCase& f, Request r, const std::string& how, Tally& t) {
  Runner& runner = c.runner(t.precision());
  const std::vector<Array> outputs = runner.run(r).outputs;
  r.cotangents = Case::cotangents(outputs, 151);
  const Response all = runner.run(r);
  t.at(c.where(f, r.mode) + ", " + how);
  for (std::size_t o = 0; o < outputs.size(); ++o) t.finite(f.info.outputs[o], all.outputs[o]);
  t.finite("gradient of x", all.x);
  t.finite("gradient of the context", all.context);
  for (std::size_t i = 0; i < all.parameters.size(); ++i)
    t.require(std::isfinite(all.parameters[i]), [&] {
      return c.where(f, r.mode) + ", " + how + ": the gradient of " +
             parameter_name(c.layout(), static_cast<Index>(i)) + " is " + std::to_string(all.parameters[i]);
    });
}

void check_empty(Case& c, const FunctionCase& f, Mode mode, Tally& t) {
  Request r = c.request(f, 3, 152, mode);
  const std::vector<Array> three = c.runner(t.precision()).run(r).outputs;
  const Request none = take(r, {});
  check_finite(c, f, none, "no rows", t);
  Request seeded = none;
  const Response empty = c.runner(t.precision()).run(seeded);
  for (std::size_t o = 0; o < three.size(); ++o)
    t.require(empty.outputs[o].columns == three[o].columns && empty.outputs[o].rows == 0, [&] {
      return c.where(f, mode) + ": " + f.info.outputs[o] + " of an empty batch is " +
             std::to_string(empty.outputs[o].rows) + " x " + std::to_string(empty.outputs[o].columns);
    });
  seeded.cotangents = empty.outputs;
  for (const double g : c.runner(t.precision()).run(seeded).parameters)
    t.require(g == 0, [&] { return c.where(f, mode) + ": an empty batch has a gradient of " + std::to_string(g); });
}

}  // namespace

void check_sizes(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    for (const Mode mode : c.modes(f)) {
      check_empty(c, f, mode, t);
      check_finite(c, f, c.request(f, 1, 153, mode), "one row", t);
      check_finite(c, f, c.request(f, 17, 154, mode), "17 rows", t);
    }
    if (f.info.inputs > 0)
      check_finite(c, f, c.tails(f, 17, std::min(f.range, kRangeOfOthers)), "all rows in the tails", t);
  }
  const Surroundings& around = c.variant().surroundings;
  if (!c.map() || around.event_shape.rank() != 1 || around.network.outputs > 0) return;
  for (const Index size : {Index{1}, Index{2}}) {
    if (size >= around.event_shape.size()) break;
    Variant small = c.variant();
    small.surroundings.event_shape = Shape{size};
    if (small.form == ThetaForm::per_row)
      small.surroundings.context = small.surroundings.context / around.event_shape.size() * size;
    try {
      Case smallest(c.subject(), small);
      for (const FunctionCase& f : smallest.functions())
        if (t.in_double() || smallest.has(Precision::float32))
          check_finite(smallest, f, smallest.request(f, 17, 155), "event size " + std::to_string(size), t);
      return;
    } catch (const Error& e) {
      t.note("event size " + std::to_string(size) + " cannot be built: " + e.what());
    }
  }
}

}  // namespace pushforward::testing
