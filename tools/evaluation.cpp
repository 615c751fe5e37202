#include "evaluation.h"

#include <cmath>
#include <limits>

#include "number_format.h"
#include "text_table.h"

namespace pushforward {

template <class T>
SplitEvaluation evaluate_split(Engine<T>& engine, const Split<T>& split) {
  const auto n = static_cast<std::size_t>(split.rows());
  std::vector<double> log_prob(n);
  engine.log_prob(split.view(), log_prob);

  const Block<const T> weights = split.weights;
  const auto weight = [&](std::size_t i) { return weights.data ? static_cast<double>(weights.data[i]) : 1.0; };
  double total = 0, sum = 0, sum_log_det = 0;
  SplitEvaluation result{.name = split.name, .rows = split.rows()};
  for (std::size_t i = 0; i < n; ++i) {
    total += weight(i);
    sum += weight(i) * log_prob[i];
    if (!split.log_det.empty()) sum_log_det += weight(i) * split.log_det[i];
    if (std::isinf(log_prob[i])) ++result.outside;
  }
  result.mean_log_prob = sum / total;
  result.mean_log_prob_data_units = (sum + sum_log_det) / total;
  // Of a weighted mean, with Bessel's factor: equal weights give s / sqrt(n).
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double deviation = weight(i) * (log_prob[i] - result.mean_log_prob);
    squares += deviation * deviation;
  }
  const double rows = static_cast<double>(n);
  result.standard_error =
      n > 1 ? std::sqrt(squares * rows / (rows - 1)) / total : std::numeric_limits<double>::quiet_NaN();
  return result;
}

template <class T>
std::vector<SplitEvaluation> evaluate_splits(Engine<T>& engine, const std::vector<Split<T>>& splits) {
  std::vector<SplitEvaluation> evaluations;
  for (const Split<T>& split : splits) evaluations.push_back(evaluate_split(engine, split));
  return evaluations;
}

nlohmann::ordered_json to_json(const std::vector<SplitEvaluation>& evaluations) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const SplitEvaluation& e : evaluations)
    object[e.name] = {{"mean_log_prob", e.mean_log_prob},
                      {"mean_log_prob_data_units", e.mean_log_prob_data_units},
                      {"standard_error", e.standard_error},
                      {"rows", e.rows}};
  return object;
}

std::string to_text(const std::vector<SplitEvaluation>& evaluations) {
  using Align = TextTable::Align;
  TextTable table({{"rows of"},
                   {"count", Align::right},
                   {"mean log_prob", Align::right},
                   {"in data units", Align::right},
                   {"standard error", Align::right},
                   {"outside the support", Align::right}});
  for (const SplitEvaluation& e : evaluations)
    table.add({e.name, count_text(e.rows), decimal(e.mean_log_prob), decimal(e.mean_log_prob_data_units),
               std::isfinite(e.standard_error) ? decimal(e.standard_error) : "-",
               e.outside ? count_text(e.outside) : std::string()});
  return table.to_text();
}

#define PUSHFORWARD_EVALUATION(T)                                       \
  template SplitEvaluation evaluate_split(Engine<T>&, const Split<T>&); \
  template std::vector<SplitEvaluation> evaluate_splits(Engine<T>&, const std::vector<Split<T>>&);
PUSHFORWARD_EVALUATION(float)
PUSHFORWARD_EVALUATION(double)
#undef PUSHFORWARD_EVALUATION

}  // namespace pushforward
