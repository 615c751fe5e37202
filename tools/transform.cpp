// transform: rows through a run's flow, to the points of its base or from them.
#include "command.h"
#include "number_format.h"
#include "program.h"
#include "pushforward/nearest.h"
#include "specs.h"
#include "table_output.h"

namespace pushforward {
namespace {

constexpr const char* kLogDet = "log_det";

bool forward_of(const Arguments& arguments) {
  const std::string direction = arguments.text("direction", "inverse");
  if (direction == "forward" || direction == "inverse") return direction == "forward";
  const std::string near = nearest(direction, {"forward", "inverse"});
  throw UsageError(
      fmt::format("option '--direction' is '{}'; it must be inverse (data to base) or forward (base to data){}",
                  direction, near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

template <class T>
Table mapped_rows(OpenedRun& opened, const Arguments& arguments, bool forward) {
  LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), opened.spec.seed);
  const std::string& file = arguments.positional(1);
  std::vector<double> log_det;
  Table table =
      forward ? run.from_base(run.read_base(file, "DATA"), log_det) : run.to_base(run.read(file, "DATA"), log_det);
  if (arguments.given("log-det")) {
    table.names.push_back(kLogDet);
    table.values.insert(table.values.end(), log_det.begin(), log_det.end());
  }
  return table;
}

int transform(const Arguments& arguments, Console& console) {
  const bool forward = forward_of(arguments);
  check_table_output(arguments, {arguments.positional(1)}, arguments.positional(0));
  OpenedRun opened = open_run(arguments.positional(0), arguments, console);
  return with_precision(opened.spec.float64, [&]<class T>() {
    const Table table = mapped_rows<T>(opened, arguments, forward);
    put_table(table, arguments, console,
              fmt::format("{} of {}", counted(table.rows, "row"), counted(table.columns(), "column")));
    return kSuccess;
  });
}

}  // namespace

const Command& transform_command() {
  static const Command kCommand = {
      .name = "transform",
      .summary = "map rows through a run's flow, to its base or from it",
      .description =
          "Maps the rows of a file through the flow of a run. The inverse direction takes data, in their own units, to "
          "the points of the base that they come from: columns z0, z1, ... that look like draws of the base if the "
          "flow "
          "fits. The forward direction takes such points to data.\n\n"
          "With --log-det a last column gives each row's log abs det of the Jacobian of that direction, in nats and "
          "including the preprocessing. A row outside of what the flow is defined for becomes nan.\n\n"
          "Columns are found by their names, or by their places if the file has exactly those that are needed. A "
          "conditional model takes its context from columns of the same file.",
      .positionals = {{"RUN", "folder of a run, or a checkpoint"}, {"DATA", "the rows, .csv or .npy"}},
      .options = {{"direction", "D", "inverse, data to base (the default), or forward, base to data"},
                  {"log-det", nullptr, "adds the column log_det"},
                  {"output", "FILE", "where they go, .npy (float64) or .csv; stdout by default", 'o'},
                  kRunSetOption},
      .examples = {"pushforward transform runs/wine new_wines.csv --output base.csv",
                   "pushforward transform runs/circles points.npy --direction forward --log-det"},
      .run = &transform,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
