#include "fitting.h"

#include <algorithm>
#include <cmath>

#include "interruption.h"
#include "io/atomic_file.h"
#include "io/npy.h"
#include "json_number.h"
#include "number_format.h"
#include "pictures/plot_numbers.h"
#include "sampling.h"

namespace pushforward {
namespace {

constexpr Index kSamples = 1000;
constexpr Index kShownValues = 4;        // of a row, in a message
constexpr const char* kMetrics = "csv";  // the tracker that every run has
constexpr const char* kMetricsFile = "metrics.csv";

bool names_tracker(const ResolvedSpec& spec, const char* name) {
  const SpecNode* training = spec.root.find("training");
  const SpecNode* trackers = training ? training->find("trackers") : nullptr;
  if (!trackers || !trackers->is_list()) return false;
  for (const SpecNode& tracker : trackers->items)
    if (tracker.find(name)) return true;
  return false;
}

template <class T>
std::unique_ptr<Tracker<T>> make_tracker(const Registry& registry, const char* name) {
  const SpecNode resolved = resolve_component(registry, "tracker", SpecNode::scalar(name));
  Assembly<T> assembly = assemble<T>(registry, "tracker", resolved, {}, 0, "metrics");
  auto* tracker = dynamic_cast<Tracker<T>*>(assembly.root.get());
  if (!tracker) throw PluginError(fmt::format("the component '{}' of kind 'tracker' is no tracker", name));
  assembly.root.release();
  return std::unique_ptr<Tracker<T>>(tracker);
}

}  // namespace

template <class T>
Fitting<T>::Fitting(const Registry& registry, Experiment<T>& experiment, RunFolder folder, int threads,
                    Console& console)
    : registry_(registry),
      experiment_(experiment),
      folder_(std::move(folder)),
      console_(console),
      engine_(experiment.model, engine_settings(experiment, threads)),
      spec_text_(experiment.spec.to_yaml(registry)),
      training_(make_training()),
      loss_(training_.train.data.data && (training_.batch_size == 0 || training_.batch_size >= training_.train.count)),
      progress_(console, experiment.settings.steps) {
  if (experiment.data) data_state_ = experiment.data->state();
}

template <class T>
Training<T> Fitting<T>::make_training() {
  Training<T> training = pushforward::make_training(experiment_, engine_);
  training.on_step = [this](const MetricRow& row, bool report) { return after_step(row, report); };
  training.on_checkpoint = [this](std::int64_t step) { remember(step, true); };
  return training;
}

template <class T>
void Fitting<T>::go_on_from(const Checkpoint& checkpoint) {
  checkpoint.restore(experiment_.model);
  checkpoint.restore(training_, experiment_.model.layout);
  goes_on_ = true;
  spec_text_ = checkpoint.spec();
  saved_step_ = training_.first_step;
  stepped_ = saved_step_ > 0;
  progress_.start_at(training_.first_step);
  const std::filesystem::path metrics = folder_.path() / kMetricsFile;
  if (!std::filesystem::exists(metrics)) return;
  try {
    const Table rows = losses_of(read_file(metrics), metrics.string());
    const std::span<const double> steps = rows.column(0), losses = rows.column(1);
    for (std::size_t i = 0; i < steps.size() && steps[i] <= static_cast<double>(saved_step_); ++i)
      loss_.reported(losses[i]);
  } catch (const DataError& error) {
    console_.warn("{}", error.what());  // the run does not depend on it
  }
}

template <class T>
FitOutcome Fitting<T>::run() {
  FitOutcome outcome;
  try {
    if (!stepped_) require_support();
    if (!std::filesystem::exists(folder_.spec())) write_file(folder_.spec(), spec_text_);
    if (!goes_on_) save_checkpoint(0);
    start_trackers();
    train(outcome);
  } catch (const Error&) {
    if (!stepped_ && !goes_on_) folder_.discard();
    throw;
  }
  if (outcome.signal) return outcome;
  adopt_result(outcome);
  write_samples();
  evaluate(outcome);  // last: its file says that the run is complete
  return outcome;
}

template <class T>
void Fitting<T>::require_support() {
  const Split<T>* train = experiment_.data ? experiment_.data->split("train") : nullptr;
  if (!train || !experiment_.model.objective->needs().model_log_prob || !has_bounds(experiment_.model)) return;
  std::vector<double> log_prob(static_cast<std::size_t>(train->rows()));
  engine_.log_prob(train->view(), log_prob, experiment_.model.store.parameters);
  Index outside = 0, first = -1;
  for (Index i = 0; i < train->rows(); ++i) {
    if (judge_row(log_prob[static_cast<std::size_t>(i)], *train, i, true) != RowDensity::outside) continue;
    if (outside++ == 0) first = i;
  }
  if (outside == 0) return;
  std::string values;
  const std::vector<std::string>& names = experiment_.data->columns();
  for (Index j = 0; j < std::min<Index>(train->data.columns(), kShownValues); ++j)
    values += fmt::format("{}{} = {:.6g}", j ? ", " : "", names[static_cast<std::size_t>(j)], train->data(first, j));
  if (train->data.columns() > kShownValues) values += ", ...";
  throw DataError(fmt::format(
      "{} of {} training rows lie outside of what the model can produce, where its density is zero: the first is row "
      "{} of them (counted from 0), which the model sees as {}. What bounds the model: {}. Change that, or bring the "
      "data inside with data.preprocess",
      count_text(outside), count_text(train->rows()), count_text(first), values, bounds_text(experiment_.model)));
}

template <class T>
void Fitting<T>::start_trackers() {
  if (!names_tracker(experiment_.spec, kMetrics)) trackers_.push_back(make_tracker<T>(registry_, kMetrics));
  for (auto* list : {&experiment_.trackers, &trackers_})
    for (const auto& tracker : *list) tracker->start(folder_.path().string());
}

template <class T>
void Fitting<T>::train(FitOutcome& outcome) {
  try {
    const Interruption interruption;
    outcome.training = experiment_.procedure->run(training_);
    outcome.loss = loss_.last();
    progress_.clear();
    outcome.signal = outcome.training.stopped ? Interruption::signal() : 0;
    judge(outcome.training.steps);
    save_checkpoint(outcome.training.steps);
    for (auto* list : {&experiment_.trackers, &trackers_})
      for (const auto& tracker : *list) tracker->finish();
  } catch (const NumericalError&) {
    progress_.clear();
    keep_last_good();
    throw;
  }
}

template <class T>
bool Fitting<T>::after_step(const MetricRow& step, bool report) {
  stepped_ = true;
  MetricRow row = step;
  row.loss = loss_.at_step(step.loss);
  confirm();
  const double due = experiment_.settings.checkpoint_seconds;
  const bool write = due > 0 && row.seconds - saved_seconds_ >= due;
  if (write) saved_seconds_ = row.seconds;
  if (report || write) remember(row.step, write);
  if (report || !std::isnan(row.validation_loss)) {
    loss_.reported(row.loss);
    for (auto* list : {&experiment_.trackers, &trackers_})
      for (const auto& tracker : *list) tracker->record(row);
    progress_.report(row, training_.best.step == row.step);
  } else {
    progress_.step(row);
  }
  return Interruption::signal() == 0;
}

template <class T>
Checkpoint Fitting<T>::capture(std::int64_t step) const {
  return Checkpoint::capture<T>(experiment_.model, &training_, data_state_ ? &*data_state_ : nullptr, spec_text_, step);
}

template <class T>
void Fitting<T>::save_checkpoint(std::int64_t step) {
  capture(step).write(folder_.checkpoint());
  saved_step_ = step;
}

template <class T>
void Fitting<T>::remember(std::int64_t step, bool write) {
  candidate_ = {capture(step), step, write};
}

template <class T>
void Fitting<T>::confirm() {
  // A step's loss is that of the parameters before it: this step was made, so the last one's parameters are good.
  if (!candidate_) return;
  good_ = std::move(candidate_);
  candidate_.reset();
  if (!good_->write) return;
  good_->checkpoint.write(folder_.checkpoint());
  saved_step_ = good_->step;
}

template <class T>
void Fitting<T>::keep_last_good() {
  if (!stepped_) return;
  if (good_ && good_->step > saved_step_) {
    good_->checkpoint.write(folder_.checkpoint());
    saved_step_ = good_->step;
  }
  console_.warn("the last good checkpoint, of step {}, is kept: {}", count_text(saved_step_),
                folder_.checkpoint().string());
}

template <class T>
void Fitting<T>::judge(std::int64_t step) {
  judge(step, experiment_.model.store.parameters);
  if (!training_.averaged.empty()) judge(step, training_.averaged);
  if (training_.best.step == 0) return;
  // What is good on the validation rows need not be on the training rows.
  training_.best.exchange(experiment_.model.store);
  judge(training_.best.step, experiment_.model.store.parameters);
  training_.best.exchange(experiment_.model.store);
}

template <class T>
void Fitting<T>::judge(std::int64_t step, const std::vector<T>& parameters) {
  constexpr const char* kRemedy = "A lower learning rate, `training.clip` or standardised data may help";
  for (const ParameterInfo& info : experiment_.model.layout.parameters)
    for (Index i = 0; i < info.handle.size(); ++i)
      if (const T value = parameters[static_cast<std::size_t>(info.handle.offset + i)]; !std::isfinite(value))
        throw NumericalError(fmt::format("{} holds {} after step {}. {}", info.path, value, step, kRemedy));
  const Split<T>* train = experiment_.data ? experiment_.data->split("train") : nullptr;
  if (!train) return;
  std::vector<double> log_prob(static_cast<std::size_t>(train->rows()));
  engine_.log_prob(train->view(), log_prob, parameters);
  const bool bounds = has_bounds(experiment_.model);
  for (Index i = 0; i < train->rows(); ++i)
    if (const double value = log_prob[static_cast<std::size_t>(i)];
        judge_row(value, *train, i, bounds) == RowDensity::not_finite)
      throw NumericalError(fmt::format("the log-density of training row {} (counted from 0) is {} after step {}. {}", i,
                                       value, step, kRemedy));
}

template <class T>
void Fitting<T>::adopt_result(FitOutcome& outcome) {
  Store<T>& store = experiment_.model.store;
  if (training_.best.step > 0) {
    training_.best.exchange(store);
    outcome.best_step = training_.best.step;
    outcome.best_validation_loss = training_.best.validation_loss;
  } else if (!training_.averaged.empty()) {
    store.parameters = training_.averaged;
  }
  engine_.prepare();
}

template <class T>
void Fitting<T>::evaluate(FitOutcome& outcome) {
  if (experiment_.data) outcome.evaluation = evaluate_splits(engine_, experiment_.data->splits());
  write_file(folder_.evaluation(), json_text(to_json(outcome.evaluation)));
}

template <class T>
void Fitting<T>::write_samples() {
  if (!experiment_.model.distribution->traits().can_sample)
    return console_.note("the model can only evaluate densities: no samples were drawn");
  Block<const T> context;
  Index n = kSamples;
  if (experiment_.model.context > 0) {
    // A conditional model is sampled at contexts that occur: those of the first rows.
    n = std::min(n, training_.train.count);
    context = training_.train.context.middle_rows(0, n);
  }
  const Table samples = draw_samples<T>(engine_, experiment_.data.get(), n, context);
  write_npy<double>(folder_.samples(), compact(samples.values.data(), samples.rows, samples.columns()));
}

template class Fitting<float>;
template class Fitting<double>;

}  // namespace pushforward
