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
  Index outside = 0;                    // rows whose density is zero: finite ones beyond the bounds of the support
  Index not_finite = 0;                 // rows whose log_prob is not finite for any other reason, such as an overflow
};

/// True if some part of the model has a bounded support, so that a density can be zero. Elsewhere a log-density of
/// minus infinity is an overflow.
template <class T>
bool has_bounds(const Model<T>& model);
/// The parts with a bounded support and their intervals: `model.bijectors[0], values from 0 to inf`.
template <class T>
std::string bounds_text(const Model<T>& model);
/// What the log-density of a row says about it.
enum class RowDensity : std::uint8_t { finite, outside, not_finite };
template <class T>
RowDensity judge_row(double log_prob, const Split<T>& split, Index row, bool bounds);

template <class T>
SplitEvaluation evaluate_split(Engine<T>& engine, const Split<T>& split);
template <class T>
std::vector<SplitEvaluation> evaluate_splits(Engine<T>& engine, const std::vector<Split<T>>& splits);

/// `{"train": {"mean_log_prob": ..., "mean_log_prob_data_units": ..., "standard_error": ..., "rows": ...,
/// "outside": ..., "not_finite": ...}, ...}`; a number that is not finite is a text (json_number.h).
nlohmann::ordered_json to_json(const std::vector<SplitEvaluation>& evaluations);
std::string to_text(const std::vector<SplitEvaluation>& evaluations);

}  // namespace pushforward
