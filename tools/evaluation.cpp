#include "evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "json_number.h"
#include "number_format.h"
#include "pushforward/number_text.h"
#include "text_table.h"

namespace pushforward {

namespace {

bool bounded(const Support& s) { return std::isfinite(s.lower) || std::isfinite(s.upper); }

/// Of a distribution what it draws, of a bijector what it gives on the data's side.
template <class T>
Support support_of(const Component<T>* component) {
  if (const auto* distribution = dynamic_cast<const Distribution<T>*>(component)) return distribution->support();
  const auto* bijector = dynamic_cast<const Bijector<T>*>(component);
  return bijector ? bijector->codomain() : Support();
}

}  // namespace

template <class T>
bool has_bounds(const Model<T>& model) {
  return std::any_of(model.components.begin(), model.components.end(),
                     [](const Component<T>* component) { return bounded(support_of(component)); });
}

template <class T>
std::string bounds_text(const Model<T>& model) {
  std::string text;
  for (const Component<T>* component : model.components)
    // A flow is bounded by its parts, which say more.
    if (const Support s = support_of(component); bounded(s) && component != model.distribution.get())
      text += fmt::format("{}{}, values from {} to {}", text.empty() ? "" : "; ", component->path(),
                          number_text(s.lower), number_text(s.upper));
  if (!text.empty()) return text;
  const Support whole = model.distribution->support();
  return fmt::format("{}, values from {} to {}", model.distribution->path(), number_text(whole.lower),
                     number_text(whole.upper));
}

template <class T>
RowDensity judge_row(double log_prob, const Split<T>& split, Index row, bool bounds) {
  if (std::isfinite(log_prob)) return RowDensity::finite;
  if (!bounds || std::isnan(log_prob) || log_prob > 0) return RowDensity::not_finite;
  for (Index j = 0; j < split.data.columns(); ++j)
    if (!std::isfinite(split.data(row, j))) return RowDensity::not_finite;
  return RowDensity::outside;
}

template <class T>
SplitEvaluation evaluate_split(Engine<T>& engine, const Split<T>& split) {
  const auto n = static_cast<std::size_t>(split.rows());
  std::vector<double> log_prob(n);
  engine.log_prob(split.view(), log_prob);

  const Block<const T> weights = split.weights;
  const auto weight = [&](std::size_t i) { return weights.data ? static_cast<double>(weights.data[i]) : 1.0; };
  const bool bounds = has_bounds(engine.model());
  double total = 0, sum = 0, sum_log_det = 0;
  SplitEvaluation result{.name = split.name, .rows = split.rows()};
  for (std::size_t i = 0; i < n; ++i) {
    total += weight(i);
    sum += weight(i) * log_prob[i];
    if (!split.log_det.empty()) sum_log_det += weight(i) * split.log_det[i];
    const RowDensity density = judge_row(log_prob[i], split, static_cast<Index>(i), bounds);
    if (density == RowDensity::outside) ++result.outside;
    if (density == RowDensity::not_finite) ++result.not_finite;
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
    object[e.name] = {{"mean_log_prob", json_number(e.mean_log_prob)},
                      {"mean_log_prob_data_units", json_number(e.mean_log_prob_data_units)},
                      {"standard_error", json_number(e.standard_error)},
                      {"rows", e.rows},
                      {"outside", e.outside},
                      {"not_finite", e.not_finite}};
  return object;
}

std::string to_text(const std::vector<SplitEvaluation>& evaluations) {
  using Align = TextTable::Align;
  TextTable table({{"rows of"},
                   {"count", Align::right},
                   {"mean log_prob", Align::right},
                   {"in data units", Align::right},
                   {"standard error", Align::right},
                   {"outside the support", Align::right},
                   {"not finite", Align::right}});
  for (const SplitEvaluation& e : evaluations)
    table.add({e.name, count_text(e.rows), decimal(e.mean_log_prob), decimal(e.mean_log_prob_data_units),
               std::isfinite(e.standard_error) ? decimal(e.standard_error) : "-",
               e.outside ? count_text(e.outside) : std::string(),
               e.not_finite ? count_text(e.not_finite) : std::string()});
  return table.to_text();
}

#define PUSHFORWARD_EVALUATION(T)                                       \
  template bool has_bounds(const Model<T>&);                            \
  template std::string bounds_text(const Model<T>&);                    \
  template RowDensity judge_row(double, const Split<T>&, Index, bool);  \
  template SplitEvaluation evaluate_split(Engine<T>&, const Split<T>&); \
  template std::vector<SplitEvaluation> evaluate_splits(Engine<T>&, const std::vector<Split<T>>&);
PUSHFORWARD_EVALUATION(float)
PUSHFORWARD_EVALUATION(double)
#undef PUSHFORWARD_EVALUATION

}  // namespace pushforward
