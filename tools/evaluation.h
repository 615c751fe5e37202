// How good a model is on rows that it is shown: the mean log-density of each split.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pushforward/registry/experiment.h"

namespace pushforward {

/// Means over the rows of one split, weighted where the rows have weights. In nats.
struct SplitEvaluation {
  std::string name;
  Index rows = 0;
  double mean_log_prob = 0;             // of the preprocessed data, as the model sees them
  double mean_log_prob_data_units = 0;  // of the data as they came: that of the preprocessing's log_det added
  double standard_error = 0;            // of mean_log_prob; NaN for a single row
  Index outside = 0;                    // rows whose density is zero
};

template <class T>
SplitEvaluation evaluate_split(Engine<T>& engine, const Split<T>& split);
template <class T>
std::vector<SplitEvaluation> evaluate_splits(Engine<T>& engine, const std::vector<Split<T>>& splits);

/// `{"train": {"mean_log_prob": ..., "mean_log_prob_data_units": ..., "standard_error": ..., "rows": ...}, ...}`; what
/// is not finite becomes null.
nlohmann::ordered_json to_json(const std::vector<SplitEvaluation>& evaluations);
std::string to_text(const std::vector<SplitEvaluation>& evaluations);

}  // namespace pushforward
