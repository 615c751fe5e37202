#include "case.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "theta_map.h"

namespace pushforward::testing {

const char* to_string(Precision p) { return p == Precision::float64 ? "float64" : "float32"; }
const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::train:
      return "train";
    case Mode::evaluate:
      return "evaluate";
    case Mode::initialise:
      return "initialise";
  }
  return "";
}

double round_to_float(double x) { return static_cast<double>(static_cast<float>(x)); }

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
bool same_bits(const Response& a, const Response& b) {
  const auto gradients = [](const Response& r) {
    Array parameters(static_cast<Index>(r.parameters.size()), 1);
    parameters.values = r.parameters;
    return std::vector<Array>{r.x, r.context, parameters};
  };
  return same_bits(a.outputs, b.outputs) && same_bits(gradients(a), gradients(b));
}
bool same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t o = 0; o < a.size(); ++o) {
    if (a[o].values.size() != b[o].values.size()) return false;
    for (std::size_t i = 0; i < a[o].values.size(); ++i)
      if (!same_bits(a[o].values[i], b[o].values[i])) return false;
  }
  return true;
}

Array normal_array(Index rows, Index columns, unsigned seed, double deviation) {
  std::mt19937_64 engine(seed * 2654435761u + 17);
  std::normal_distribution<double> normal(0, deviation);
  Array a(rows, columns);
  for (double& v : a.values) v = round_to_float(normal(engine));
  return a;
}

Array draw_support(const Support& s, Index rows, Index columns, unsigned seed) {
  // Samples of a standard normal, stretched a little, on the whole line, on half of it or on an interval.
  Array a = normal_array(rows, columns, seed, 1.5);
  const bool below = std::isfinite(s.lower), above = std::isfinite(s.upper);
  for (double& v : a.values) {
    const double share = 0.5 * std::erfc(-v / 1.5 / std::sqrt(2.0));
    if (below && above)
      v = s.lower + (s.upper - s.lower) * (0.01 + 0.98 * share);
    else if (below)
      v = s.lower + std::exp(0.5 * v);
    else if (above)
      v = s.upper - std::exp(0.5 * v);
    v = round_to_float(v);
  }
  return a;
}

Case::Case(const Subject& subject, const Variant& variant) : subject_(subject), variant_(variant) {
  f64_ = make_runner<double>(subject, variant.surroundings, variant.form);
  if (subject.make_float) f32_ = make_runner<float>(subject, variant.surroundings, variant.form);
  describe();
  start();
  perturb();
}

std::unique_ptr<Runner> Case::fresh(Precision p) const {
  std::unique_ptr<Runner> made = p == Precision::float64
                                     ? make_runner<double>(subject_, variant_.surroundings, variant_.form)
                                     : make_runner<float>(subject_, variant_.surroundings, variant_.form);
  made->set_numbers(numbers_);
  return made;
}

const FunctionCase* Case::find(const char* name) const {
  for (const FunctionCase& f : functions_)
    if (f.info.name == name) return &f;
  return nullptr;
}

namespace {

FunctionCase map_function(int index, const FunctionInfo& info, const Traits& t, const Support& support) {
  const bool forward = info.name == "forward";
  const Cost cost = forward ? t.forward : t.inverse;
  const double declared = forward ? t.forward_range : t.inverse_range;
  FunctionCase f;
  f.index = index;
  f.info = info;
  f.support = support;
  f.iterative = cost == Cost::iterative;
  f.tolerance = f.iterative ? t.tolerance : 0;
  f.random = t.uses_draws || (forward ? t.draws_forward : t.draws_inverse);
  f.range = declared > 0 ? declared : t.elementwise ? kRangeOfElementwise : kRangeOfOthers;
  return f;
}

}  // namespace

void Case::describe() {
  const std::vector<FunctionInfo>& infos = f64_->functions();
  const ComponentBase& component = f64_->component();
  context_columns_ = variant_.surroundings.context;
  if (const auto* map = dynamic_cast<const Bijector<double>*>(&component)) {
    map_ = map->traits();
    couples_rows_ = map_->couples_rows;
    base_columns_ = infos[0].inputs;
    data_columns_ = infos[1].inputs;
    for (int i = 0; i < 2; ++i) {
      if ((i == 0 ? map_->forward : map_->inverse) == Cost::none) continue;
      functions_.push_back(
          map_function(i, infos[static_cast<std::size_t>(i)], *map_, i == 0 ? map->domain() : map->codomain()));
    }
  } else if (const auto* density = dynamic_cast<const Distribution<double>*>(&component)) {
    density_ = density->traits();
    couples_rows_ = density_->couples_rows;
    data_columns_ = density->event_shape().size();
    for (std::size_t i = 0; i < infos.size(); ++i) {
      const bool sample = infos[i].name == "sample";
      FunctionCase f{static_cast<int>(i), infos[i], density->support()};
      f.iterative = (sample ? density_->sample : density_->log_prob) == Cost::iterative;
      f.random = sample || density_->uses_draws_in_log_prob;
      f.differentiable = !sample || density_->reparameterised;
      functions_.push_back(f);
    }
  } else if (const auto* target = dynamic_cast<const Target<double>*>(&component)) {
    data_columns_ = target->event_shape().size();
    functions_.push_back({0, infos[0], target->support()});
  } else if (const auto* network = dynamic_cast<const Network<double>*>(&component)) {
    couples_rows_ = network->traits().couples_rows;
    context_columns_ = variant_.surroundings.network.context;
    functions_.push_back({0, infos[0], Support{}});
    functions_.back().random = network->traits().uses_draws;
  }
  modes_.resize(functions_.size());
}

void Case::start() {
  // A flow initialises on data, so its inverse sees the first batch.
  for (const char* name : {"inverse", "log_prob", "evaluate", "log_density", "forward"})
    if (const FunctionCase* f = find(name)) {
      const Request batch = request(*f, kSamples, 1);
      f64_->initialise(batch);
      if (f32_) f32_->initialise(batch);
      return;
    }
}

void Case::perturb() {
  numbers_ = f64_->numbers();
  start_ = numbers_.parameters;
  if (variant_.form == ThetaForm::shared || variant_.form == ThetaForm::prepared) {
    const std::vector<double> one = identity_theta();
    const Parameter* theta = one.empty() ? nullptr : &layout().parameters.back().handle;
    for (Index i = 0; theta && i < theta->size(); ++i)
      start_[static_cast<std::size_t>(theta->offset + i)] = one[static_cast<std::size_t>(i) % one.size()];
  }
  for (double& v : start_) v = round_to_float(v);
  const Array noise = normal_array(1, static_cast<Index>(numbers_.parameters.size()), 2);
  for (const ParameterInfo& p : layout().parameters) {
    const double weight = 0.5 / std::sqrt(static_cast<double>(std::max<Index>(p.handle.rows, 1)));
    const double size = variant_.form != ThetaForm::none ? 1.0 : p.handle.role == Role::weight ? weight : 0.3;
    for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size(); ++i)
      numbers_.parameters[static_cast<std::size_t>(i)] += size * noise(0, i);
  }
  for (double& v : numbers_.parameters) v = round_to_float(v);
  calm_theta_ = numbers_.parameters;
  for (double& v : calm_theta_) v *= 0.5;
  for (double& v : numbers_.real_state) v = round_to_float(v);
  f64_->set_numbers(numbers_);
  if (f32_) f32_->set_numbers(numbers_);
}

std::vector<double> Case::other_parameters(unsigned seed, double distance) const {
  std::vector<double> moved = numbers_.parameters;
  const Array noise = normal_array(1, static_cast<Index>(moved.size()), seed);
  for (const ParameterInfo& p : layout().parameters)
    for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size(); ++i) {
      double& v = moved[static_cast<std::size_t>(i)];
      v = round_to_float(v + distance * noise(0, i));
    }
  return moved;
}

Array Case::context(Index rows, unsigned seed) const {
  return context_columns_ ? normal_array(rows, context_columns_, seed + 7919) : Array();
}

namespace {

/// Whether a number is as far from the ends of a support as those that are drawn in it.
bool well_inside(const Support& s, double v) {
  const double width = s.upper - s.lower, margin = std::isfinite(width) ? 0.01 * width : 0.01;
  return v >= s.lower + margin && v <= s.upper - margin;
}

/// Whether a map takes an infinite end to a finite one, as a distribution function does: far out its image rounds to
/// that end, and nothing leads back.
bool flattens(const Support& from, const Support& to) {
  return (std::isinf(from.lower) || std::isinf(from.upper)) && (std::isfinite(to.lower) || std::isfinite(to.upper));
}

}  // namespace

Array Case::draw(const FunctionCase& f, Index rows, unsigned seed) {
  if (f.info.inputs == 0) return {};
  if (map_ && f.info.name == "forward") return draw_base(f, rows, seed);
  const FunctionCase* source = f.info.name == "inverse" ? find("forward") : nullptr;
  if (f.info.name == "log_prob") source = find("sample");
  if (!source) return draw_support(f.support, rows, f.info.inputs, seed);
  // Data are what the model makes: only there need a map be invertible.
  Request r = request(*source, rows, seed);
  r.stream.step = seed;
  Array data = f64_->run(r).outputs[0];
  if (f.info.name == "log_prob" || base_columns_ == data_columns_)  // rounding leaves a manifold
    for (double& v : data.values) v = round_to_float(v);
  if (map_ && map_->elementwise) {  // any number of the codomain is data: half of the rows are drawn there
    const Array direct = draw_support(f.support, rows, f.info.inputs, seed + 1);
    const bool flat = flattens(source->support, f.support);
    for (Index j = 0; j < data.columns; ++j)
      for (Index i = 0; i < rows; ++i)
        if (i % 2 == 1 || (flat && !well_inside(f.support, data(i, j)))) data(i, j) = direct(i, j);
  }
  return data;
}

/// Where an elementwise map flattens, the argument is that of a number from the middle of the codomain.
Array Case::draw_base(const FunctionCase& f, Index rows, unsigned seed) {
  Array x = draw_support(f.support, rows, f.info.inputs, seed);
  const FunctionCase* inverse = find("inverse");
  if (!map_->elementwise || !inverse || !flattens(f.support, inverse->support)) return x;
  Request r;
  r.rows = rows;
  r.context = context(rows, seed);
  r.function = f.index;
  r.x = x;
  const Array image = f64_->run(r).outputs[0];
  r.function = inverse->index;
  r.x = draw_support(inverse->support, rows, inverse->info.inputs, seed + 1);
  const Array origin = f64_->run(r).outputs[0];
  for (Index j = 0; j < x.columns; ++j)
    for (Index i = 0; i < rows; ++i)
      if (!well_inside(inverse->support, image(i, j))) x(i, j) = round_to_float(origin(i, j));
  return x;
}

Request Case::request(const FunctionCase& f, Index rows, unsigned seed, Mode mode) {
  Request r;
  r.function = f.index;
  r.rows = rows;
  r.mode = mode;
  r.context = context(rows, seed);
  r.x = draw(f, rows, seed);
  return r;
}

Array Case::far_data(const FunctionCase& f, const Array& x, double reach) const {
  const bool below = std::isfinite(f.support.lower), above = std::isfinite(f.support.upper);
  Array far = x;
  if (below && above) return far;  // every element is as far as it can be, and events may obey more than bounds
  for (Index j = 0; j < x.columns; ++j)
    for (Index i = 0; i < x.rows; ++i) {
      if (below)
        far(i, j) = f.support.lower + reach * (x(i, j) - f.support.lower);
      else if (above)
        far(i, j) = f.support.upper - reach * (f.support.upper - x(i, j));
      else
        far(i, j) = reach * x(i, j);
    }
  return far;
}

Request Case::tails(const FunctionCase& f, Index rows, double reach) {
  Request r = request(f, rows, 3);
  if (variant_.form != ThetaForm::none) {
    r.parameters = &calm_theta_;
    for (double& v : r.context.values) v *= 0.5;
  }
  if (f.info.name == "log_prob" || f.info.name == "log_density") {
    r.x = far_data(f, r.x, reach);
    return r;
  }
  if (const FunctionCase* forward = find("forward"); f.info.name == "inverse" && forward && !map_->elementwise) {
    r.x = f64_->run(tails(*forward, rows, std::min(reach, forward->range))).outputs[0];
    if (base_columns_ == data_columns_)
      for (double& v : r.x.values) v = round_to_float(v);
    return r;
  }
  const Support& s = f.support;
  const double width = std::isfinite(s.upper - s.lower) ? s.upper - s.lower : 1;
  for (Index j = 0; j < r.x.columns; ++j)
    for (Index i = 0; i < rows; ++i)
      r.x(i, j) =
          round_to_float(std::clamp((i + j) % 2 ? -reach : reach, s.lower + 1e-6 * width, s.upper - 1e-6 * width));
  return r;
}

const std::vector<Mode>& Case::modes(const FunctionCase& f) {
  std::vector<Mode>& known = modes_[static_cast<std::size_t>(&f - functions_.data())];
  if (known.empty()) {
    known = {Mode::evaluate};
    if (differs_in_training(f)) known.push_back(Mode::train);
  }
  return known;
}

/// In its values, or in a gradient of the same values.
bool Case::differs_in_training(const FunctionCase& f) {
  Request r = request(f, kSamples, 4), training = r;
  training.mode = Mode::train;
  const std::vector<Array> plain = f64_->run(r).outputs;
  if (!same_bits(plain, f64_->run(training).outputs)) return true;
  if (!f.differentiable) return false;
  r.cotangents = training.cotangents = cotangents(plain, 6);
  try {
    return !same_bits(f64_->run(r), f64_->run(training));
  } catch (const std::exception&) {
    return false;  // a gradient that throws is a finding of the checks that ask for one
  }
}

std::vector<double> Case::identity_theta() const {
  const auto* map = dynamic_cast<const ThetaMap<double>*>(&f64_->component());
  std::vector<double> one(static_cast<std::size_t>(map ? map->transformer().parameters() : 0));
  if (map) map->transformer().identity(one);
  return one;
}

Request Case::at_start(const FunctionCase& f, Index rows, unsigned seed, Mode mode) {
  Request r = request(f, rows, seed, mode);
  r.parameters = &start_;
  if (variant_.form == ThetaForm::per_row) {
    const std::vector<double> one = identity_theta();
    for (Index j = 0; j < r.context.columns; ++j)
      for (Index i = 0; i < rows; ++i) r.context(i, j) = round_to_float(one[static_cast<std::size_t>(j) % one.size()]);
  }
  if (const FunctionCase* forward = find("forward"); f.info.name == "inverse" && forward && !map_->elementwise) {
    Request there = at_start(*forward, rows, seed, mode);
    there.context = r.context;
    r.x = f64_->run(there).outputs[0];
    if (base_columns_ == data_columns_)
      for (double& v : r.x.values) v = round_to_float(v);
  }
  return r;
}

bool Case::coupled(const FunctionCase& f, Mode mode) {
  if (!couples_rows_) return false;
  const Request all = request(f, kSamples, 5, mode);
  Request some = all;
  std::vector<Index> first;
  for (Index i = 0; i < kSamples / 2; ++i) first.push_back(i);
  some.rows = kSamples / 2;
  some.x = all.x.columns ? all.x.select(first) : Array();
  some.context = all.context.columns ? all.context.select(first) : Array();
  const std::vector<Array> a = f64_->run(all).outputs, b = f64_->run(some).outputs;
  for (std::size_t o = 0; o < a.size(); ++o)
    for (Index j = 0; j < a[o].columns; ++j)
      for (const Index i : first)
        if (std::abs(a[o](i, j) - b[o](i, j)) > 1e-9 * std::max(1.0, std::abs(a[o](i, j)))) return true;
  return false;
}

std::vector<Array> Case::cotangents(const std::vector<Array>& outputs, unsigned seed) {
  std::vector<Array> all;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    all.push_back(normal_array(outputs[o].rows, outputs[o].columns, seed * 31 + static_cast<unsigned>(o)));
  return all;
}

std::string Case::where(const FunctionCase& f, Mode mode) const {
  std::string text = f.info.name;
  if (mode == Mode::train) text += ", train";
  if (!variant_.label.empty()) text += ", " + variant_.label;
  return text;
}

}  // namespace pushforward::testing
