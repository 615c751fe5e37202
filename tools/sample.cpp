// sample: draws from a run's model.
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "command.h"
#include "conditioning.h"
#include "number_format.h"
#include "program.h"
#include "pushforward/nearest.h"
#include "sampling.h"
#include "shell_word.h"
#include "specs.h"
#include "table_output.h"

namespace pushforward {
namespace {

constexpr std::int64_t kDefaultSamples = 1000;
constexpr std::int64_t kMostSamples = 1'000'000'000;

/// One row with the values of `--condition name=value`.
Table condition_table(const std::vector<std::string>& conditions, const std::vector<std::string>& names) {
  Table table{.rows = 1, .names = {}, .values = {}};
  for (const std::string& condition : conditions) {
    const std::size_t equals = condition.find('=');
    const std::string name = condition.substr(0, equals);
    if (equals == std::string::npos)
      throw UsageError(fmt::format("option '--condition' is '{}'; it must be NAME=VALUE", condition));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = nearest(name, names);
      throw UsageError(fmt::format(
          "the model has no context '{}'{}", name,
          near.empty() ? fmt::format("; it has {}", fmt::join(names, ", ")) : "; did you mean '" + near + "'?"));
    }
    if (std::find(table.names.begin(), table.names.end(), name) != table.names.end())
      throw UsageError(fmt::format("option '--condition' gives '{}' twice", name));
    double value = 0;
    const char* end_of_text = condition.data() + condition.size();
    const auto [end, error] = std::from_chars(condition.data() + equals + 1, end_of_text, value);
    if (error != std::errc() || end != end_of_text || !std::isfinite(value))
      throw UsageError(fmt::format("option '--condition' is '{}'; what follows '=' must be a number", condition));
    table.names.push_back(name);
    table.values.push_back(value);
  }
  return table;
}

/// The class that `--label` names, as the value of the column of labels.
std::string condition_of_label(const std::string& label, const Conditioning& conditioning) {
  if (conditioning.classes == 0)
    throw UsageError(fmt::format("option '--label' is '{}', but the model is not conditioned on labels; give {}", label,
                                 condition_options(conditioning, "VALUE")));
  std::int64_t number = -1;
  const char* end_of_text = label.data() + label.size();
  const auto [end, error] = std::from_chars(label.data(), end_of_text, number);
  if (error != std::errc() || end != end_of_text || number < 0 || number >= conditioning.classes)
    throw UsageError(fmt::format("option '--label' is '{}'; the classes are 0 to {}", label, conditioning.classes - 1));
  return conditioning.columns.front() + "=" + label;
}

/// The context that the command line gives, as the model sees it; no rows for an unconditional model.
template <class T>
Split<T> context_of(const LoadedRun<T>& run, const ResolvedSpec& spec, const Arguments& arguments) {
  const bool file = arguments.given("context"), label = arguments.given("label");
  const bool condition = arguments.given("condition");
  const bool conditional = run.model().context > 0;
  if (!conditional && (file || label || condition))
    throw UsageError(fmt::format("the model has no context; leave '--{}' out", file    ? "context"
                                                                               : label ? "label"
                                                                                       : "condition"));
  if (!conditional) return {};
  if (!run.data()) throw SpecError("the model needs a context, and its run has no data that says which");
  const Conditioning conditioning = conditioning_of(spec);
  const std::vector<std::string>& names = run.data()->context_columns();
  if (file + label + condition != 1)
    throw UsageError(
        fmt::format("the model is conditioned on {}; give its context in one way: {} for one value of "
                    "each, or --context FILE for a row of them for each sample",
                    fmt::join(names, ", "), condition_options(conditioning, "VALUE")));
  if (file) return run.data()->transform(run.read(arguments.text("context"), "option '--context'", false), false);
  std::vector<std::string> conditions = arguments.texts("condition");
  if (label) conditions.push_back(condition_of_label(arguments.text("label"), conditioning));
  try {
    return run.data()->transform(condition_table(conditions, names), false);
  } catch (const DataError& error) {
    throw UsageError(fmt::format("option '--condition': {}", error.what()));
  }
}

Index number_of_samples(const Arguments& arguments, Index context_rows) {
  const Index fallback = context_rows > 1 ? context_rows : kDefaultSamples;
  const Index n = arguments.integer("rows", fallback, 1, kMostSamples);
  if (context_rows > 0 && n % context_rows != 0)
    throw UsageError(
        fmt::format("option '--rows' is {}, and the context has {}; it must be a multiple: each row of "
                    "the context gets as many samples",
                    n, counted(context_rows, "row")));
  return n;
}

template <class T>
Table samples_of(OpenedRun& opened, const Arguments& arguments) {
  const auto seed = static_cast<std::uint64_t>(arguments.integer("seed", static_cast<std::int64_t>(opened.spec.seed), 0,
                                                                 std::numeric_limits<std::int64_t>::max()));
  LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), seed);
  const Split<T> context = context_of(run, opened.spec, arguments);
  const Block<const T> rows = context.context;
  return draw_samples<T>(run.engine(), run.data(), number_of_samples(arguments, rows.data ? rows.rows : 0), rows);
}

Index rows_not_finite(const Table& table) {
  std::vector<bool> lost(static_cast<std::size_t>(table.rows));
  for (Index j = 0; j < table.columns(); ++j) {
    const std::span<const double> column = table.column(j);
    for (std::size_t i = 0; i < column.size(); ++i)
      if (!std::isfinite(column[i])) lost[i] = true;
  }
  return std::count(lost.begin(), lost.end(), true);
}

int sample(const Arguments& arguments, Console& console) {
  std::vector<std::string> inputs;
  if (arguments.given("context")) inputs.push_back(arguments.text("context"));
  check_table_output(arguments, inputs, arguments.positional(0));
  OpenedRun opened = open_run(arguments.positional(0), arguments, console);
  return with_precision(opened.spec.float64, [&]<class T>() {
    const Table table = samples_of<T>(opened, arguments);
    if (const Index lost = rows_not_finite(table); lost > 0)
      console.warn(
          "{} of {} hold a value that is not finite: the model's maps do not reach that far; `{} verify {}` "
          "says more",
          count_text(lost), counted(table.rows, "sample"), shell_word(console.program),
          shell_word(arguments.positional(0)));
    put_table(table, arguments, console,
              fmt::format("{} of {}", counted(table.rows, "sample"), counted(table.columns(), "column")));
    return kSuccess;
  });
}

}  // namespace

const Command& sample_command() {
  static const Command kCommand = {
      .name = "sample",
      .summary = "draw samples from a run's model",
      .description =
          "Draws samples from the model of a run, in the data's units. The same seed gives the same samples, on any "
          "number of threads.\n\n"
          "A conditional model needs a context: a class (--label), one value of each of its columns (--condition), or "
          "a "
          "table with a row for each sample (--context; with fewer rows, each gets as many samples as the others).",
      .positionals = {{"RUN", "folder of a run, or a checkpoint"}},
      .options = {{"rows", "N", "how many; 1000 by default, or one for each row of --context", 'n'},
                  {"output", "FILE", "where they go, .npy (float64) or .csv; stdout by default", 'o'},
                  {"seed", "N", "of the draws; the spec's by default"},
                  {"label", "CLASS", "class to sample, of a model that is conditioned on labels"},
                  {"condition", "NAME=VALUE", "value of a context column", 0, true},
                  {"context", "FILE", "table of context columns, .csv or .npy"},
                  kRunSetOption},
      .examples = {"pushforward sample runs/circles -n 1000 --output samples.csv",
                   "pushforward sample runs/conditional --rows 500 --label 1 --output ones.npy"},
      .run = &sample,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
