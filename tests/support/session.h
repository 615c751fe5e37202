// A spec's text, built and ready to train, as `fit` makes it.
#pragma once

#include "pushforward/registry/experiment.h"
#include "support/models.h"

namespace pushforward::test {

template <class T>
struct Session {
  Session(const Registry& registry, const std::string& yaml, int threads = 1)
      : experiment(build_experiment<T>(registry, resolve_spec(registry, parse_spec_text(yaml, "spec")), true)),
        model(experiment.model),
        engine(model, engine_settings(experiment, threads)),
        training(make_training(experiment, engine)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  TrainingResult run() { return experiment.procedure->run(training); }
  /// From where the run stands to `steps` steps.
  TrainingResult run_to(std::int64_t steps) {
    training.steps = steps;
    const TrainingResult result = run();
    training.first_step = steps;
    return result;
  }
  /// Of the training rows, in order.
  std::vector<double> log_prob(std::span<const T> theta = {}) {
    std::vector<double> out(static_cast<std::size_t>(training.train.count));
    engine.log_prob(training.train, out, theta);
    return out;
  }

  Experiment<T> experiment;
  Model<T>& model;
  Engine<T> engine;
  Training<T> training;
};

inline double mean(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

}  // namespace pushforward::test
