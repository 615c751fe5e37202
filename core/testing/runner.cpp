#include "pushforward/testing/runner.h"

#include <algorithm>

#include "functions.h"
#include "memory.h"
#include "pushforward/testing/allocations.h"
#include "theta_map.h"

namespace pushforward::testing {

Runner::~Runner() = default;

Array Array::select(std::span<const Index> rows_to_take) const {
  Array out(static_cast<Index>(rows_to_take.size()), columns);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < out.rows; ++i) out(i, j) = (*this)(rows_to_take[static_cast<std::size_t>(i)], j);
  return out;
}

namespace {

template <class T>
struct Instance {
  Built<T> built;
  std::vector<Function<T>> functions;
  std::vector<FunctionInfo> infos;
};

/// Adds the allocations of this thread, from its making to its end, to a count.
class Counting {
 public:
  explicit Counting(std::int64_t& count) : count_(count), before_(AllocationCount::thread) {}
  ~Counting() { count_ += AllocationCount::thread - before_; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  std::int64_t& count_;
  std::int64_t before_;
};

/// Throws WrongResult unless an output is what the interface promises for this many rows.
template <class T>
void require_shape(const Function<T>& function, std::size_t o, Var<T> output, Index rows) {
  const std::size_t outputs = function.info.outputs.size();
  const std::string name = function.info.name + ": " + function.info.outputs[o];
  if (!output) {
    if (o + 1 == outputs && function.last_may_be_none) return;
    throw WrongResult(name + " is none");
  }
  if (output.rows() == rows && output.columns() == function.columns[o]) return;
  throw WrongResult(name + " is " + std::to_string(output.rows()) + " x " + std::to_string(output.columns()) +
                    ", but must be " + std::to_string(rows) + " x " + std::to_string(function.columns[o]));
}

template <class To, class From>
std::vector<To> convert(const std::vector<From>& from) {
  return std::vector<To>(from.begin(), from.end());
}

template <class T>
class TypedRunner final : public Runner {
 public:
  explicit TypedRunner(std::shared_ptr<Instance<T>> instance)
      : instance_(std::move(instance)), step_(instance_->built.components, instance_->built.layout) {}

  Response run(const Request& r) override;
  Response run_by_degrees(const Request& request, const NetworkShape& shape) override;
  std::vector<Array> moments(const Request& request) override;
  void initialise(Request request) override;
  std::unique_ptr<Runner> clone() const override { return std::make_unique<TypedRunner>(instance_); }

  const std::vector<FunctionInfo>& functions() const override { return instance_->infos; }
  const Layout& layout() const override { return instance_->built.layout; }
  const ComponentBase& component() const override { return *instance_->built.component; }
  Numbers numbers() const override {
    const Store<T>& s = instance_->built.store;
    return {convert<double>(s.parameters), convert<double>(s.real_state), s.integer_state};
  }
  void set_numbers(const Numbers& n) override {
    Store<T>& s = instance_->built.store;
    if (n.parameters.size() != s.parameters.size() || n.real_state.size() != s.real_state.size() ||
        n.integer_state.size() != s.integer_state.size())
      throw std::logic_error("two instances of one example differ in the sizes of their numbers");
    s.parameters = convert<T>(n.parameters);
    s.real_state = convert<T>(n.real_state);
    s.integer_state = n.integer_state;
  }
  std::span<const double> statistics() const override { return statistics_; }
  const std::vector<std::string>& unread_fields() const override { return instance_->built.unread_fields; }

 private:
  /// Parameters and derived values for this run; the step tape is ready for the way back.
  Values<T> prepare(const Request& r, bool recorded);
  Pass<T> make_pass(const Request& r, const Values<T>& values, Var<T> context, bool recorded);
  std::vector<Var<T>> call(const Request& r, Var<T> x, const Pass<T>& pass, std::int64_t& allocations);
  void backward(const Request& r, const std::vector<Var<T>>& outputs, std::int64_t& allocations);
  void forward_mode(const Request& r, Var<T> x, const std::vector<Var<T>>& outputs, Response& response);

  std::shared_ptr<Instance<T>> instance_;
  StepRunner<T> step_;
  Tape<T> tape_{false};
  std::vector<T> parameters_, derived_, gradient_;
  std::vector<double> statistics_;
  std::int64_t in_prepare_ = 0;  // allocations
};

template <class T>
Values<T> TypedRunner<T>::prepare(const Request& r, bool recorded) {
  const Layout& layout = instance_->built.layout;
  const Store<T>& store = instance_->built.store;
  if (r.parameters)
    parameters_ = convert<T>(*r.parameters);
  else
    parameters_ = store.parameters;
  derived_.assign(static_cast<std::size_t>(layout.derived_size), T(0));
  gradient_.assign(static_cast<std::size_t>(layout.parameter_size + layout.derived_size), T(0));
  std::fill_n(gradient_.begin(), layout.parameter_size, static_cast<T>(r.prefill));
  statistics_.assign(static_cast<std::size_t>(layout.statistic_size), 0.0);
  const Values<T> values{parameters_.data(), derived_.data(), store.real_state.data(), store.integer_state.data()};
  in_prepare_ = 0;
  const Counting counting(in_prepare_);
  step_.prepare(values, derived_.data(), r.mode, r.stream, recorded ? gradient_.data() : nullptr,
                r.frozen ? r.frozen->data() : nullptr);
  return values;
}

template <class T>
Pass<T> TypedRunner<T>::make_pass(const Request& r, const Values<T>& values, Var<T> context, bool recorded) {
  Pass<T> pass{.tape = tape_,
               .values = values,
               .context = context,
               .mode = r.mode,
               .stream = r.stream,
               .first_row = r.first_row,
               .parameter_size = instance_->built.layout.parameter_size,
               .sinks = {}};
  if (recorded) pass.sinks.gradient = gradient_.data();
  if (r.frozen) pass.sinks.frozen = r.frozen->data();
  if (r.mode == Mode::train) pass.sinks.statistics = statistics_.data();
  return pass;
}

template <class T>
std::vector<Var<T>> TypedRunner<T>::call(const Request& r, Var<T> x, const Pass<T>& pass, std::int64_t& allocations) {
  const Function<T>& function = instance_->functions[static_cast<std::size_t>(r.function)];
  const Index rows = r.x.columns > 0 ? r.x.rows : r.rows;
  Outputs<T> found;
  {
    const Counting counting(allocations);
    found = function.call(x, rows, pass);
  }
  const std::size_t outputs = function.info.outputs.size();
  for (std::size_t o = 0; o < outputs; ++o) require_shape(function, o, found[o], rows);
  return {found.begin(), found.begin() + static_cast<std::ptrdiff_t>(outputs)};
}

template <class T>
void TypedRunner<T>::backward(const Request& r, const std::vector<Var<T>>& outputs, std::int64_t& allocations) {
  std::vector<std::unique_ptr<Memory<T>>> memory;
  std::vector<typename Tape<T>::Seed> seeds;
  for (std::size_t o = 0; o < outputs.size() && o < r.cotangents.size(); ++o) {
    if (!outputs[o] || r.cotangents[o].columns == 0) continue;
    memory.push_back(std::make_unique<Memory<T>>(r.cotangents[o], r.padding, r.extra_stride));
    seeds.push_back({outputs[o], memory.back()->block()});
  }
  const Counting counting(allocations);
  tape_.backward(seeds);
  step_.backward(gradient_.data());
}

template <class T>
void TypedRunner<T>::forward_mode(const Request& r, Var<T> x, const std::vector<Var<T>>& outputs, Response& response) {
  const Memory<T> direction(r.direction, r.padding, r.extra_stride);
  const Var<T> along = tape_.constant(direction.block());
  std::vector<Var<T>> tangents(outputs.size());
  tape_.tangent(outputs, std::span<const Var<T>>(&x, 1), std::span<const Var<T>>(&along, 1), tangents);
  for (std::size_t o = 0; o < outputs.size(); ++o)
    response.tangents.push_back(tangents[o] ? to_array<T>(tangents[o].value())
                                            : Array(outputs[o].rows(), outputs[o].columns()));
}

template <class T>
Response TypedRunner<T>::run(const Request& r) {
  const bool recorded = r.record || !r.cotangents.empty() || !r.direction.empty();
  tape_.reset();
  if (r.dirty_memory) fill_with_nan(tape_, Index{1} << 18);
  tape_.set_recording(recorded);
  const Values<T> values = prepare(r, recorded);
  const Memory<T> x(r.x, r.padding, r.extra_stride), context(r.context, r.padding, r.extra_stride);
  Memory<T> x_gradient(r.x.rows, r.x.columns, r.padding, r.extra_stride);
  Memory<T> context_gradient(r.context.rows, r.context.columns, r.padding, r.extra_stride);
  x_gradient.fill(r.prefill);
  context_gradient.fill(r.prefill);
  const auto input = [&](const Memory<T>& value, const Memory<T>& gradient) {
    if (value.block().columns == 0) return Var<T>();
    return recorded ? tape_.leaf(value.block(), gradient.block()) : tape_.constant(value.block());
  };
  const Pass<T> pass = make_pass(r, values, input(context, context_gradient), recorded);
  const Var<T> x_var = input(x, x_gradient);
  Response response;
  response.allocations = in_prepare_;
  const std::vector<Var<T>> outputs = call(r, x_var, pass, response.allocations);
  for (const Var<T>& v : outputs) response.outputs.push_back(v ? to_array<T>(v.value()) : Array());
  if (!r.direction.empty()) forward_mode(r, x_var, outputs, response);
  if (r.cotangents.empty()) return response;
  backward(r, outputs, response.allocations);
  response.x = to_array<T>(x_gradient.block());
  response.context = to_array<T>(context_gradient.block());
  response.parameters.assign(gradient_.begin(), gradient_.begin() + instance_->built.layout.parameter_size);
  return response;
}

template <class T>
void TypedRunner<T>::initialise(Request r) {
  Store<T>& store = instance_->built.store;
  tape_.reset();
  tape_.set_recording(false);
  r.mode = Mode::initialise;
  r.parameters = nullptr;
  prepare(r, false);
  const Memory<T> x(r.x, 0, 0), context(r.context, 0, 0);
  const auto input = [&](const Memory<T>& v) { return v.block().columns ? tape_.constant(v.block()) : Var<T>(); };
  const Values<T> values{store.parameters.data(), derived_.data(), store.real_state.data(), store.integer_state.data()};
  Pass<T> pass = make_pass(r, values, input(context), false);
  pass.sinks.writable_parameters = store.parameters.data();
  pass.sinks.writable_real_state = store.real_state.data();
  pass.sinks.writable_integer_state = store.integer_state.data();
  std::int64_t unused = 0;
  call(r, input(x), pass, unused);

  r.mode = Mode::train;
  run(r);
  const std::vector<double> statistics = statistics_;
  const Values<T> after{store.parameters.data(), derived_.data(), store.real_state.data(), store.integer_state.data()};
  step_.update(after, store.real_state, store.integer_state, statistics, r.x.columns ? r.x.rows : r.rows, r.stream);
}

/// Where a degree occurs.
std::vector<Index> places_of(const std::vector<Index>& degrees, Index degree) {
  std::vector<Index> all;
  for (std::size_t i = 0; i < degrees.size(); ++i)
    if (degrees[i] == degree) all.push_back(static_cast<Index>(i));
  return all;
}

Array columns_of(const Array& a, const std::vector<Index>& places) {
  Array taken(a.rows, static_cast<Index>(places.size()));
  for (Index j = 0; j < taken.columns; ++j)
    for (Index i = 0; i < a.rows; ++i) taken(i, j) = a(i, places[static_cast<std::size_t>(j)]);
  return taken;
}

template <class T>
void set_columns(Array& a, const std::vector<Index>& places, Block<const T> given, const char* what) {
  if (given.columns != static_cast<Index>(places.size()) || given.rows != a.rows)
    throw ShapeError(std::string("stepper: ") + what + " gave " + std::to_string(given.rows) + " x " +
                     std::to_string(given.columns) + ", but must give " + std::to_string(a.rows) + " x " +
                     std::to_string(places.size()));
  for (std::size_t j = 0; j < places.size(); ++j)
    for (Index i = 0; i < a.rows; ++i) a(i, places[j]) = static_cast<double>(given(i, static_cast<Index>(j)));
}

template <class T>
Response TypedRunner<T>::run_by_degrees(const Request& r, const NetworkShape& shape) {
  const auto* network = dynamic_cast<const Network<T>*>(instance_->built.component.get());
  if (!network || !network->masked() || shape.output_degrees.empty()) return {};
  tape_.reset();
  tape_.set_recording(false);
  const Memory<T> context(r.context, r.padding, r.extra_stride);
  const Var<T> context_var = context.block().columns ? tape_.constant(context.block()) : Var<T>();
  const Pass<T> pass = make_pass(r, prepare(r, false), context_var, false);
  const StepperPointer<T> stepper = network->masked()->start(r.x.rows, pass);
  Response response;
  Array& out = response.outputs.emplace_back(r.x.rows, shape.outputs);
  const auto [lowest, highest] = std::minmax_element(shape.output_degrees.begin(), shape.output_degrees.end());
  const auto inputs_before = [&, least = *lowest](Index degree) {
    return degree > least ? places_of(shape.input_degrees, degree - 1) : std::vector<Index>();
  };
  for (Index degree = *lowest; degree <= *highest; ++degree) {
    const Memory<T> x(columns_of(r.x, inputs_before(degree)), r.padding, r.extra_stride);
    set_columns<T>(out, places_of(shape.output_degrees, degree), stepper->advance(degree, x.block()), "advance");
  }
  if (r.cotangents.empty()) return response;
  response.x = Array(r.x.rows, r.x.columns);
  for (Index degree = *highest; degree >= *lowest; --degree) {
    const Memory<T> bar(columns_of(r.cotangents[0], places_of(shape.output_degrees, degree)), r.padding,
                        r.extra_stride);
    const Block<const T> x_bar = stepper->retreat(degree, bar.block());
    // What the lowest degree gives nobody needs.
    if (degree > *lowest) set_columns<T>(response.x, inputs_before(degree), x_bar, "retreat");
  }
  return response;
}

template <class T>
std::vector<Array> TypedRunner<T>::moments(const Request& r) {
  const auto* density = dynamic_cast<const Distribution<T>*>(instance_->built.component.get());
  if (!density) return {};
  tape_.reset();
  tape_.set_recording(false);
  const Memory<T> context(r.context, r.padding, r.extra_stride);
  const Var<T> context_var = context.block().columns ? tape_.constant(context.block()) : Var<T>();
  const Moments<T> m = density->moments(make_pass(r, prepare(r, false), context_var, false));
  if (!m.mean || !m.variance) return {};
  return {to_array<T>(m.mean.value()), to_array<T>(m.variance.value())};
}

/// Wraps the transformer of a built component and adds theta to its numbers.
template <class T>
void wrap_transformer(Built<T>& built, ThetaForm form, Index columns) {
  auto* map = dynamic_cast<Transformer<T>*>(built.component.get());
  if (!map) throw std::logic_error("the component of a transformer's subject is no transformer of this precision");
  built.component.release();
  Parameter theta{built.layout.parameter_size, 1, columns * map->parameters(), Role::other, false};
  Parameter derived{built.layout.derived_size, 1, columns * map->prepared(), Role::other, true};
  if (form != ThetaForm::per_row && theta.columns > 0) {
    built.layout.parameters.push_back({"theta", theta});
    built.layout.parameter_size += round_up(theta.size(), kPadding);
    built.store.parameters.resize(static_cast<std::size_t>(built.layout.parameter_size), T(0));
  }
  if (form == ThetaForm::prepared) {
    built.layout.derived.push_back({"prepared theta", derived});
    built.layout.derived_size += round_up(derived.size(), kPadding);
  }
  auto wrapped = std::make_unique<ThetaMap<T>>(std::unique_ptr<Transformer<T>>(map), form, theta, derived);
  built.components.push_back(wrapped.get());
  built.component = std::move(wrapped);
}

}  // namespace

ThetaColumns theta_columns(const ComponentBase& component) {
  if (const auto* d = dynamic_cast<const ThetaMap<double>*>(&component))
    return {d->transformer().parameters(), d->transformer().prepared()};
  if (const auto* f = dynamic_cast<const ThetaMap<float>*>(&component))
    return {f->transformer().parameters(), f->transformer().prepared()};
  return {};
}

template <class T>
std::unique_ptr<Runner> make_runner(const Subject& subject, const Surroundings& around, ThetaForm form) {
  auto instance = std::make_shared<Instance<T>>();
  instance->built = subject.make<T>(around);
  if (!instance->built.component) throw std::logic_error("the maker made nothing");
  if (form != ThetaForm::none) wrap_transformer(instance->built, form, around.event_shape.size());
  instance->functions = functions_of<T>(*instance->built.component, around);
  for (const Function<T>& f : instance->functions) instance->infos.push_back(f.info);
  return std::make_unique<TypedRunner<T>>(std::move(instance));
}

template std::unique_ptr<Runner> make_runner<float>(const Subject&, const Surroundings&, ThetaForm);
template std::unique_ptr<Runner> make_runner<double>(const Subject&, const Surroundings&, ThetaForm);

}  // namespace pushforward::testing
