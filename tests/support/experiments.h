// Training of whole specs, without the program.
#pragma once

#include <string>
#include <vector>

#include "pushforward/registry/experiment.h"

namespace pushforward::test {

/// The plugins of this build.
inline const Registry& built_plugins() {
  static const std::unique_ptr<Registry> registry = [] {
    auto made = std::make_unique<Registry>();
    made->add_folder(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins");
    return made;
  }();
  return *registry;
}

/// A ready-made spec, with data and model, ready to be trained.
template <class T>
Experiment<T> ready_made(const std::string& name, const std::vector<std::string>& overrides = {}) {
  const SpecNode spec = parse_spec_file(PUSHFORWARD_SOURCE_DIR "/configs/" + name + ".yaml");
  return build_experiment<T>(built_plugins(), resolve_spec(built_plugins(), spec, overrides), true);
}

/// Trains as the spec says; a row for every step.
template <class T>
std::vector<MetricRow> train(Experiment<T>& experiment, Engine<T>& engine) {
  Training<T> training = make_training(experiment, engine);
  std::vector<MetricRow> rows;
  training.on_step = [&](const MetricRow& row, bool) {
    rows.push_back(row);
    return true;
  };
  experiment.procedure->run(training);
  return rows;
}

/// Mean negative log-density of a split, in nats.
template <class T>
double mean_loss(const Split<T>& split, Engine<T>& engine) {
  std::vector<double> log_prob(static_cast<std::size_t>(split.rows()));
  engine.log_prob(split.view(), log_prob);
  double sum = 0;
  for (const double l : log_prob) sum -= l;
  return sum / static_cast<double>(split.rows());
}

}  // namespace pushforward::test
