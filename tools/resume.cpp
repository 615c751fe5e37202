// resume: goes on with a fit that was interrupted.
#include <filesystem>

#include "command.h"
#include "io/atomic_file.h"
#include "number_format.h"
#include "program.h"
#include "shell_word.h"
#include "specs.h"
#include "summary.h"
#include "training_run.h"

namespace pushforward {
namespace {

int resume(const Arguments& arguments, Console& console) {
  const RunFolder folder = RunFolder::reopen(arguments.positional(0));
  const std::string run = folder.path().string();
  OpenedRun opened = open_run(run, arguments, console);
  if (std::filesystem::exists(folder.evaluation()))
    throw SpecError(
        fmt::format("the run '{}' is complete: nothing of it is left to do. For more steps fit again: {} fit {} --set "
                    "training.steps=...",
                    run, shell_word(console.program), shell_word(folder.spec().string())));
  if (std::filesystem::exists(folder.spec()) && read_file(folder.spec()) != opened.checkpoint.spec())
    throw SpecError(
        fmt::format("'{}' is not the spec that the run was begun with, which its checkpoint holds; undo the change, or "
                    "remove the file, and it is written again. For another spec fit again",
                    folder.spec().string()));
  return with_precision(opened.spec.float64, [&]<class T>() {
    const auto data = opened.checkpoint.data<T>();
    Experiment<T> experiment = build_experiment<T>(opened.registry, opened.spec, true, data ? &*data : nullptr);
    console.note("going on with {} after step {} of {}\n{}", run, count_text(opened.checkpoint.step()),
                 count_text(experiment.settings.steps), summary_text(opened.registry, experiment, console.width()));
    Fitting<T> fitting(opened.registry, experiment, folder, arguments.threads(), console);
    fitting.go_on_from(opened.checkpoint);
    return train_and_report(fitting, experiment, folder, !arguments.given("no-plots"), console);
  });
}

}  // namespace

const Command& resume_command() {
  static const Command kCommand = {
      .name = "resume",
      .summary = "go on with a fit that was interrupted",
      .description =
          "Goes on from the last checkpoint of a fit that was ended by Ctrl-C, by the system or in any other way, "
          "and "
          "ends as the fit would have: with the same parameters, bit for bit, on the same kind of processor. Steps "
          "behind the checkpoint are made again, and their rows in metrics.csv, too; its column `seconds` begins "
          "anew, and the first mean of a loss over steps is that of the steps since the checkpoint.\n\n"
          "The run's spec, data and plugins must be those that it was begun with: data that changed are refused, "
          "plugins that changed are said. A run that is complete is refused.",
      .positionals = {{"RUN", "folder of the run"}},
      .options = {{"no-plots", nullptr, "draw no pictures"}, kRunSetOption},
      .examples = {"pushforward resume runs/wine-1"},
      .run = &resume,
  };
  return kCommand;
}

}  // namespace pushforward
