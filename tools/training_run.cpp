#include "training_run.h"

#include <fmt/ranges.h>

#include "conditioning.h"
#include "json_number.h"
#include "number_format.h"
#include "plots.h"
#include "program.h"
#include "shell_word.h"

namespace pushforward {
namespace {

/// What early stopping did, if the run has it.
std::string early_stopping_text(const FitOutcome& outcome, const EarlyStopping& settings) {
  std::string text;
  if (outcome.training.stopped_early)
    text = fmt::format("stopped early: {} without an improvement\n",
                       counted(settings.patience, "look at the validation rows", "looks at the validation rows"));
  if (outcome.best_step == 0)
    return text + "no validation loss was finite: the parameters are those of the last step\n";
  return text + fmt::format("the parameters are those of step {}, with the lowest validation loss, {}\n",
                            count_text(outcome.best_step), decimal(outcome.best_validation_loss));
}

nlohmann::ordered_json early_stopping_json(const FitOutcome& outcome) {
  nlohmann::ordered_json object = {{"stopped", outcome.training.stopped_early}, {"best_step", nullptr}};
  if (outcome.best_step == 0) return object;
  object["best_step"] = outcome.best_step;
  object["best_validation_loss"] = outcome.best_validation_loss;
  return object;
}

void print_outcome(const FitOutcome& outcome, const std::optional<EarlyStopping>& early_stopping,
                   const std::string& run, Console& console) {
  const TrainingResult& training = outcome.training;
  if (console.json) {
    nlohmann::ordered_json object = {{"run", run},
                                     {"steps", training.steps},
                                     {"loss", json_number(outcome.loss)},
                                     {"seconds", training.seconds},
                                     {"evaluation", to_json(outcome.evaluation)}};
    if (early_stopping) object["early_stopping"] = early_stopping_json(outcome);
    return console.result(json_text(object));
  }
  console.result(fmt::format("{}: {} in {}, loss {}\n", run, counted(training.steps, "step"),
                             duration(training.seconds), decimal(outcome.loss)));
  if (early_stopping) console.result(early_stopping_text(outcome, *early_stopping));
  if (!outcome.evaluation.empty()) console.result("\n" + to_text(outcome.evaluation));
}

/// The run is complete without its pictures: what goes wrong with them does not fail the fit.
template <class T>
void draw(Engine<T>& engine, const Experiment<T>& experiment, const RunFolder& folder, Console& console) {
  try {
    const Split<T>* train = experiment.data ? experiment.data->split("train") : nullptr;
    const DrawnPlots plots =
        draw_plots(folder.path(), picture_numbers(engine, experiment.data.get(), train, folder.path()), console);
    if (!plots.drawn.empty()) console.note("\nplots: {} ({})", plots.folder.string(), fmt::join(plots.drawn, ", "));
  } catch (const Error& error) {
    console.warn("the pictures of the run could not be made: {}", error.what());
  }
}

/// The options that give `sample` a context that occurs: that of the first training row.
template <class T>
std::string context_words(const Experiment<T>& experiment) {
  if (experiment.model.context == 0) return {};
  const Conditioning conditioning = conditioning_of(experiment.spec);
  if (conditioning.classes > 0) return " --label 0";
  const Split<T>& train = experiment.data->splits().front();
  std::string words;
  for (std::size_t j = 0; j < conditioning.columns.size(); ++j)
    words += " --condition " +
             shell_word(fmt::format("{}={:.4g}", conditioning.columns[j], train.context(0, static_cast<Index>(j))));
  return words;
}

}  // namespace

template <class T>
int train_and_report(Fitting<T>& fitting, Experiment<T>& experiment, const RunFolder& folder, bool plots,
                     Console& console) {
  const std::string run = folder.path().string();
  const FitOutcome outcome = fitting.run();
  if (outcome.signal) {
    console.warn("interrupted after step {} of {}; the checkpoint of that step is {}; to go on: {} resume {}",
                 count_text(outcome.training.steps), count_text(experiment.settings.steps),
                 folder.checkpoint().string(), shell_word(console.program), shell_word(run));
    return 128 + outcome.signal;
  }
  print_outcome(outcome, experiment.settings.early_stopping, run, console);
  console.finish();  // the result first, what to do with it below
  if (plots) draw(fitting.engine(), experiment, folder, console);
  if (experiment.model.distribution->traits().can_sample)
    console.note("\nnext: {} sample {} -n 1000{} --output samples.csv", shell_word(console.program), shell_word(run),
                 context_words(experiment));
  return kSuccess;
}

template int train_and_report(Fitting<float>&, Experiment<float>&, const RunFolder&, bool, Console&);
template int train_and_report(Fitting<double>&, Experiment<double>&, const RunFolder&, bool, Console&);

}  // namespace pushforward
