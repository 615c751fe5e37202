// plot: draws the pictures of a run.
#include <nlohmann/json.hpp>

#include "command.h"
#include "json_number.h"
#include "plots.h"
#include "program.h"
#include "run_folder.h"
#include "specs.h"

namespace pushforward {
namespace {

/// The rows that the run was fitted to, or none: pictures of the model alone are worth having, too.
template <class T>
const Split<T>* training_rows(LoadedRun<T>& run, Console& console) {
  static constexpr const char kWithout[] = "the pictures are drawn without the training data: {}";
  if (!run.data()) return nullptr;
  try {
    return &run.own_splits().front();
  } catch (const DataError& error) {
    console.warn(kWithout, error.what());
  } catch (const SpecError& error) {  // its file is gone
    console.warn(kWithout, error.what());
  }
  return nullptr;
}

void print_outcome(const DrawnPlots& plots, Console& console) {
  std::vector<std::string> pictures;
  for (const std::string& name : plots.files) pictures.push_back((plots.folder / name).string());
  if (console.json) return console.result(json_text({{"plots", pictures}}));
  for (const std::string& picture : pictures) console.result(picture + "\n");
}

int plot(const Arguments& arguments, Console& console) {
  const std::string folder = arguments.positional(0);
  OpenedRun opened = open_run(folder, arguments, console);
  if (!std::filesystem::is_directory(folder))
    throw UsageError(fmt::format("RUN is '{}', a file; name the run's folder, in which the pictures are", folder));
  return with_precision(opened.spec.float64, [&]<class T>() {
    LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), opened.spec.seed);
    const Split<T>* train = training_rows(run, console);
    const PictureNumbers numbers = picture_numbers(run.engine(), run.data(), train, folder);
    print_outcome(draw_plots(folder, numbers, console, arguments.texts("only")), console);
    return kSuccess;
  });
}

}  // namespace

const Command& plot_command() {
  static const Command kCommand = {
      .name = "plot",
      .summary = "draw the pictures of a run again",
      .description =
          "Draws the pictures of a run into plots/ in its folder, as fit does: for each the PNG, the SVG, the gnuplot "
          "script that drew it (.gp) and the data that it read (.csv). The training data are read again from the "
          "spec's source; if they are not there any more, what can be is drawn without them.\n\n"
          "A script that was changed is kept, and drawn with fresh data. Prints the pictures that were drawn.",
      .positionals = {{"RUN", "folder of a run"}},
      .options = {{"only", "NAME", "this picture alone, such as density; may be given several times", 0, true},
                  kRunSetOption},
      .examples = {"pushforward plot runs/circles", "pushforward plot runs/circles --only density --only loss"},
      .run = &plot,
  };
  return kCommand;
}

}  // namespace pushforward
