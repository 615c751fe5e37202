// validate: checks a spec completely, without training.
#include "command.h"
#include "json_number.h"
#include "program.h"
#include "specs.h"
#include "summary.h"

namespace pushforward {
namespace {

int validate(const Arguments& arguments, Console& console) {
  const std::string file = arguments.positional(0);
  Registry registry;
  const ResolvedSpec spec = load_spec(registry, file, arguments);
  return with_precision(spec.float64, [&]<class T>() {
    const Experiment<T> experiment = build_experiment<T>(registry, spec, true);
    if (console.json) {
      nlohmann::ordered_json object = {{"spec", file}, {"valid", true}};
      object.update(summary_json(registry, experiment));
      console.result(json_text(object));
    } else {
      console.result(fmt::format("{} is valid\n{}", file, summary_text(registry, experiment, console.width())));
    }
    return kSuccess;
  });
}

}  // namespace

const Command& validate_command() {
  static const Command kCommand = {
      .name = "validate",
      .summary = "check a spec and say what it would run",
      .description =
          "Checks everything about a spec that can be checked without training: its text, every field of every "
          "component, its data, and whether the parts fit together. All mistakes of a file are reported at once, with "
          "their places. Prints what 'fit' would run.",
      .positionals = {{"SPEC", "the spec, a YAML file"}},
      .options = {kSetOption},
      .examples = {"pushforward validate configs/circles.yaml"},
      .run = &validate,
  };
  return kCommand;
}

}  // namespace pushforward
