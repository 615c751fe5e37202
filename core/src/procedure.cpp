#include "pushforward/procedure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "pushforward/linear_algebra.h"

namespace pushforward {

namespace {

/// Batches of shuffled rows: which rows a step sees depends on the seed and the step alone, so that a run can go on.
template <class T>
class Batches {
 public:
  Batches(const Rows<T>& rows, Index batch_size, std::uint64_t seed)
      : rows_(rows),
        seed_(seed),
        size_(batch_size > 0 && rows.data.data ? std::min(batch_size, rows.count) : rows.count) {
    if (!rows.data.data && batch_size > 0) size_ = batch_size;  // the objective draws from the model alone
    if (whole()) return;
    order_.resize(static_cast<std::size_t>(rows.count));
    for (auto [from, to] : {std::pair{&rows.data, &data_}, {&rows.context, &context_}, {&rows.weights, &weights_}})
      if (from->data) *to = Matrix<T>(size_, from->columns);
  }

  Index size() const { return size_; }

  Rows<T> at(std::int64_t step) {
    if (whole()) {
      Rows<T> all = rows_;
      all.count = size_;
      return all;
    }
    const std::int64_t per_epoch = (rows_.count + size_ - 1) / size_, epoch = step / per_epoch;
    if (epoch != epoch_) {
      random_permutation(seed_, kShuffleStream, static_cast<std::uint32_t>(epoch), rows_.count, order_.data());
      epoch_ = epoch;
    }
    const Index first = static_cast<Index>(step % per_epoch) * size_, count = std::min(size_, rows_.count - first);
    Rows<T> batch;
    batch.count = count;
    batch.data = gather(rows_.data, data_, first, count);
    batch.context = gather(rows_.context, context_, first, count);
    batch.weights = gather(rows_.weights, weights_, first, count);
    return batch;
  }

 private:
  static constexpr std::uint32_t kShuffleStream = 0x5f3759df;  // apart from the components' draws
  bool whole() const { return !rows_.data.data || size_ >= rows_.count; }

  Block<const T> gather(const Block<const T>& from, const Matrix<T>& to, Index first, Index count) const {
    if (!from.data) return {};
    const Block<T> out = to.block();
    for (Index j = 0; j < from.columns; ++j)
      for (Index i = 0; i < count; ++i) out(i, j) = from(order_[static_cast<std::size_t>(first + i)], j);
    return out.middle_rows(0, count);
  }

  Rows<T> rows_;
  std::uint64_t seed_;
  Index size_;
  std::int64_t epoch_ = -1;
  std::vector<Index> order_;
  Matrix<T> data_, context_, weights_;
};

/// One phase's loss on one batch, with clipping.
template <class T>
class BatchLoss final : public Evaluate<T> {
 public:
  BatchLoss(Engine<T>& engine, double clip_norm) : engine_(engine), clip_norm_(clip_norm) {}
  void set(int phase, const Rows<T>& batch, std::int64_t step) {
    phase_ = phase;
    batch_ = batch;
    step_ = static_cast<std::uint32_t>(step);
  }
  double operator()(std::span<const T> theta, std::span<T> gradient) override {
    const double loss = engine_.loss(phase_, batch_, step_, theta, gradient);
    if (clip_norm_ > 0) clip(gradient);
    return loss;
  }
  double loss(std::span<const T> theta) override { return engine_.loss(phase_, batch_, step_, theta, {}); }

 private:
  /// Scales the whole gradient down to the norm `clip_norm` (Pascanu, Mikolov and Bengio 2013).
  void clip(std::span<T> gradient) const {
    const double norm = std::sqrt(dot_in_order(gradient.data(), gradient.data(), static_cast<Index>(gradient.size())));
    if (norm <= clip_norm_) return;
    const T factor = static_cast<T>(clip_norm_ / norm);
    for (T& g : gradient) g *= factor;
  }
  Engine<T>& engine_;
  double clip_norm_;
  int phase_ = 0;
  Rows<T> batch_;
  std::uint32_t step_ = 0;
};

/// The ranges that a phase moves: those of the training that are its own, so that weight decay, groups and what is
/// never trained hold in every phase.
template <class T>
std::vector<ParameterRange> ranges_of(const PhaseInfo<T>& phase, const Training<T>& training, const Model<T>& model) {
  const Index size = model.layout.parameter_size, border = model.border();
  const bool own = phase.trains == PhaseInfo<T>::Trains::objective;
  std::vector<ParameterRange> ranges;
  for (ParameterRange range : training.ranges) {
    range.begin = std::max(range.begin, own ? border : 0);
    range.end = std::min(range.end, own ? size : border);
    if (range.begin < range.end) ranges.push_back(range);
  }
  return ranges;
}

template <class T>
void average(std::vector<T>& averaged, std::span<const T> theta, double decay) {
  const T keep = static_cast<T>(decay), take = static_cast<T>(1 - decay);
  for (std::size_t i = 0; i < averaged.size(); ++i) averaged[i] = keep * averaged[i] + take * theta[i];
}

/// Whether the validation rows are looked at after `made` steps.
template <class T>
bool looks_after(std::int64_t made, const Training<T>& training) {
  if (training.validate_every <= 0 || training.validation.count == 0) return false;
  return made == training.steps || made % training.validate_every == 0;
}

/// Whether early stopping has waited long enough.
template <class T>
bool is_exhausted(const Training<T>& training) {
  return training.early_stopping && training.early_stopping->patience > 0 &&
         training.best.waited >= training.early_stopping->patience;
}

/// Tells whoever watches the validation loss, at the parameters `judged`. True: it has not improved for too long.
template <class T>
bool take_account_of(const MetricRow& row, std::span<const T> judged, Training<T>& training) {
  if (training.schedule) training.schedule->observe(row.step, row.validation_loss, training.schedule_state);
  if (!training.early_stopping) return false;
  training.best.look(row.step, row.validation_loss, training.early_stopping->minimum_improvement, judged,
                     training.engine->model().store);
  return is_exhausted(training);
}

}  // namespace

template <class T>
void BestParameters<T>::look(std::int64_t made, double loss, double minimum_improvement, std::span<const T> theta,
                             const Store<T>& store) {
  ++waited;
  if (std::isfinite(loss) && loss < reference - minimum_improvement) {
    reference = loss;
    waited = 0;
  }
  if (!std::isfinite(loss) || loss >= validation_loss) return;
  step = made;
  validation_loss = loss;
  parameters.assign(theta.begin(), theta.end());
  real_state = store.real_state;
  integer_state = store.integer_state;
}

template <class T>
void BestParameters<T>::exchange(Store<T>& store) {
  store.parameters.swap(parameters);
  store.real_state.swap(real_state);
  store.integer_state.swap(integer_state);
}

template <class T>
TrainingResult train_by_gradient(Training<T>& training) {
  Engine<T>& engine = *training.engine;
  Model<T>& model = engine.model();
  if (!model.objective) throw SpecError("training: gradient descent needs an objective");
  if (!training.optimizer) throw SpecError("training: gradient descent needs an optimizer");
  engine.set_frozen(training.frozen);

  Batches<T> batches(training.train, training.batch_size, training.seed);
  const std::span<const PhaseInfo<T>> phases = model.objective->phases();
  training.optimizer_states.resize(phases.size());
  std::vector<std::vector<ParameterRange>> ranges;
  for (const PhaseInfo<T>& phase : phases) ranges.push_back(ranges_of(phase, training, model));
  int evaluations = 0;  // within one step: each repetition of a phase sees another batch
  int model_phase = 0;  // the one whose loss is reported
  for (std::size_t p = 0; p < phases.size(); ++p) {
    evaluations += phases[p].repeats;
    if (phases[p].trains == PhaseInfo<T>::Trains::model) model_phase = static_cast<int>(p);
  }

  const std::span<T> theta = model.store.parameters;
  if (training.first_step == 0) engine.initialise(batches.at(0));
  if (training.ema_decay > 0 && training.averaged.size() != theta.size())
    training.averaged.assign(theta.begin(), theta.end());

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  BatchLoss<T> evaluate(engine, training.clip_norm);
  TrainingResult result;
  result.steps = training.first_step;
  // A run that goes on may have been interrupted after its end.
  result.stopped_early = training.first_step < training.steps && is_exhausted(training);
  for (std::int64_t step = training.first_step; step < training.steps && !result.stopped && !result.stopped_early;
       ++step) {
    const double factor =
        training.schedule ? training.schedule->factor(step, training.steps, training.schedule_state) : 1.0;
    double learning_rate = 0;
    std::int64_t draw = step * evaluations;
    for (std::size_t p = 0; p < phases.size(); ++p) {
      const Optimizer<T>& optimizer = phases[p].optimizer ? *phases[p].optimizer : *training.optimizer;
      for (int k = 0; k < phases[p].repeats; ++k, ++draw) {
        evaluate.set(static_cast<int>(p), batches.at(draw), draw);
        const double loss = optimizer.step(evaluate, theta, {factor, ranges[p]}, training.optimizer_states[p]);
        if (phases[p].trains != PhaseInfo<T>::Trains::model) continue;
        result.loss = loss;
        learning_rate = optimizer.learning_rate() * factor;
      }
    }
    engine.update(static_cast<std::uint32_t>(step), theta);
    if (training.ema_decay > 0) average<T>(training.averaged, theta, training.ema_decay);

    const std::int64_t made = step + 1;
    result.steps = made;
    MetricRow row{made, result.loss, std::nan(""), learning_rate, 0};
    const bool all_made = made == training.steps;
    if (looks_after(made, training)) {
      const std::span<const T> judged = training.ema_decay > 0 ? std::span<const T>(training.averaged) : theta;
      row.validation_loss =
          engine.held_out_loss(model_phase, training.validation, static_cast<std::uint32_t>(draw), judged);
      result.stopped_early = take_account_of(row, judged, training) && !all_made;
    }
    row.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const bool last = all_made || result.stopped_early;
    if (training.on_step) {
      const bool report = last || made == 1 || (training.report_every > 0 && made % training.report_every == 0);
      result.stopped = !training.on_step(row, report) && !last;
    }
    if (training.on_checkpoint && training.checkpoint_every > 0 && made % training.checkpoint_every == 0 && !last)
      training.on_checkpoint(made);
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

template struct BestParameters<float>;
template struct BestParameters<double>;
template TrainingResult train_by_gradient<float>(Training<float>&);
template TrainingResult train_by_gradient<double>(Training<double>&);

}  // namespace pushforward
