// The one table of checks and tolerances. A component that needs another factor states it beside its example, with a
// reason that the report prints.
#pragma once

namespace pushforward::testing {

/// `allowed = tolerance * (the example's factor) * max(1, local condition number)` for `|a - b| / max(1, |a|, |b|)`.
/// Zero: the same bits. Negative: not done in that precision.
struct CheckInfo {
  const char* id;
  int number;
  const char* title;
  double float64, float32;
  double iterative64, iterative32;  // where a direction is found by iteration
  const char* kinds;                // separated by blanks
  const char* reason;               // why these tolerances
};

inline constexpr double kNotDone = -1;

/// Step of numeric derivatives over max(1, |x|): near the cube root of the precision, where the error of a central
/// difference is least (1e-11 for a function of size and curvature 1).
inline constexpr double kStep = 6e-6;
/// Samples whose one-sided slopes disagree (kinks) and that may be drawn again, at most.
inline constexpr double kRedrawn = 0.1;
/// Samples of a check; and of one that sums over them, so that a vector of lanes is not full.
inline constexpr long kSamples = 64, kOddSamples = 61;
/// Parameters up to which every entry is differentiated numerically; beyond, kEntries of them and kDirections of all.
inline constexpr long kAllEntries = 2000, kEntries = 200, kDirections = 8;
/// Random pairs of cotangents of a gradient check.
inline constexpr int kCotangents = 8;
/// Largest absolute input at which a map must stay finite, unless its traits declare another.
inline constexpr double kRangeOfElementwise = 1e6, kRangeOfOthers = 30;

inline constexpr const char kMaps[] = "bijector transformer";
inline constexpr const char kEvaluated[] = "bijector transformer network distribution target";

inline constexpr CheckInfo kChecks[] = {
    {"round_trip", 1, "inverse(forward(x)) = x and forward(inverse(y)) = y", 1e-10, 1e-5, 1e-7, 1e-4, kMaps,
     "a hundred thousand, and a hundred, units in the last place, through a map of condition number 1"},
    {"log_det_cancel", 2, "the log_dets of both directions cancel", 1e-10, 1e-5, 1e-7, 1e-4, kMaps,
     "as the round trip"},
    {"log_det_numeric", 3, "log_det is that of a numeric Jacobian", 1e-7, kNotDone, 1e-7, kNotDone, kMaps,
     "central differences are good to 1e-10 times the curvature"},
    {"structure", 4, "declared structure is exact", 0, 0, 0, 0, kMaps, "a trait is a promise about bits"},
    {"input_gradient", 5, "gradient with respect to the input", 1e-7, 1e-3, 1e-7, 1e-3, kEvaluated,
     "as log_det_numeric; float32 is compared with float64"},
    {"parameter_gradient", 6, "gradient with respect to the parameters", 1e-7, 1e-3, 1e-7, 1e-3, kEvaluated,
     "as input_gradient"},
    {"context_gradient", 7, "gradient with respect to the context", 1e-7, 1e-3, 1e-7, 1e-3, kEvaluated,
     "as input_gradient"},
    {"taylor", 8, "the Taylor remainder falls like h^2", 1e-12, kNotDone, 1e-12, kNotDone, kEvaluated,
     "slope in [1.9, 2.1], or a remainder below the precision"},
    {"recording", 9, "recording on and off give the same bits", 0, 0, 0, 0, kEvaluated, "the same operations"},
    {"accumulation", 10, "gradients are added, outputs overwritten, padding ignored", 1e-12, 1e-5, 1e-12, 1e-5,
     kEvaluated, "a prefilled gradient loses its own last bits; the rest is exact"},
    {"rows", 11, "rows are independent", 1e-12, 1e-5, 1e-12, 1e-5, kEvaluated,
     "a product of one row may add in another order"},
    {"sizes", 12, "batches of 0, 1 and 17 rows, the smallest event, all rows in the tails", 0, 0, 0, 0, kEvaluated,
     "finite or not"},
    {"edges", 13, "edges of the domain, knots, zeros, the start, large numbers", 1e-6, 1e-3, 1e-6, 1e-3, kEvaluated,
     "a slope near an edge has few digits"},
    {"bad_input", 14, "a NaN row stays in its row; a wrong shape is refused", 0, 0, 0, 0, kEvaluated, "exact"},
    {"threads", 15, "calls from four threads give the same bits", 0, 0, 0, 0, kEvaluated, "const means const"},
    {"checkpoint", 16, "a new object with the saved numbers gives the same bits", 0, 0, 0, 0, kEvaluated, "exact"},
    {"fields", 17, "fields are read, and bad values are refused", 0, 0, 0, 0,
     "bijector transformer network distribution target objective optimizer schedule dataset preprocess tracker "
     "procedure",
     "yes or no"},
    {"reached", 18, "every parameter receives a gradient somewhere", 0, kNotDone, 0, kNotDone, kEvaluated,
     "zero or not"},
    {"density", 19, "the density integrates to 1, or to its normaliser", 1e-6, 1e-3, 1e-6, 1e-3,
     "bijector transformer distribution target", "the grid's own error, measured by halving its step, is added"},
    {"fast_path", 20, "every fast path equals the plain one", 1e-12, 1e-5, 1e-12, 1e-5, "transformer network",
     "the same mathematics in another order"},
    {"draws", 21, "draws are keyed", 0, 0, 0, 0, kEvaluated, "the same keys, the same numbers"},
    {"parameter_vector", 22, "another parameter vector and back; frozen ranges", 0, 0, 0, 0, kEvaluated, "exact"},
    {"chi_square", 23, "samples follow the density", 1e-3, 1e-3, 1e-3, 1e-3, "distribution",
     "level of all tests of an example together (Sidak)"},
    {"sampled_log_prob", 24, "the log_prob that comes with a sample is log_prob", 1e-10, 1e-5, 1e-7, 1e-4,
     "distribution", "as the round trip"},
    {"moments", 25, "moments of samples", 5, 5, 5, 5, "distribution", "standard errors"},
    {"tangent", 26, "forward-mode tangents", 1e-7, kNotDone, 1e-7, kNotDone, "network bijector transformer",
     "as input_gradient"},
    {"allocations", 27, "a step in steady state allocates no memory", 0, 0, 0, 0,
     "bijector transformer network distribution target objective optimizer", "the tape's memory is there for it"},
    {"values", 28, "float32 gives the values of float64", kNotDone, 1e-4, kNotDone, 1e-3, kEvaluated,
     "a thousand units in the last place, times the condition of every value"},
    {"fixed_point", 30, "a zero gradient moves nothing", 0, 0, 0, 0, "optimizer", "exact, without weight decay"},
    {"descent", 31, "Sphere, Booth, Matyas and Rosenbrock are minimised", 1e-3, 1e-2, 1e-3, 1e-2, "optimizer",
     "of the loss at the start; the steps are bounded"},
    {"resume", 32, "saved and loaded in mid-run, it goes on bit for bit", 0, 0, 0, 0, "optimizer schedule procedure",
     "exact"},
    {"ranges", 33, "only the given ranges move", 0, 0, 0, 0, "optimizer", "exact"},
    {"factor", 34, "factors are finite and a function of step and state", 0, kNotDone, 0, kNotDone, "schedule",
     "yes or no"},
    {"table", 35, "the same seed gives the same bytes, well formed", 0, kNotDone, 0, kNotDone, "dataset", "exact"},
    {"preprocess", 36, "undo takes back apply; log_det is that of a numeric Jacobian", 1e-10, kNotDone, 1e-10, kNotDone,
     "preprocess", "as round_trip and log_det_numeric"},
    {"fit", 37, "what is fitted is a function of the rows, whatever their order", 1e-10, kNotDone, 1e-10, kNotDone,
     "preprocess", "sums of a few hundred rows, added in another order"},
    {"loss", 38, "the loss is finite, a function of its keys, and asks the model for what it declares", 1e-10, 1e-4,
     1e-10, 1e-4, "objective", "float32 is compared with float64; the rest is exact"},
    {"loss_gradient", 39, "gradient of the loss with respect to the parameters", 1e-7, 1e-3, 1e-7, 1e-3, "objective",
     "as input_gradient"},
    {"weights", 40, "a weight of 2 is its row twice, one of 0 none", 1e-10, 1e-4, 1e-10, 1e-4, "objective",
     "sums of a hundred rows, added in another order"},
    {"shards", 41, "the loss does not depend on how a batch is cut", 1e-12, 1e-5, 1e-12, 1e-5, "objective", "as rows"},
    {"training", 42, "a small flow is fitted: the loss falls, and the run stops when told", 0, 0, 0, 0, "procedure",
     "yes or no; the same run twice has the same bits"},
    {"tracking", 43, "a run is recorded in its folder and nowhere else, and goes on there", 0, kNotDone, 0, kNotDone,
     "tracker", "yes or no"},
};

}  // namespace pushforward::testing
