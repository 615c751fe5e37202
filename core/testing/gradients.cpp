#include "gradients.h"

#include <cmath>
#include <random>

namespace pushforward::testing {

double row_dot(const std::vector<Array>& cotangents, const std::vector<Array>& outputs, Index i) {
  double sum = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    for (Index k = 0; k < cotangents[o].columns; ++k) sum += cotangents[o](i, k) * outputs[o](i, k);
  return sum;
}

double row_magnitude(const std::vector<Array>& cotangents, const std::vector<Array>& outputs, Index i) {
  double sum = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    for (Index k = 0; k < cotangents[o].columns; ++k) sum += std::abs(cotangents[o](i, k) * outputs[o](i, k));
  return sum;
}

namespace {

std::vector<Array> without_rows(std::vector<Array> cotangents, const std::vector<std::uint8_t>& rows) {
  for (Array& a : cotangents)
    for (Index k = 0; k < a.columns; ++k)
      for (Index i = 0; i < a.rows; ++i)
        if (rows[static_cast<std::size_t>(i)]) a(i, k) = 0;
  return cotangents;
}

/// One entry against every set of cotangents. Returns how many rows are kinked along it.
Index compare_entry(Case& c, const Request& request, const Entry& entry, const Point& here,
                    const std::vector<std::vector<Array>>& sets, const std::vector<Response>& analytic, Tally& t) {
  Runner& runner = c.runner(Precision::float64);
  const Index rows = here.outputs[0].rows;
  const Displaced displaced = [&](double s) { return runner.run(entry.moved(s * entry.step)).outputs; };
  const Slopes s =
      slopes(displaced, here, std::vector<double>(static_cast<std::size_t>(rows), entry.step), t.tolerance());
  entry.moved(0);
  Index kinked = 0;
  for (const std::uint8_t k : s.kinked) kinked += k;
  for (std::size_t k = 0; k < sets.size(); ++k) {
    double numeric = 0, noise = 0;
    for (Index i = 0; i < rows; ++i) {
      if (s.kinked[static_cast<std::size_t>(i)]) continue;
      numeric += row_dot(sets[k], s.outputs, i);
      noise += row_magnitude(sets[k], here.noise, i) / s.step[static_cast<std::size_t>(i)];
    }
    double gradient = entry.gradient(analytic[k]);
    if (kinked > 0) {
      Request r = request;
      r.cotangents = without_rows(sets[k], s.kinked);
      gradient = entry.gradient(runner.run(r));
    }
    t.compare(
        -1, [&] { return entry.name; }, gradient, numeric, t.tolerance() + rounding(noise, numeric));
  }
  return kinked;
}

}  // namespace

void compare_summed(Case& c, const FunctionCase& f, const Request& request, const std::vector<Entry>& entries,
                    Tally& t) {
  Runner& runner = c.runner(Precision::float64);
  const Point here = point(c, f, request);
  const std::vector<std::vector<Array>> sets = cotangent_sets(here.outputs);
  std::vector<Response> analytic;
  for (const std::vector<Array>& set : sets) {
    Request r = request;
    r.cotangents = set;
    analytic.push_back(runner.run(r));
  }
  t.at(c.where(f, request.mode));
  Index most = 0;
  std::string worst;
  for (const Entry& entry : entries) {
    const Index kinked = compare_entry(c, request, entry, here, sets, analytic, t);
    if (kinked <= most) continue;
    most = kinked;
    worst = entry.name;
  }
  count_redrawn(most, here.outputs[0].rows, t, c.where(f, request.mode) + ", " + worst);
}

namespace {

constexpr double kJitter = 1e-6;

/// Everything that a function reads, moved by a millionth up or down.
Response jittered(Case& c, Request request, unsigned seed) {
  std::mt19937 engine(seed);
  const auto move = [&](std::vector<double>& values) {
    for (double& v : values) v += (engine() & 1 ? kJitter : -kJitter) * std::max(1.0, std::abs(v));
  };
  std::vector<double> parameters = request.parameters ? *request.parameters : c.parameters();
  move(request.x.values);
  move(request.context.values);
  move(parameters);
  request.parameters = &parameters;
  return c.runner(Precision::float64).run(request);
}

/// Conditions into `known`; what changes by more than itself has lost every digit of float32.
void widen(std::vector<double>& known, const std::vector<double>& here, const std::vector<double>& moved) {
  known.resize(here.size(), 1.0);
  for (std::size_t i = 0; i < here.size(); ++i)
    known[i] = std::max(known[i], std::min(1.0, difference(moved[i], here[i])) / kJitter);
}

}  // namespace

Response conditions(Case& c, const Request& request) {
  const Response here = c.runner(Precision::float64).run(request);
  Response known = here;
  for (Array& a : known.outputs) a.values.assign(a.values.size(), 1.0);
  for (std::vector<double>* v : {&known.x.values, &known.context.values, &known.parameters}) v->assign(v->size(), 1.0);
  for (unsigned seed = 1; seed <= 2; ++seed) {
    const Response moved = jittered(c, request, seed);
    for (std::size_t o = 0; o < here.outputs.size(); ++o)
      widen(known.outputs[o].values, here.outputs[o].values, moved.outputs[o].values);
    widen(known.x.values, here.x.values, moved.x.values);
    widen(known.context.values, here.context.values, moved.context.values);
    widen(known.parameters, here.parameters, moved.parameters);
  }
  return known;
}

void compare_precisions(Case& c, const FunctionCase& f, const Request& request,
                        const std::function<const std::vector<double>&(const Response&)>& part,
                        const std::function<std::string(Index)>& name, Tally& t) {
  if (f.random) return t.skip("float32 draws other numbers");
  t.at(c.where(f, request.mode));
  Request r = request;
  const std::vector<Array> here = c.runner(Precision::float64).run(r).outputs;
  for (const std::vector<Array>& set : cotangent_sets(here)) {
    r.cotangents = set;
    const Response plain = c.runner(Precision::float64).run(r), single = c.runner(Precision::float32).run(r);
    const Response known = conditions(c, r);
    for (std::size_t i = 0; i < part(known).size(); ++i)
      t.compare(
          -1, [&] { return name(static_cast<Index>(i)); }, part(single)[i], part(plain)[i],
          t.tolerance() * part(known)[i]);
  }
}

std::vector<Entry> entries_of(const Request& request, Input input) {
  auto moved = std::make_shared<Request>(request);
  const Array at = input == Input::x ? request.x : request.context;
  std::vector<Entry> entries;
  for (Index j = 0; j < at.columns; ++j)
    for (Index i = 0; i < at.rows; ++i) {
      const double here = at(i, j);
      entries.push_back({std::string(to_string(input)) + "[" + std::to_string(i) + ", " + std::to_string(j) + "]",
                         step_of(here),
                         [=](double d) -> const Request& {
                           input_of(*moved, input)(i, j) = here + d;
                           return *moved;
                         },
                         [=](const Response& r) { return input_of(r, input)(i, j); }});
    }
  return entries;
}

std::string parameter_name(const Layout& layout, Index place) {
  for (const ParameterInfo& p : layout.parameters) {
    const Index i = place - p.handle.offset;
    if (i < 0 || i >= p.handle.size()) continue;
    return p.path + "[" + std::to_string(i % p.handle.rows) + ", " + std::to_string(i / p.handle.rows) + "]";
  }
  return "gap " + std::to_string(place);
}

namespace {

struct Moving {
  Request request;
  std::vector<double> parameters;
};

Entry entry_of_parameter(const std::shared_ptr<Moving>& moving, const Layout& layout, Index place) {
  const auto index = static_cast<std::size_t>(place);
  const double here = moving->parameters[index];
  return {parameter_name(layout, place), step_of(here),
          [=](double d) -> const Request& {
            moving->parameters[index] = here + d;
            return moving->request;
          },
          [=](const Response& r) { return r.parameters[index]; }};
}

/// All parameters along a random unit vector.
Entry entry_of_direction(const std::shared_ptr<Moving>& moving, const std::vector<Index>& places, unsigned seed) {
  const Array normal = normal_array(1, static_cast<Index>(places.size()), seed);
  double norm = 0;
  for (const double v : normal.values) norm += v * v;
  norm = std::sqrt(norm);
  std::vector<double> along(moving->parameters.size(), 0.0);
  for (std::size_t i = 0; i < places.size(); ++i) along[static_cast<std::size_t>(places[i])] = normal.values[i] / norm;
  const std::vector<double> here = moving->parameters;
  return {"direction " + std::to_string(seed), kStep,
          [=](double d) -> const Request& {
            for (std::size_t i = 0; i < here.size(); ++i) moving->parameters[i] = here[i] + d * along[i];
            return moving->request;
          },
          [=](const Response& r) {
            double sum = 0;
            for (std::size_t i = 0; i < along.size(); ++i) sum += along[i] * r.parameters[i];
            return sum;
          }};
}

}  // namespace

std::vector<Entry> entries_of_parameters(Case& c, const Request& request) {
  auto moving = std::make_shared<Moving>(Moving{request, c.parameters()});
  moving->request.parameters = &moving->parameters;
  std::vector<Index> places;
  for (const ParameterInfo& p : c.layout().parameters)
    for (Index i = 0; i < p.handle.size(); ++i) places.push_back(p.handle.offset + i);
  std::vector<Index> some = places;
  const bool all = static_cast<long>(places.size()) <= kAllEntries;
  if (!all) {
    std::mt19937 engine(5);
    std::shuffle(some.begin(), some.end(), engine);
    some.resize(kEntries);
  }
  std::vector<Entry> entries;
  for (const Index place : some) entries.push_back(entry_of_parameter(moving, c.layout(), place));
  if (!all)
    for (unsigned k = 0; k < kDirections; ++k) entries.push_back(entry_of_direction(moving, places, k));
  return entries;
}

}  // namespace pushforward::testing
