// log-prob: the log-density of each row of a file.
#include "command.h"
#include "number_format.h"
#include "program.h"
#include "specs.h"
#include "table_output.h"

namespace pushforward {
namespace {

template <class T>
Table log_prob_of(OpenedRun& opened, const Arguments& arguments) {
  LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), opened.spec.seed);
  Table table{.rows = 0, .names = {"log_prob"}, .values = run.log_prob(run.read(arguments.positional(1), "DATA"))};
  table.rows = static_cast<Index>(table.values.size());
  return table;
}

int log_prob(const Arguments& arguments, Console& console) {
  check_table_output(arguments, {arguments.positional(1)}, arguments.positional(0));
  OpenedRun opened = open_run(arguments.positional(0), arguments, console);
  return with_precision(opened.spec.float64, [&]<class T>() {
    const Table table = log_prob_of<T>(opened, arguments);
    put_table(table, arguments, console, fmt::format("log-densities of {}", counted(table.rows, "row")), true);
    return kSuccess;
  });
}

}  // namespace

const Command& log_prob_command() {
  static const Command kCommand = {
      .name = "log-prob",
      .summary = "log-density of each row of a file",
      .description =
          "Writes the log-density of every row of a file, in nats and in the data's units, in the order of the rows; "
          "-inf for a row outside the model's support. In JSON a number that is not finite is a text: \"-inf\", "
          "\"inf\", "
          "\"nan\".\n\n"
          "Columns are found by their names, or by their places if the file has exactly those that are needed. A "
          "conditional model takes its context from columns of the same file.",
      .positionals = {{"RUN", "folder of a run, or a checkpoint"}, {"DATA", "the rows, .csv or .npy"}},
      .options = {{"output", "FILE", "where they go, .npy (float64) or .csv; stdout by default", 'o'}, kRunSetOption},
      .examples = {"pushforward log-prob runs/wine new_wines.csv --output density.npy",
                   "pushforward log-prob runs/wine new_wines.csv"},
      .run = &log_prob,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
