// evaluate: the mean log-density of a run on its own splits or on other rows.
#include "command.h"
#include "evaluation.h"
#include "json_number.h"
#include "program.h"
#include "specs.h"

namespace pushforward {
namespace {

constexpr const char* kData = "data";  // the name that rows of a file have in the result

template <class T>
std::vector<SplitEvaluation> evaluate_run(OpenedRun& opened, const Arguments& arguments) {
  LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), opened.spec.seed);
  if (arguments.positionals() < 2) return evaluate_splits(run.engine(), run.own_splits());
  Split<T> split = run.transform(run.read(arguments.positional(1), "DATA"));
  split.name = kData;
  return {evaluate_split(run.engine(), split)};
}

int evaluate(const Arguments& arguments, Console& console) {
  if (arguments.given("output")) {
    std::vector<std::string> data;
    if (arguments.positionals() > 1) data.push_back(arguments.positional(1));
    refuse_own_input(arguments.text("output"), data, arguments.positional(0));
  }
  OpenedRun opened = open_run(arguments.positional(0), arguments, console);
  return with_precision(opened.spec.float64, [&]<class T>() {
    const std::vector<SplitEvaluation> evaluations = evaluate_run<T>(opened, arguments);
    console.result(console.json ? json_text(to_json(evaluations)) : to_text(evaluations));
    return kSuccess;
  });
}

}  // namespace

const Command& evaluate_command() {
  static const Command kCommand = {
      .name = "evaluate",
      .summary = "mean log-density of a run, with its standard error",
      .description =
          "Evaluates a run on the splits of its own spec, or on the rows of a file. Gives the mean log-density in "
          "nats, of the preprocessed data as the model sees them and of the data as they came, and the standard error "
          "of the "
          "mean. Rows outside the support, whose density is zero, are counted, and so are rows whose log-density is "
          "not "
          "finite for another reason, such as an overflow. In JSON a number that is not finite is a text: \"-inf\", "
          "\"inf\", \"nan\".\n\n"
          "Columns of a file are found by their names, or by their places if it has exactly those that are needed.",
      .positionals = {{"RUN", "folder of a run, or a checkpoint"},
                      {"DATA", "rows to evaluate, .csv or .npy; the run's own splits by default", false}},
      .options = {kRunSetOption},
      .examples = {"pushforward evaluate runs/wine", "pushforward evaluate runs/wine new_wines.csv --format json"},
      .run = &evaluate,
  };
  return kCommand;
}

}  // namespace pushforward
