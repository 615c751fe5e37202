// verify: whether a run computes what it says, and how well it fits, on rows of the user's own.
#include "command.h"
#include "json_number.h"
#include "number_format.h"
#include "program.h"
#include "specs.h"
#include "verification/finding.h"
#include "verification/fit_checks.h"
#include "verification/numerical_checks.h"

namespace pushforward {
namespace {

using namespace verification;  // NOLINT

constexpr Index kMostRows = 10'000;
constexpr Index kLimit = 1'000'000;

/// The model of a run in float64, from the numbers that it has in float32.
struct ExactModel {
  Experiment<double> experiment;
  std::unique_ptr<Engine<double>> engine;
};

ExactModel exact_model(const OpenedRun& opened, const Model<float>& model, const EngineSettings& settings) {
  const auto state = opened.checkpoint.data<double>();
  ResolvedSpec spec = opened.spec;
  spec.float64 = true;
  ExactModel exact{build_experiment<double>(opened.registry, spec, false, state ? &*state : nullptr), nullptr};
  copy_numbers(model, exact.experiment.model);
  exact.engine = std::make_unique<Engine<double>>(exact.experiment.model, settings);
  exact.engine->prepare();
  return exact;
}

/// The rows of the run's splits; with a file, the training rows where they are still there, and those of the file.
template <class T>
GatheredRows<T> rows_of(LoadedRun<T>& run, const Arguments& arguments, std::uint64_t seed, Console& console) {
  const Index limit = arguments.integer("rows", kMostRows, 1, kLimit);
  std::vector<const Split<T>*> splits;
  Split<T> file;
  if (arguments.positionals() > 1) {
    file = run.transform(run.read(arguments.positional(1), "DATA"));
    file.name = "data";
    try {
      if (run.data()) splits.push_back(&run.own_splits().front());
    } catch (const Error& error) {
      console.note("without the rows that the run was fitted to: {}", error.what());
    }
    splits.push_back(&file);
  } else if (run.data()) {
    for (const Split<T>& split : run.own_splits()) splits.push_back(&split);
  }
  return gather_rows<T>(splits, limit, seed);
}

template <class T>
Report report_of(OpenedRun& opened, const Arguments& arguments, Console& console) {
  const auto seed = static_cast<std::uint64_t>(arguments.integer("seed", static_cast<std::int64_t>(opened.spec.seed), 0,
                                                                 std::numeric_limits<std::int64_t>::max()));
  LoadedRun<T> run(opened.registry, opened.spec, opened.checkpoint, arguments.threads(), seed);
  const GatheredRows<T> rows = rows_of(run, arguments, seed, console);
  Report report{.rows_of = {}, .rows = static_cast<long>(rows.rows.rows()), .findings = {}};
  if (!rows.parts.empty()) report.rows_of = held_out(rows.parts).name;
  const auto check = [&](Engine<double>& exact, const DataPipeline<double>* exact_data) {
    const Subject<T> subject{run.engine(), exact, rows, run.data(), exact_data};
    report.findings = numerical_checks(subject);
    if (report.findings.front().verdict == Verdict::failed) return;  // nothing can be said of such parameters
    const SplineIntervals splines = spline_intervals(*opened.spec.root.find("model"));
    try {
      for (Finding& finding : fit_checks(subject, splines)) report.findings.push_back(std::move(finding));
    } catch (const NumericalError& error) {
      report.findings.push_back(not_done("fit", Kind::fit, error.what()));
    }
  };
  if constexpr (std::is_same_v<T, double>) {
    check(run.engine(), run.data());
  } else {
    const ExactModel exact = exact_model(opened, run.model(), run.engine().settings());
    check(*exact.engine, exact.experiment.data.get());
  }
  return report;
}

int verify(const Arguments& arguments, Console& console) {
  if (arguments.given("output")) {
    std::vector<std::string> data;
    if (arguments.positionals() > 1) data.push_back(arguments.positional(1));
    refuse_own_input(arguments.text("output"), data, arguments.positional(0));
  }
  OpenedRun opened = open_run(arguments.positional(0), arguments, console);
  return with_precision(opened.spec.float64, [&]<class T>() {
    const Report report = report_of<T>(opened, arguments, console);
    console.result(console.json ? json_text(to_json(report)) : to_text(report, console.width()));
    return report.passed() ? kSuccess : kRunFailed;
  });
}

}  // namespace

const Command& verify_command() {
  static const Command kCommand = {
      .name = "verify",
      .summary = "whether a run computes what it says, and how well it fits",
      .description =
          "Checks a run on the rows of its own splits, or on those of a file. Numerical checks ask whether the model "
          "computes what it stands for: each direction of the flow undoes the other, log_det is that of a numeric "
          "Jacobian, densities are those of base and map together and integrate to 1. If one of them fails, the "
          "figures of the model cannot be trusted, and the exit code is 1.\n\n"
          "The checks of the fit advise: whether the base points of rows that the run was not fitted to are "
          "distributed as the base, how many rows lie in the tails, and whether the rows that it was fitted to are "
          "known better than others. A correct model is for a look in one check of a thousand. Under the table stands "
          "what to do; docs/verify.md says more about each line.",
      .positionals = {{"RUN", "folder of a run, or a checkpoint"},
                      {"DATA", "rows to verify on, .csv or .npy; the run's own splits by default", false}},
      .options = {{"rows", "N", "rows of each split or file, at most; 10000 by default", 'n'},
                  {"seed", "N", "of the draws and of the choice of rows; the spec's by default"},
                  kRunSetOption},
      .examples = {"pushforward verify runs/circles", "pushforward verify runs/wine new_wines.csv --format json"},
      .run = &verify,
  };
  return kCommand;
}

}  // namespace pushforward
