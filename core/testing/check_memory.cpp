// Checks 9, 10 and 14: recording, what is added and what is overwritten, padding, NaN and wrong shapes.
#include <algorithm>
#include <cmath>
#include <set>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

constexpr Index kRows = 37;  // no multiple of the padding

Request with_cotangents(Case& c, const FunctionCase& f, Mode mode, Precision p, unsigned seed) {
  Request r = c.request(f, kRows, seed, mode);
  r.cotangents = Case::cotangents(c.runner(p).run(r).outputs, seed);
  return r;
}

void same_results(Case& c, const Response& a, const Response& b, const FunctionCase& f, const std::string& how,
                  Tally& t) {
  for (std::size_t o = 0; o < a.outputs.size(); ++o) t.same(f.info.outputs[o] + how, b.outputs[o], a.outputs[o]);
  t.same("gradient of x" + how, b.x, a.x);
  t.same("gradient of the context" + how, b.context, a.context);
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    t.same(
        -1, [&] { return "gradient of " + parameter_name(c.layout(), static_cast<Index>(i)) + how; }, b.parameters[i],
        a.parameters[i]);
}

/// The same numbers but for the order of additions: a product of a block of another height may take another way.
void close_results(const Response& a, const Response& b, const Response& known, const FunctionCase& f,
                   const std::string& how, Tally& t) {
  const auto compare = [&](const std::string& name, const std::vector<double>& plain, const std::vector<double>& other,
                           const std::vector<double>& condition) {
    for (std::size_t i = 0; i < plain.size(); ++i)
      t.compare(
          -1, [&] { return name + how + ", element " + std::to_string(i); }, other[i], plain[i],
          t.tolerance() * condition[i]);
  };
  for (std::size_t o = 0; o < a.outputs.size(); ++o)
    compare(f.info.outputs[o], a.outputs[o].values, b.outputs[o].values, known.outputs[o].values);
  compare("gradient of x", a.x.values, b.x.values, known.x.values);
  compare("gradient of the context", a.context.values, b.context.values, known.context.values);
  compare("gradient of the parameters", a.parameters, b.parameters, known.parameters);
}

void check_added(Case& c, const Request& r, const Response& plain, Tally& t) {
  constexpr double kBefore = 0.75;
  Request prefilled = r;
  prefilled.prefill = kBefore;
  const Response added = c.runner(t.precision()).run(prefilled);
  const Response known = conditions(c, r);
  const auto compare = [&](const char* what, const std::vector<double>& a, const std::vector<double>& b,
                           const std::vector<double>& condition) {
    for (std::size_t i = 0; i < a.size(); ++i)
      t.compare(
          -1, [&] { return std::string(what) + " after 0.75, element " + std::to_string(i); }, b[i], a[i] + kBefore,
          t.tolerance() * condition[i]);
  };
  compare("gradient of x", plain.x.values, added.x.values, known.x.values);
  compare("gradient of the context", plain.context.values, added.context.values, known.context.values);
  std::vector<std::uint8_t> gap(plain.parameters.size(), 1);
  for (const ParameterInfo& p : c.layout().parameters)
    for (Index i = 0; i < p.handle.size(); ++i) gap[static_cast<std::size_t>(p.handle.offset + i)] = 0;
  for (std::size_t i = 0; i < gap.size(); ++i) {
    const auto name = [&] { return parameter_name(c.layout(), static_cast<Index>(i)) + ", gradient after 0.75"; };
    if (gap[i])
      t.same(-1, name, added.parameters[i], kBefore);
    else
      t.compare(-1, name, added.parameters[i], plain.parameters[i] + kBefore, t.tolerance() * known.parameters[i]);
  }
}

}  // namespace

void check_recording(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      Request r = c.request(f, kRows, 101, mode);
      const Response off = c.runner(t.precision()).run(r);
      r.record = true;
      const Response on = c.runner(t.precision()).run(r);
      t.at(c.where(f, mode));
      for (std::size_t o = 0; o < off.outputs.size(); ++o) t.same(f.info.outputs[o], on.outputs[o], off.outputs[o]);
    }
}

void check_accumulation(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      const Request r = with_cotangents(c, f, mode, t.precision(), 111);
      const Response plain = c.runner(t.precision()).run(r);
      t.at(c.where(f, mode));
      check_added(c, r, plain, t);
      Request dirty = r;
      dirty.dirty_memory = true;
      same_results(c, plain, c.runner(t.precision()).run(dirty), f, ", memory full of NaN", t);
      Request padded = r;
      padded.padding = std::numeric_limits<double>::quiet_NaN();
      same_results(c, plain, c.runner(t.precision()).run(padded), f, ", padding full of NaN", t);
      padded.extra_stride = kPadding;
      close_results(plain, c.runner(t.precision()).run(padded), conditions(c, r), f, " in a taller block, NaN below",
                    t);
    }
}

namespace {

/// A NaN in one element of an input: its row tells of it, and no other row changes.
void check_nan(Case& c, const FunctionCase& f, Mode mode, Input input, Index row, Index column, Tally& t) {
  const Request r = with_cotangents(c, f, mode, t.precision(), 121);
  Request broken = r;
  input_of(broken, input)(row, column) = std::numeric_limits<double>::quiet_NaN();
  const Response a = c.runner(t.precision()).run(r), b = c.runner(t.precision()).run(broken);
  const std::string how = ", NaN in row " + std::to_string(row);
  t.at(c.where(f, mode));
  bool told = false;
  const auto others = [&](const Array& plain, const Array& with_nan, const std::string& name) {
    for (Index j = 0; j < plain.columns; ++j)
      for (Index i = 0; i < plain.rows; ++i)
        if (i != row)
          t.same(
              i, [&] { return indexed(name, j) + how; }, with_nan(i, j), plain(i, j));
  };
  for (std::size_t o = 0; o < a.outputs.size(); ++o) {
    others(a.outputs[o], b.outputs[o], f.info.outputs[o]);
    for (Index j = 0; j < b.outputs[o].columns; ++j) told |= std::isnan(b.outputs[o](row, j));
  }
  others(a.x, b.x, "gradient of x");
  others(a.context, b.context, "gradient of the context");
  // No output of a masked network need depend on its last input; one without a gradient has no way to any.
  const bool unseen =
      !c.variant().surroundings.network.output_degrees.empty() && input == Input::x && a.x(row, column) == 0;
  if (input == Input::x && !unseen)
    t.require(told, [&] {
      return c.where(f, mode) + ": a NaN in " + indexed("x", column) + " of row " + std::to_string(row) +
             " is swallowed: every output of that row is a number";
    });
}

bool holds_number(const std::string& text, Index n) {
  const std::string digits = std::to_string(n);
  for (std::size_t at = text.find(digits); at != std::string::npos; at = text.find(digits, at + 1)) {
    const bool starts = at == 0 || !std::isdigit(static_cast<unsigned char>(text[at - 1]));
    const std::size_t end = at + digits.size();
    if (starts && (end == text.size() || !std::isdigit(static_cast<unsigned char>(text[end])))) return true;
  }
  return false;
}

/// Both sides of what does not fit: of a transformer, the columns of x and those of theta, as they are or as they
/// should be; of others, the columns that came and those that were expected.
bool names_both(const std::string& message, Case& c, Input input, Index wrong, Index right) {
  if (c.variant().form == ThetaForm::none) return holds_number(message, wrong) && holds_number(message, right);
  const Index size = c.variant().surroundings.event_shape.size(), x = input == Input::x ? wrong : size;
  const ThetaColumns per_element = theta_columns(c.runner(Precision::float64).component());
  const std::set<Index> numbers = {wrong,
                                   right,
                                   x,
                                   per_element.raw,
                                   per_element.prepared,
                                   x * per_element.raw,
                                   x * per_element.prepared,
                                   size * per_element.raw,
                                   size * per_element.prepared};
  return std::count_if(numbers.begin(), numbers.end(), [&](Index n) { return n > 0 && holds_number(message, n); }) >= 2;
}

void check_wrong_columns(Case& c, const FunctionCase& f, Input input, Index columns, Tally& t) {
  Request r = c.request(f, kRows, 131, c.modes(f).back());
  const std::vector<Array> plain = c.runner(t.precision()).run(r).outputs;
  Request wrong = r;
  const Index right = input_of(r, input).columns;
  input_of(wrong, input) = normal_array(kRows, columns, 132);
  const std::string what = c.where(f) + ": " + std::to_string(columns) + " columns of " + to_string(input) +
                           " in place of " + std::to_string(right);
  try {
    c.runner(t.precision()).run(wrong);
    t.finding(what + " were accepted");
    return;
  } catch (const ShapeError& e) {
    const std::string message = e.what();
    t.require(names_both(message, c, input, columns, right),
              [&] { return what + ": the message does not give both numbers: " + message; });
  } catch (const std::exception& e) {
    t.finding(what + ": no ShapeError, but: " + e.what());
    return;
  }
  for (const double s : c.runner(t.precision()).statistics())
    t.require(s == 0, [&] { return what + ": a statistic was reported before the error"; });
  t.require(same_bits(plain, c.runner(t.precision()).run(r).outputs),
            [&] { return what + ": after the error a correct call gives other results"; });
}

/// True for transformers without parameters: they take any number of columns.
bool takes_any(Case& c, Input input) {
  return input == Input::x && c.variant().form != ThetaForm::none && c.layout().parameters.empty() &&
         c.context_columns() == 0;
}

}  // namespace

void check_bad_input(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions())
    for (const Input input : {Input::x, Input::context}) {
      const Index columns = input == Input::x ? f.info.inputs : c.context_columns();
      if (columns == 0) continue;
      for (const Mode mode : c.modes(f)) {
        if (c.coupled(f, mode)) {
          t.skip("rows depend on each other");
          continue;
        }
        for (Index j = 0; j < columns; ++j) check_nan(c, f, mode, input, (5 + 11 * j) % kRows, j, t);
      }
      if (takes_any(c, input)) {
        t.note("a transformer without parameters takes any number of columns");
        continue;
      }
      check_wrong_columns(c, f, input, columns + 1, t);
      if (columns > 1) check_wrong_columns(c, f, input, columns - 1, t);
    }
}

}  // namespace pushforward::testing
