// compare: several runs side by side, on the same rows where they have them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "command.h"
#include "json_number.h"
#include "number_format.h"
#include "program.h"
#include "specs.h"
#include "summary.h"
#include "text_table.h"

namespace pushforward {
namespace {

/// What is compared of one run. Log-densities are those of the data as they came, so that runs with different
/// preprocessing are on one scale.
struct Contestant {
  std::string run, model, split;
  bool conditional = false;  // its densities are those of an event given a context
  Index parameters = 0;
  std::int64_t steps = 0;
  std::vector<double> log_prob;  // one per row
  std::string rows_key;          // equal for runs that were evaluated on the same rows
  double mean = 0, standard_error = 0;
  double difference = 0, difference_error = 0;  // to the best, over the rows where they are the same
};

struct MeanAndError {
  double mean = 0, standard_error = 0;
};

MeanAndError mean_of(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : std::numeric_limits<double>::quiet_NaN()};
}

/// The rows that say most about a model: those that nothing was chosen by.
template <class T>
const Split<T>& held_out(const std::vector<Split<T>>& splits) {
  for (const char* name : {"test", "validation"})
    for (const Split<T>& split : splits)
      if (split.name == name) return split;
  return splits.front();
}

template <class T>
std::vector<double> own_log_prob(LoadedRun<T>& run, Contestant& contestant, const ResolvedSpec& spec) {
  const Split<T>& split = held_out(run.own_splits());
  contestant.split = split.name;
  // The same source, shares and seed give the same rows, whatever is done with them.
  const typename DataPipeline<T>::State state = run.data()->state();
  std::string shares;
  for (const SpecNode::Entry& entry : spec.root.find("data")->find("split")->entries)
    shares += entry.key + "=" + entry.value.text + " ";
  contestant.rows_key = fmt::format("{} {} {}{} {}", state.checksum, state.rows, shares, split.name, spec.seed);
  return run.log_prob(split);
}

Contestant evaluated(const std::string& name, const Arguments& arguments, Console& console) {
  OpenedRun opened = open_run(name, arguments, console);
  Contestant contestant;
  contestant.run = name;
  const SpecNode& model = *opened.spec.root.find("model");
  contestant.model = outline(opened.registry, "distribution", model);
  contestant.steps = opened.checkpoint.step();
  with_precision(opened.spec.float64, [&]<class T>() {
    LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), opened.spec.seed);
    contestant.parameters = run.model().layout.trainable();
    contestant.conditional = run.model().context > 0;
    if (arguments.given("data")) {
      contestant.split = arguments.text("data");
      contestant.rows_key = contestant.split;
      contestant.log_prob = run.log_prob(run.read(arguments.text("data"), "option '--data'"));
    } else {
      contestant.log_prob = own_log_prob(run, contestant, opened.spec);
    }
    return kSuccess;
  });
  const MeanAndError moments = mean_of(contestant.log_prob);
  contestant.mean = moments.mean;
  contestant.standard_error = moments.standard_error;
  return contestant;
}

bool same_rows(const std::vector<Contestant>& runs) {
  return std::all_of(runs.begin(), runs.end(),
                     [&](const Contestant& run) { return run.rows_key == runs.front().rows_key; });
}

/// The best first; what the others lack, row by row: far more precise than the difference of two means.
void rank(std::vector<Contestant>& runs) {
  // A mean that is not a number is worst.
  const auto key = [](const Contestant& c) { return std::isnan(c.mean) ? -HUGE_VAL : c.mean; };
  std::stable_sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) { return key(a) > key(b); });
  const Contestant& best = runs.front();
  for (Contestant& run : runs) {
    std::vector<double> differences(run.log_prob.size());
    for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = run.log_prob[i] - best.log_prob[i];
    const MeanAndError moments = mean_of(differences);
    run.difference = moments.mean;
    run.difference_error = moments.standard_error;
  }
}

std::string with_error(double value, double error) {
  return std::isfinite(error) ? fmt::format("{} ± {}", decimal(value), decimal(error)) : decimal(value);
}

constexpr std::size_t kModelWidth = 24;

/// A long composition, cut: the whole of it is in the JSON and in the run's spec.
std::string shortened_model(const std::string& model) {
  return model.size() <= kModelWidth ? model : model.substr(0, kModelWidth - 3) + "...";
}

std::string to_text(const std::vector<Contestant>& runs, bool paired, std::size_t width) {
  using Align = TextTable::Align;
  TextTable table({{"run"},
                   {"rows of"},
                   {"count", Align::right},
                   {"log_prob in data units", Align::right},
                   {"to the best", Align::right},
                   {"parameters", Align::right},
                   {"steps", Align::right},
                   {"model"}});
  for (const Contestant& run : runs)
    table.add({run.run, run.split, count_text(static_cast<std::int64_t>(run.log_prob.size())),
               with_error(run.mean, run.standard_error),
               paired && &run != &runs.front() ? with_error(run.difference, run.difference_error) : std::string(),
               count_text(run.parameters), count_text(run.steps), shortened_model(run.model)});
  return table.to_text(width);
}

std::string to_json(const std::vector<Contestant>& runs, bool paired) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Contestant& run : runs) {
    nlohmann::ordered_json object = {{"run", run.run},
                                     {"model", run.model},
                                     {"parameters", run.parameters},
                                     {"steps", run.steps},
                                     {"rows_of", run.split},
                                     {"rows", run.log_prob.size()},
                                     {"mean_log_prob_data_units", json_number(run.mean)},
                                     {"standard_error", json_number(run.standard_error)}};
    if (paired) {
      object["difference"] = json_number(run.difference);
      object["difference_standard_error"] = json_number(run.difference_error);
    }
    list.push_back(object);
  }
  return json_text(list);
}

int compare(const Arguments& arguments, Console& console) {
  std::vector<Contestant> runs;
  for (std::size_t i = 0; i < arguments.positionals(); ++i)
    runs.push_back(evaluated(arguments.positional(i), arguments, console));
  const bool paired = same_rows(runs);
  if (paired)
    rank(runs);
  else
    console.warn(
        "the runs were evaluated on different rows, so their figures are no contest; name a file with rows for all of "
        "them: --data FILE");
  const auto is_conditional = [](const Contestant& run) { return run.conditional; };
  if (const auto n = std::count_if(runs.begin(), runs.end(), is_conditional);
      n > 0 && n < static_cast<std::ptrdiff_t>(runs.size()))
    console.warn(
        "some of the runs are conditional and some are not: the first give densities of x given its context, the "
        "others of x alone, and a better figure may only say that the context tells something about x");
  console.result(console.json ? to_json(runs, paired) : to_text(runs, paired, console.width()));
  return kSuccess;
}

}  // namespace

const Command& compare_command() {
  static const Command kCommand = {
      .name = "compare",
      .summary = "several runs side by side, the best first",
      .description =
          "Evaluates runs on rows that they were not fitted to and prints the mean log-density of each, in nats and "
          "in the data's units, with its standard error: on the rows of --data, or on each run's own test rows (those "
          "of validation or of training where there are no test rows). Where these are the same rows for all runs, "
          "the runs are ranked, and each one's difference to the best is that of the log-densities row by row: its "
          "standard error says whether the difference is more than chance.",
      .positionals = {{"RUN", "folders of runs, or checkpoints", true, true}},
      .options = {{"data", "FILE", "rows that all runs are evaluated on, .csv or .npy"}, kRunSetOption},
      .examples = {"pushforward compare runs/wine runs/wine-2",
                   "pushforward compare runs/wine runs/wine-2 --data new_wines.csv --format json"},
      .run = &compare,
  };
  return kCommand;
}

}  // namespace pushforward
