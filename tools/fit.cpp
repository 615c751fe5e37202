// fit: trains the model of a spec and writes a run's folder.
#include "command.h"
#include "program.h"
#include "specs.h"
#include "summary.h"
#include "training_run.h"

namespace pushforward {
namespace {

int fit(const Arguments& arguments, Console& console) {
  const std::string file = arguments.positional(0), output = arguments.text("output");
  RunFolder::check_free(output);
  Registry registry;
  const ResolvedSpec spec = load_spec(registry, file, arguments);
  return with_precision(spec.float64, [&]<class T>() {
    Experiment<T> experiment = build_experiment<T>(registry, spec, true);
    const RunFolder folder = RunFolder::create(output, std::filesystem::path(file).stem().string());
    const std::string run = folder.path().string();
    console.note("fitting {}\n{}  run         {}", file, summary_text(registry, experiment, console.width()), run);
    Fitting<T> fitting(registry, experiment, folder, arguments.threads(), console);
    return train_and_report(fitting, experiment, folder, !arguments.given("no-plots"), console);
  });
}

}  // namespace

const Command& fit_command() {
  static const Command kCommand = {
      .name = "fit",
      .summary = "train the model of a spec, evaluate it, write a run's folder",
      .description =
          "Trains the model that a spec describes and writes a folder with the resolved spec (spec.yaml), the numbers "
          "of the run (metrics.csv), everything that later commands need (checkpoint.safetensors), 1,000 samples in "
          "the data's units (samples.npy; of a conditional model one for each of the first 1,000 training rows, given "
          "that row's context, which the file leaves out), the mean log-density of each split (evaluation.json), and "
          "pictures, each "
          "with the gnuplot script and the data that drew it (plots/).\n\n"
          "The loss is that of each report's step where a step sees all rows, and where it sees a part of them "
          "(training.batch_size) the mean over the steps since the last report.\n\n"
          "Nothing is overwritten: a folder that is not empty is refused. Ctrl-C ends the fit after the step at hand, "
          "with a checkpoint; there is one each minute, too, or as training.checkpoint_every says. `pushforward "
          "resume` "
          "goes on with a fit that was ended in any way. A fit whose parameters or densities are not finite, at any "
          "step or after the last, "
          "fails; the "
          "last good checkpoint stays.",
      .positionals = {{"SPEC", "the spec, a YAML file"}},
      .options = {{"output", "DIR", "folder of the run; runs/<name of the spec>-<n> by default", 'o'},
                  {"no-plots", nullptr, "draw no pictures"},
                  kSetOption},
      .examples = {"pushforward fit configs/circles.yaml",
                   "pushforward fit configs/circles.yaml --output runs/short --set training.steps=500"},
      .run = &fit,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
