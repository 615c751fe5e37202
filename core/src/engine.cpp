#include "pushforward/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "lanes.h"
#include "not_finite.h"
#include "pushforward/linear_algebra.h"
#include "pushforward/number_text.h"
#include "pushforward/operations.h"
#include "pushforward/step.h"

namespace pushforward {

namespace {

/// A step that takes less than this on one thread is not worth waking others for.
constexpr double kWorthSharing = 60e-6;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class T>
Block<const T> slice(const Block<const T>& block, Index first, Index count) {
  return block.data ? block.middle_rows(first, count) : block;
}

bool power_of_two(int n) { return n > 0 && (n & (n - 1)) == 0; }

}  // namespace

template <class T>
struct Engine<T>::Impl {
  Impl(Model<T>& m, const EngineSettings& s)
      : model(m),
        settings(s),
        pool(s.threads),
        step(m.components, m.layout),
        lanes(s.lanes, static_cast<std::size_t>(m.layout.parameter_size + m.layout.derived_size),
              static_cast<std::size_t>(m.layout.statistic_size)),
        derived(static_cast<std::size_t>(m.layout.derived_size)),
        statistics(static_cast<std::size_t>(m.layout.statistic_size)) {
    for (int i = 0; i < pool.threads(); ++i) tapes.push_back(std::make_unique<Tape<T>>());
    couples_rows = model.distribution && model.distribution->traits().couples_rows;
    freeze({});
  }

  void freeze(const std::vector<std::uint8_t>& by_user);
  Values<T> values_at(std::span<const T> theta) const;
  Pass<T> pass(Tape<T>& tape, const Values<T>& values, Mode mode, Stream stream, Index first_row) const;
  Stream stream(std::uint32_t s) const { return {settings.seed, s, 0}; }
  std::uint8_t* frozen_in(int phase);
  Batch<T> enter(Tape<T>& tape, const Rows<T>& rows, Index first, Index count, Pass<T>& p) const;
  Index shard_size(Index rows, Mode mode) const;
  template <class F>
  void each_shard(Index rows, Mode mode, F&& f);

  double weight_of(const Rows<T>& batch) const;
  double seed_of(const Rows<T>& batch, Index row, double total) const;
  template <class F>
  Lane<T>& run_shards(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode, bool serial,
                      bool with_gradient, F&& use);
  double separable(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, bool with_gradient);
  double coupled(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode, bool with_gradient);
  double reduce(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode, bool with_gradient);
  [[noreturn]] void explain(int phase, const Rows<T>& batch, const Values<T>& values, std::uint32_t s, Mode mode,
                            double loss);
  void finish_gradient(std::span<T> gradient, const std::uint8_t* frozen, std::uint32_t s);

  Model<T>& model;
  EngineSettings settings;
  ThreadPool pool;
  std::vector<std::unique_ptr<Tape<T>>> tapes;  // one for each worker
  StepRunner<T> step;
  LaneTree<T> lanes;
  std::vector<T> derived;
  std::vector<double> statistics;
  std::vector<std::uint8_t> frozen_model, frozen_objective;
  bool couples_rows = false;
  Index last_rows = 0;  // of the last batch, for `update`
  // Whether steps of this size are worth sharing, found out on one thread.
  Index measured_rows = -1;
  double serial_seconds = 0;
  // Of objectives that are not separable.
  Tape<T> reduce_tape;
  struct Whole {
    Matrix<T> rows, adjoints;
  };
  std::vector<Whole> whole;  // what `rows` gave for the whole batch, of each phase
  std::vector<T> reduce_gradient;
};

// --- what an evaluation is given ---

template <class T>
void Engine<T>::Impl::freeze(const std::vector<std::uint8_t>& by_user) {
  const Layout& l = model.layout;
  const std::size_t blocks = static_cast<std::size_t>((l.parameter_size + l.derived_size) / kPadding + 1);
  const std::size_t own = static_cast<std::size_t>(l.parameter_size / kPadding);
  const std::size_t objective = static_cast<std::size_t>(model.border() / kPadding);
  std::vector<std::uint8_t> given = by_user;
  given.resize(blocks, 0);
  frozen_model = frozen_objective = given;
  std::fill(frozen_model.begin() + static_cast<std::ptrdiff_t>(objective),
            frozen_model.begin() + static_cast<std::ptrdiff_t>(own), 1);
  std::fill(frozen_objective.begin(), frozen_objective.begin() + static_cast<std::ptrdiff_t>(objective), 1);
}

template <class T>
std::uint8_t* Engine<T>::Impl::frozen_in(int phase) {
  const auto phases = model.objective->phases();
  if (phase < 0 || static_cast<std::size_t>(phase) >= phases.size())
    throw std::logic_error("the objective has no phase " + std::to_string(phase));
  return phases[static_cast<std::size_t>(phase)].trains == PhaseInfo<T>::Trains::model ? frozen_model.data()
                                                                                       : frozen_objective.data();
}

template <class T>
Values<T> Engine<T>::Impl::values_at(std::span<const T> theta) const {
  Values<T> v = model.store.values();
  if (!theta.empty()) v.parameters = theta.data();
  v.derived = derived.data();
  return v;
}

template <class T>
Pass<T> Engine<T>::Impl::pass(Tape<T>& tape, const Values<T>& values, Mode mode, Stream s, Index first_row) const {
  return Pass<T>{.tape = tape,
                 .values = values,
                 .context = {},
                 .mode = mode,
                 .stream = s,
                 .first_row = first_row,
                 .parameter_size = model.layout.parameter_size,
                 .sinks = {}};
}

/// Puts rows of a batch on a tape: views, no copies.
template <class T>
Batch<T> Engine<T>::Impl::enter(Tape<T>& tape, const Rows<T>& rows, Index first, Index count, Pass<T>& p) const {
  Batch<T> batch;
  batch.rows = count;
  batch.target = model.target.get();
  if (rows.data.data) batch.data = tape.constant(slice(rows.data, first, count));
  if (rows.weights.data) batch.weights = tape.constant(slice(rows.weights, first, count));
  if (rows.context.data) p.context = tape.constant(slice(rows.context, first, count));
  return batch;
}

/// From the batch and the settings alone.
template <class T>
Index Engine<T>::Impl::shard_size(Index rows, Mode mode) const {
  if (couples_rows && mode != Mode::evaluate) return round_up(std::max<Index>(rows, 1), kPadding);
  if (settings.shard_rows > 0) return settings.shard_rows;
  return std::clamp<Index>(round_up((rows + settings.lanes - 1) / settings.lanes, kPadding), 32, 256);
}

/// f(tape, first row, rows) for every shard, on all threads.
template <class T>
template <class F>
void Engine<T>::Impl::each_shard(Index rows, Mode mode, F&& f) {
  const Index size = shard_size(rows, mode);
  pool.run((rows + size - 1) / size, [&](Index shard, int worker) {
    const Index first = shard * size, count = std::min(size, rows - first);
    Tape<T>& tape = *tapes[static_cast<std::size_t>(worker)];
    tape.reset();
    f(tape, first, count);
  });
}

// --- losses ---

template <class T>
double Engine<T>::Impl::weight_of(const Rows<T>& batch) const {
  if (!batch.weights.data) return static_cast<double>(batch.count);
  return sum_in_order(batch.weights.data, batch.count);
}
template <class T>
double Engine<T>::Impl::seed_of(const Rows<T>& batch, Index row, double total) const {
  return (batch.weights.data ? static_cast<double>(batch.weights.data[row]) : 1.0) / total;
}

/// The objective's `rows` of every shard, lane after lane, each handed to use(tape, rows, first row, rows, sums of the
/// lane); the sum of all lanes, whose statistics are kept.
template <class T>
template <class F>
Lane<T>& Engine<T>::Impl::run_shards(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode,
                                     bool serial, bool with_gradient, F&& use) {
  const std::uint8_t* frozen = frozen_in(phase);
  const Index size = shard_size(batch.count, mode), shards = (batch.count + size - 1) / size;
  Lane<T>& sum = lanes.run(pool, serial, with_gradient, [&](int lane, int worker, Lane<T>& sums) {
    Tape<T>& tape = *tapes[static_cast<std::size_t>(worker)];
    for (Index shard = shards * lane / settings.lanes; shard < shards * (lane + 1) / settings.lanes; ++shard) {
      const Index first = shard * size, count = std::min(size, batch.count - first);
      tape.reset();
      tape.set_recording(with_gradient);
      Pass<T> p = pass(tape, values, mode, s, first);
      p.sinks.gradient = with_gradient ? sums.gradient.data() : nullptr;
      p.sinks.frozen = frozen;
      p.sinks.statistics = sums.statistics.data();
      const Batch<T> rows = enter(tape, batch, first, count, p);
      use(tape, model.objective->rows(phase, *model.distribution, rows, p), first, count, sums);
    }
  });
  std::copy(sum.statistics.begin(), sum.statistics.end(), statistics.begin());
  return sum;
}

template <class T>
double Engine<T>::Impl::separable(int phase, const Rows<T>& batch, const Values<T>& values, Stream s,
                                  bool with_gradient) {
  const double total = weight_of(batch);
  const bool serial = measured_rows != batch.count || serial_seconds < kWorthSharing;
  const double start = now();
  const auto weigh = [&](Tape<T>& tape, Var<T> rows, Index first, Index count, Lane<T>& sums) {
    const Var<T> losses = columns(rows, 0, 1);
    const Block<T> seed = tape.block(count, 1);
    for (Index i = 0; i < count; ++i) {
      const double w = seed_of(batch, first + i, total);
      seed.data[i] = static_cast<T>(w);
      sums.loss += w * static_cast<double>(losses.value().data[i]);
    }
    if (with_gradient) tape.backward(losses, seed);
  };
  const Lane<T>& sum = run_shards(phase, batch, values, s, Mode::train, serial, with_gradient, weigh);
  if (serial) {
    serial_seconds = measured_rows == batch.count ? std::min(serial_seconds, now() - start) : now() - start;
    measured_rows = batch.count;
  }
  return sum.loss;
}

/// The objective's `rows` of all shards, unrecorded, then `reduce` with its adjoint.
template <class T>
double Engine<T>::Impl::reduce(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode,
                               bool with_gradient) {
  const auto evaluate = [&](Tape<T>& tape, Index first, Index count) {
    tape.set_recording(false);
    Pass<T> p = pass(tape, values, mode, s, first);
    const Batch<T> rows = enter(tape, batch, first, count, p);
    return model.objective->rows(phase, *model.distribution, rows, p).value();
  };
  whole.resize(model.objective->phases().size());
  Whole& all = whole[static_cast<std::size_t>(phase)];
  if (all.rows.rows() != batch.count || all.rows.columns() == 0) {
    // The first time, one shard says how many columns there are.
    Tape<T>& tape = *tapes[0];
    tape.reset();
    const Index width = evaluate(tape, 0, std::min<Index>(batch.count, shard_size(batch.count, mode))).columns;
    all.rows = Matrix<T>(batch.count, width);
    all.adjoints = Matrix<T>(batch.count, width);
  }
  const Index width = all.rows.columns();
  each_shard(batch.count, mode, [&](Tape<T>& tape, Index first, Index count) {
    const Block<const T> rows = evaluate(tape, first, count);
    for (Index j = 0; j < width; ++j) std::copy_n(rows.column(j), count, all.rows.block().column(j) + first);
  });

  reduce_tape.reset();
  reduce_tape.set_recording(with_gradient);
  Pass<T> p = pass(reduce_tape, values, mode, s, 0);
  if (with_gradient) {
    reduce_gradient.assign(static_cast<std::size_t>(model.layout.parameter_size + model.layout.derived_size), T(0));
    p.sinks.gradient = reduce_gradient.data();
    p.sinks.frozen = frozen_in(phase);
  }
  if (batch.context.data) p.context = reduce_tape.constant(batch.context);
  const Var<T> weights = batch.weights.data ? reduce_tape.constant(batch.weights) : Var<T>();
  const Var<T> rows = reduce_tape.leaf(all.rows.block(), all.adjoints.block());
  const Var<T> loss = model.objective->reduce(phase, rows, weights, p);
  if (loss.rows() != 1 || loss.columns() != 1)
    throw ShapeError("the objective's `reduce` must give 1 x 1, but gave " + std::to_string(loss.rows()) + " x " +
                     std::to_string(loss.columns()));
  if (with_gradient) {
    const Block<T> adjoints = all.adjoints.block();
    std::fill_n(adjoints.data, adjoints.stride * adjoints.columns, T(0));
    reduce_tape.backward(loss);
  }
  return static_cast<double>(*loss.value().data);
}

template <class T>
double Engine<T>::Impl::coupled(int phase, const Rows<T>& batch, const Values<T>& values, Stream s, Mode mode,
                                bool with_gradient) {
  const double loss = reduce(phase, batch, values, s, mode, with_gradient);
  if (!with_gradient) return loss;
  const Block<const T> adjoints = whole[static_cast<std::size_t>(phase)].adjoints.block();
  const auto seed = [&](Tape<T>& tape, Var<T> rows, Index first, Index count, Lane<T>&) {
    tape.backward(rows, slice<T>(adjoints, first, count));
  };
  Lane<T>& sum = run_shards(phase, batch, values, s, mode, false, true, seed);
  for (std::size_t i = 0; i < reduce_gradient.size(); ++i) sum.gradient[i] += reduce_gradient[i];
  return loss;
}

// --- errors ---

/// What to look at when a number is not finite: before the first update, the learning rate has done nothing.
static std::string remedy_at(std::uint32_t step) {
  return step == 0
             ? ". No parameter has moved yet: look at the data (outliers, units, preprocessing) and at the values "
               "that the parameters start with"
             : ". A lower learning rate, `training.clip` or standardised data may help";
}

/// Evaluates shard after shard until the component is found whose output was the first that is not finite.
template <class T>
void Engine<T>::Impl::explain(int phase, const Rows<T>& batch, const Values<T>& values, std::uint32_t s, Mode mode,
                              double loss) {
  std::string where = "; every shard alone is finite: the objective's reduction is not";
  const Index size = shard_size(batch.count, mode), shards = (batch.count + size - 1) / size;
  for (Index shard = 0; shard < shards; ++shard) {
    const Index first = shard * size, count = std::min(size, batch.count - first);
    Tape<T>& tape = *tapes[0];
    tape.reset();
    tape.set_recording(false);
    const Component<T>* culprit = nullptr;
    Pass<T> p = pass(tape, values, mode, stream(s), first);
    p.sinks.first_not_finite = &culprit;
    const Batch<T> rows = enter(tape, batch, first, count, p);
    const Block<const T> losses = model.objective->rows(phase, *model.distribution, rows, p).value();
    Index bad = -1;
    for (Index i = 0; i < count && bad < 0; ++i)
      if (!std::isfinite(losses.data[i])) bad = i;
    if (bad < 0) continue;
    where = ", first in shard " + std::to_string(shard) + ", row " + std::to_string(first + bad) + " of the batch";
    where += culprit ? "; the first component whose output is not finite is " + culprit->path()
                     : "; no component of the model gave it: the objective did";
    break;
  }
  throw NumericalError("the loss is " + number_text(loss) + " at step " + std::to_string(s) + where + remedy_at(s));
}

/// The derived values' part back to the parameters, and out; every number is looked at on the way.
template <class T>
void Engine<T>::Impl::finish_gradient(std::span<T> gradient, const std::uint8_t* frozen, std::uint32_t s) {
  T* total = lanes.total_gradient();
  step.backward(total);
  std::copy_n(total, gradient.size(), gradient.begin());
  for (std::size_t b = 0; b * kPadding < gradient.size(); ++b)
    if (frozen[b]) std::fill_n(gradient.begin() + static_cast<std::ptrdiff_t>(b * kPadding), kPadding, T(0));
  T zero = T(0);  // x - x is 0 for every finite x, else NaN
  for (const T g : gradient) zero += g - g;
  if (zero == T(0)) return;
  const std::string which = gradients_not_finite(model.layout, std::span<const T>(gradient));
  if (!which.empty())
    throw NumericalError(which + " not finite at step " + std::to_string(s) + ", although the loss is" + remedy_at(s));
}

// --- the interface ---

template <class T>
Engine<T>::Engine(Model<T>& model, const EngineSettings& settings) {
  if (!power_of_two(settings.lanes))
    throw SpecError("training.lanes is " + std::to_string(settings.lanes) + ", but must be a power of two");
  if (settings.shard_rows % kPadding != 0)
    throw SpecError("training.shard_rows is " + std::to_string(settings.shard_rows) + ", but must be a multiple of " +
                    std::to_string(kPadding));
  impl_ = std::make_unique<Impl>(model, settings);
}
template <class T>
Engine<T>::~Engine() = default;

template <class T>
double Engine<T>::loss(int phase, const Rows<T>& batch, std::uint32_t step, std::span<const T> theta,
                       std::span<T> gradient) {
  Impl& i = *impl_;
  if (!i.model.objective) throw std::logic_error("Engine::loss: the model has no objective");
  if (batch.count == 0) throw DataError("a training batch of no rows: there are no training data");
  const bool with_gradient = !gradient.empty();
  const std::uint8_t* frozen = i.frozen_in(phase);
  const Values<T> values = i.values_at(theta);
  i.step.prepare(values, i.derived.data(), Mode::train, i.stream(step),
                 with_gradient ? i.lanes.total_gradient() : nullptr, frozen);
  const double loss = i.model.objective->separable()
                          ? i.separable(phase, batch, values, i.stream(step), with_gradient)
                          : i.coupled(phase, batch, values, i.stream(step), Mode::train, with_gradient);
  if (!std::isfinite(loss)) i.explain(phase, batch, values, step, Mode::train, loss);
  if (with_gradient) i.finish_gradient(gradient, frozen, step);
  i.last_rows = batch.count;
  return loss;
}

template <class T>
double Engine<T>::held_out_loss(int phase, const Rows<T>& batch, std::uint32_t step, std::span<const T> theta) {
  Impl& i = *impl_;
  const Values<T> values = i.values_at(theta);
  const Stream stream = i.stream(step);
  i.step.prepare(values, i.derived.data(), Mode::evaluate, stream);
  double loss = 0;
  if (i.model.objective->separable()) {
    std::vector<double> rows(static_cast<std::size_t>(batch.count));
    const double total = i.weight_of(batch);
    i.each_shard(batch.count, Mode::evaluate, [&](Tape<T>& tape, Index first, Index count) {
      tape.set_recording(false);
      Pass<T> p = i.pass(tape, values, Mode::evaluate, stream, first);
      const Batch<T> shard = i.enter(tape, batch, first, count, p);
      const Block<const T> out = i.model.objective->rows(phase, *i.model.distribution, shard, p).value();
      for (Index r = 0; r < count; ++r)
        rows[static_cast<std::size_t>(first + r)] =
            i.seed_of(batch, first + r, total) * static_cast<double>(out.data[r]);
    });
    loss = sum_in_order(rows.data(), batch.count);
  } else {
    loss = i.coupled(phase, batch, values, stream, Mode::evaluate, false);
  }
  return loss;
}

template <class T>
void Engine<T>::update(std::uint32_t step, std::span<const T> theta) {
  Impl& i = *impl_;
  i.step.update(i.values_at(theta), i.model.store.real_state, i.model.store.integer_state, i.statistics, i.last_rows,
                i.stream(step));
}

template <class T>
void Engine<T>::initialise(const Rows<T>& batch, std::uint32_t step) {
  Impl& i = *impl_;
  Store<T>& store = i.model.store;
  prepare();
  Tape<T>& tape = *i.tapes[0];
  tape.reset();
  tape.set_recording(false);
  Pass<T> p = i.pass(tape, i.values_at({}), Mode::initialise, i.stream(step), 0);
  p.sinks.writable_parameters = store.parameters.data();
  p.sinks.writable_real_state = store.real_state.data();
  p.sinks.writable_integer_state = store.integer_state.data();
  const Batch<T> rows = i.enter(tape, batch, 0, batch.count, p);
  if (rows.data)
    i.model.distribution->log_prob(rows.data, p);
  else
    i.model.distribution->sample(batch.count, p);
  prepare();
}

template <class T>
void Engine<T>::set_frozen(std::vector<std::uint8_t> frozen) {
  impl_->freeze(frozen);
}

template <class T>
void Engine<T>::log_prob(const Rows<T>& rows, std::span<double> out, std::span<const T> theta) {
  Impl& i = *impl_;
  const Values<T> values = i.values_at(theta);
  i.step.prepare(values, i.derived.data(), Mode::evaluate, i.stream(0));
  i.each_shard(rows.count, Mode::evaluate, [&](Tape<T>& tape, Index first, Index count) {
    tape.set_recording(false);
    Pass<T> p = i.pass(tape, values, Mode::evaluate, i.stream(0), first);
    const Batch<T> batch = i.enter(tape, rows, first, count, p);
    const Block<const T> density = i.model.distribution->log_prob(batch.data, p).value();
    for (Index r = 0; r < count; ++r) out[static_cast<std::size_t>(first + r)] = static_cast<double>(density.data[r]);
  });
}

template <class T>
void Engine<T>::sample(Index n, Block<const T> context, std::uint32_t step, Block<T> out, std::span<double> log_prob,
                       std::span<const T> theta) {
  const Rows<T> rows{.data = {}, .context = context, .weights = {}, .count = n};
  auto draw = [&](const Pass<T>& outer, Index first, Index count) {
    Pass<T> p = outer;
    impl_->enter(p.tape, rows, first, count, p);
    const Sampled<T> s = impl_->model.distribution->sample(count, p);
    for (Index j = 0; j < out.columns; ++j) std::copy_n(s.value.value().column(j), count, out.column(j) + first);
    if (log_prob.empty()) return;
    const Var<T> density = s.log_prob ? s.log_prob : impl_->model.distribution->log_prob(s.value, p);
    for (Index r = 0; r < count; ++r)
      log_prob[static_cast<std::size_t>(first + r)] = static_cast<double>(density.value().data[r]);
  };
  for_each_shard(n, step, Mode::evaluate, draw, theta);
}

template <class T>
void Engine<T>::shards(Index rows, std::uint32_t step, Mode mode, std::span<const T> theta,
                       void (*f)(void*, const Pass<T>&, Index, Index), void* c) {
  Impl& i = *impl_;
  const Values<T> values = i.values_at(theta);
  i.step.prepare(values, i.derived.data(), Mode::evaluate, i.stream(0));
  i.each_shard(rows, mode, [&](Tape<T>& tape, Index first, Index count) {
    tape.set_recording(false);
    const Pass<T> p = i.pass(tape, values, mode, i.stream(step), first);
    f(c, p, first, count);
  });
}

template <class T>
void Engine<T>::prepare() {
  Impl& i = *impl_;
  i.step.prepare(i.values_at({}), i.derived.data(), Mode::evaluate, i.stream(0));
  i.model.store.derived = i.derived;
}

template <class T>
Model<T>& Engine<T>::model() const {
  return impl_->model;
}
template <class T>
const EngineSettings& Engine<T>::settings() const {
  return impl_->settings;
}
template <class T>
Index Engine<T>::shard_rows(Index batch) const {
  return impl_->shard_size(batch, Mode::train);
}
template <class T>
std::size_t Engine<T>::memory() const {
  std::size_t total = impl_->reduce_tape.capacity();
  for (const auto& tape : impl_->tapes) total += tape->capacity();
  return total;
}

template class Engine<float>;
template class Engine<double>;

}  // namespace pushforward
