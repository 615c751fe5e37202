// Checks 42 and 32 of procedures: the training of a small flow.
#include <cmath>

#include "kit.h"
#include "pushforward/procedure.h"
#include "small_model.h"

namespace pushforward::testing {

namespace {

constexpr Index kRows = 200;
constexpr std::int64_t kSteps = 40;

/// A small flow, rows for it, and all that a procedure is given.
template <class T>
class Fit {
 public:
  Fit(const Subject& subject, int threads) : built_(subject.make<T>(subject.surroundings)) {
    procedure_ = dynamic_cast<const Procedure<T>*>(built_.component.get());
    if (!procedure_) throw std::logic_error("the component of a procedure's subject is no procedure");
    const Index size = std::max<Index>(subject.surroundings.event_shape.size(), 2);
    model_.distribution = std::make_unique<SmallFlow<T>>(model_.layout, model_.store, size);
    model_.objective = std::make_unique<SmallObjective<T>>();
    model_.components = {model_.distribution.get(), model_.objective.get()};
    model_.objective_parameters = model_.layout.parameter_size;
    const Array rows = small_rows(kRows, size);
    data_ = Matrix<T>(kRows, size);
    for (Index j = 0; j < size; ++j)
      for (Index i = 0; i < kRows; ++i) data_(i, j) = static_cast<T>(rows(i, j));
    engine_ = std::make_unique<Engine<T>>(model_, EngineSettings{.seed = 1, .lanes = 4, .threads = threads});
    training_.engine = engine_.get();
    training_.train.data = data_;
    training_.train.count = kRows;
    training_.optimizer = &optimizer_;
    training_.ranges = {{0, model_.layout.parameter_size, 1, 0}};
    training_.optimizer_states.resize(1);
    training_.steps = kSteps;
    training_.batch_size = 64;
    training_.seed = 1;
    training_.on_step = [this](const MetricRow& row, bool) {
      seen_.push_back(row);
      return static_cast<std::int64_t>(seen_.size()) != stop_after_;
    };
  }
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  TrainingResult run() { return procedure_->run(training_); }
  /// Goes on where another stopped, with what a checkpoint holds.
  void go_on_from(const Fit& other, std::int64_t made) {
    model_.store.parameters = other.model_.store.parameters;
    model_.store.real_state = other.model_.store.real_state;
    model_.store.integer_state = other.model_.store.integer_state;
    for (std::size_t i = 0; i < training_.optimizer_states.size(); ++i) {
      training_.optimizer_states[i].step = other.training_.optimizer_states[i].step;
      training_.optimizer_states[i].arrays = other.training_.optimizer_states[i].arrays;
      training_.optimizer_states[i].numbers = other.training_.optimizer_states[i].numbers;
    }
    training_.schedule_state.numbers = other.training_.schedule_state.numbers;
    training_.first_step = made;
  }
  double loss() { return engine_->held_out_loss(0, training_.train, 0, model_.store.parameters); }
  const std::vector<T>& parameters() const { return model_.store.parameters; }
  const std::vector<MetricRow>& seen() const { return seen_; }
  std::int64_t optimizer_steps() const { return optimizer_.steps(); }
  void stop_after(std::int64_t steps) { stop_after_ = steps; }

 private:
  Built<T> built_;
  const Procedure<T>* procedure_ = nullptr;
  Model<T> model_;
  Matrix<T> data_;
  SmallDescent<T> optimizer_;
  std::unique_ptr<Engine<T>> engine_;
  Training<T> training_;
  std::vector<MetricRow> seen_;
  std::int64_t stop_after_ = 0;
};

template <class T>
void check_whole(const Subject& subject, Tally& t) {
  Fit<T> fit(subject, 1), again(subject, 2);
  const double before = fit.loss();
  const std::vector<T> start = fit.parameters();
  const TrainingResult result = fit.run();
  t.require(result.steps == kSteps && !result.stopped, [&] {
    return std::to_string(kSteps) + " steps were asked for, but the result has " + std::to_string(result.steps) +
           (result.stopped ? ", stopped" : "");
  });
  t.require(static_cast<std::int64_t>(fit.seen().size()) == kSteps, [&] {
    return "on_step was called " + std::to_string(fit.seen().size()) + " times in " + std::to_string(kSteps) + " steps";
  });
  for (std::size_t i = 0; i < fit.seen().size(); ++i)
    t.require(std::isfinite(fit.seen()[i].loss) && (i == 0 || fit.seen()[i].step > fit.seen()[i - 1].step), [&] {
      return "row " + std::to_string(i) + " of on_step is step " + std::to_string(fit.seen()[i].step) + ", loss " +
             std::to_string(fit.seen()[i].loss);
    });
  again.run();
  t.require(again.parameters() == fit.parameters(),
            [] { return std::string("the same run on two threads ends at other parameters"); });
  const double after = fit.loss();
  if (fit.optimizer_steps() == 0 && fit.parameters() == start)
    t.note("it makes no step of the optimizer, and finds nothing to fill in the kit's small flow");
  else
    t.require(after < before, [&] {
      return "the loss of the training rows was " + std::to_string(before) + " and is " + std::to_string(after);
    });
}

template <class T>
void check_stop(const Subject& subject, Tally& t) {
  constexpr std::int64_t kStop = 5;
  Fit<T> fit(subject, 1);
  fit.stop_after(kStop);
  const TrainingResult result = fit.run();
  t.require(result.stopped && result.steps == kStop && static_cast<std::int64_t>(fit.seen().size()) == kStop, [&] {
    return "told to stop after step " + std::to_string(kStop) + ", it made " + std::to_string(result.steps) +
           ", called on_step " + std::to_string(fit.seen().size()) + " times and says " +
           (result.stopped ? "stopped" : "not stopped");
  });
}

template <class T>
void check_going_on(const Subject& subject, Tally& t) {
  constexpr std::int64_t kStop = 17;
  Fit<T> whole(subject, 1), first(subject, 1), second(subject, 1);
  whole.run();
  first.stop_after(kStop);
  first.run();
  second.go_on_from(first, kStop);
  const TrainingResult result = second.run();
  t.require(result.steps == kSteps, [&] {
    return "gone on at step " + std::to_string(kStop) + ", it ends at step " + std::to_string(result.steps) + " of " +
           std::to_string(kSteps);
  });
  t.at("gone on at step " + std::to_string(kStop));
  for (std::size_t i = 0; i < whole.parameters().size(); ++i)
    t.same(
        -1, [&] { return indexed("parameter", static_cast<Index>(i)); }, static_cast<double>(second.parameters()[i]),
        static_cast<double>(whole.parameters()[i]));
}

template <class T>
void check_fit_of(const Subject& subject, Tally& t) {
  check_whole<T>(subject, t);
  check_stop<T>(subject, t);
}

}  // namespace

void check_training(const Subject& s, Tally& t) {
  t.in_double() ? check_fit_of<double>(s, t) : check_fit_of<float>(s, t);
}
void check_training_resume(const Subject& s, Tally& t) {
  t.in_double() ? check_going_on<double>(s, t) : check_going_on<float>(s, t);
}

}  // namespace pushforward::testing
